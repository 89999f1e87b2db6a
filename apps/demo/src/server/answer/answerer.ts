import { PublicError } from '@perennial/core';

import type { Answer, AnswererInfo, AnswerEvent } from '../../lib/answer.ts';
import type { Match } from '../corpus/passage-index.ts';

/** Earlier turns of a conversation that an answerer is told of. */
export const HISTORY_TURNS = 4;

/** A question with what was said before it. */
export interface Question {
  readonly text: string;
  /** Up to {@link HISTORY_TURNS} earlier turns of the conversation, oldest first; unanswered ones are left out. */
  readonly history: readonly { readonly question: string; readonly answer: string }[];
}

/** What an answer rests on. The run keeps it as JSON, so that an answer that is continued rests on the same. */
export interface Findings {
  /** Passages, best first. */
  readonly matches: readonly Match[];
  /** False when there is nothing to answer from at all. */
  readonly hasDocuments: boolean;
}

/** What {@link Answerer.answer} works on. */
export interface AnswerTask {
  readonly question: Question;
  readonly findings: Findings;
  /** What was written before a crash; empty for an answer that begins. */
  readonly written: Answer;
}

/** Answers questions about the documents. */
export interface Answerer {
  readonly info: AnswererInfo;
  /** True: an answer that a crash cut short goes on where it stopped. False: it is taken back and made anew. */
  readonly continues: boolean;
  /** Looks up what an answer will rest on. */
  find(question: Question): Promise<Findings>;
  /**
   * The events of one answer that are not in `written`: its sources, then its text. Returns early when `signal` fires. A failure that
   * readers may know of is thrown as a `PublicError`; an answer that was cut short always throws.
   */
  answer(task: AnswerTask, signal: AbortSignal): AsyncIterable<AnswerEvent>;
}

/** @throws `PublicError` `CANNOT_CONTINUE` unless the answer was begun by the same answerer, or not at all. */
export function assertSameAnswerer({ answerer }: Answer, info: AnswererInfo): void {
  if (answerer === null || (answerer.kind === info.kind && answerer.name === info.name)) return;
  throw new PublicError(
    'CANNOT_CONTINUE',
    `The server stopped in the middle of this answer by “${answerer.name}” and now answers with “${info.name}”, which cannot go on with it.`,
  );
}
