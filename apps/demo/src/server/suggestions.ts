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
  const byFile = Map.groupBy(candidates, ({ file }) => file);
  const picked: Passage[] = [];
  for (let round = 0; picked.length < LIMIT && round < LIMIT; round++) {
    for (const passages of byFile.values()) {
      const passage = passages[round];
      if (passage && picked.length < LIMIT) picked.push(passage);
    }
  }
  return picked.map(({ headings, title }) => ({ question: toQuestion(headings[0] ?? title), title }));
}

function toQuestion(heading: string): string {
  if (heading.endsWith('?')) return heading;
  return HOW_TO.test(heading) ? `How do I ${heading.replace(HOW_TO, '')}?` : `Explain “${heading}”`;
}
