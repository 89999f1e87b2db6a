import type { AnswererInfo, AnswerEvent } from '../../lib/answer.ts';

/** A question with what was said before it. */
export interface Question {
  readonly text: string;
  /** Earlier turns of the conversation, oldest first; unanswered ones are left out. */
  readonly history: readonly { readonly question: string; readonly answer: string }[];
}

/** Answers questions about the documents. */
export interface Answerer {
  readonly info: AnswererInfo;
  /**
   * The events of one answer: its sources, then its text. Returns early when `signal` fires. A failure that readers may know of is thrown
   * as a `PublicError`; an answer that was cut short always throws.
   */
  answer(question: Question, signal: AbortSignal): AsyncIterable<AnswerEvent>;
}
