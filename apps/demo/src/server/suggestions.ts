import type { Suggestion } from '../lib/corpus-info.ts';
import type { Passage } from './corpus/passage.ts';

const LIMIT = 4;
/** Shorter passages make poor answers. */
const MIN_LENGTH = 240;
const HOW_TO = /^how to /i;

/** Questions made of the documents' own headings: one per document while there are enough documents. */
export function suggest(passages: readonly Passage[]): Suggestion[] {
  const candidates = passages.filter(
    ({ headings, text }) => headings.length === 1 && text.length >= MIN_LENGTH && !/…|\.\.\./.test(headings[0] ?? ''),
  );
  const [questions, others] = [candidates.filter(isQuestion), candidates.filter((passage) => !isQuestion(passage))];
  const picked = [...spread(questions), ...spread(others)].slice(0, LIMIT);
  return picked.map(({ headings, title }) => ({ question: toQuestion(headings[0] ?? title), title }));
}

/** The first passage of each document, then the second of each, and so on. */
function spread(passages: readonly Passage[]): Passage[] {
  const byFile = [...Map.groupBy(passages, ({ file }) => file).values()];
  const rounds = Math.max(0, ...byFile.map(({ length }) => length));
  return Array.from({ length: rounds }, (_, round) => byFile.flatMap((list) => list.slice(round, round + 1))).flat();
}

function isQuestion({ headings }: Passage): boolean {
  return headings[0]?.endsWith('?') ?? false;
}

function toQuestion(heading: string): string {
  if (heading.endsWith('?')) return heading;
  return HOW_TO.test(heading) ? `How do I ${heading.replace(HOW_TO, '')}?` : `Explain “${heading}”`;
}
