import { PublicError } from '@perennial/core';

import type { Source } from '../../lib/source.ts';
import type { AnswerTask } from '../answer/answerer.ts';
import { paced } from '../answer/pace.ts';
import { toSource } from '../answer/to-source.ts';
import type { Desk } from './desk.ts';

type Task = Omit<AnswerTask, 'written'>;

/**
 * The passages of an answer: first those that the answerer cites, in its order, which is the first thing it says, before it writes a word or
 * asks a model; then what else was found. None where it finds nothing that fits.
 */
export async function answerSources({ answerer }: Pick<Desk, 'answerer'>, task: Task): Promise<Source[]> {
  const written = { answerer: null, sources: [], text: '' };
  for await (const event of answerer.answer({ ...task, written }, new AbortController().signal)) {
    if (event.type !== 'sources') continue;
    const cited = event.sources;
    if (cited.length === 0) return [];
    const others = task.findings.matches.map(({ passage }) => toSource(passage));
    return [...cited, ...others.filter((other) => !cited.some((source) => isSame(source, other)))];
  }
  return [];
}

function isSame(a: Source, b: Source): boolean {
  return a.file === b.file && a.line === b.line && a.markdown === b.markdown;
}

/** The text of the answerer behind `written`, in pieces. */
export async function* answerText(
  { answerer }: Desk,
  { question, findings, written }: Task & { readonly written: string },
  signal: AbortSignal,
): AsyncGenerator<string> {
  const task = { question, findings, written: { answerer: null, sources: [], text: written } };
  for await (const event of answerer.answer(task, signal)) if (event.type === 'text') yield event.delta;
}

/**
 * A text that the same findings always give, behind `written`, word by word.
 *
 * @throws `PublicError` `CANNOT_CONTINUE` when `written` is the beginning of another text.
 */
export async function* fixedText(
  { wordsPerSecond }: Desk,
  { text, written }: { readonly text: string; readonly written: string },
  signal: AbortSignal,
): AsyncGenerator<string> {
  if (!text.startsWith(written))
    throw new PublicError(
      'CANNOT_CONTINUE',
      'The server stopped in the middle of this answer and is now of another version, which cannot go on with it.',
    );
  yield* paced(text.slice(written.length), { wordsPerSecond, signal });
}
