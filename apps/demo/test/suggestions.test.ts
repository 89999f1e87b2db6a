import { expect, test } from 'vitest';

import { toPassages } from '../src/server/corpus/passage.ts';
import { suggest } from '../src/server/suggestions.ts';

const LONG = 'A sentence that says something about it. '.repeat(8);

/** A document with one long section under each heading. */
function document(file: string, ...headings: readonly string[]) {
  return toPassages(file, `# ${file}\n\n${headings.map((heading) => `## ${heading}\n\n${LONG}\n`).join('\n')}`);
}

test('suggests questions that the documents ask themselves, from different documents', () => {
  const passages = [...document('a', 'Setup', 'What is a?', 'What is b?'), ...document('b', 'How does c work?')];
  expect(suggest(passages)).toEqual([
    { question: 'What is a?', title: 'a' },
    { question: 'How does c work?', title: 'b' },
    { question: 'What is b?', title: 'a' },
    { question: 'Explain “Setup”', title: 'a' },
  ]);
});

test('turns a how-to into a question', () => {
  expect(suggest(document('a', 'How to install it'))).toEqual([{ question: 'How do I install it?', title: 'a' }]);
});

test('leaves out what would make a poor answer', () => {
  expect(suggest(document('a', 'What happens when …?'))).toEqual([]);
  expect(suggest(toPassages('a.md', '# A\n\n## What is short?\n\nThis.\n'))).toEqual([]);
  expect(suggest([])).toEqual([]);
});

test('suggests four at most', () => {
  expect(suggest(document('a', 'One?', 'Two?', 'Three?', 'Four?', 'Five?'))).toHaveLength(4);
});
