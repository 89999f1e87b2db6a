/** The code of the README files and guides compiles against the packages, and what claims to run does. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { codeBlocks } from './support/code-blocks.ts';
import { isUserFacing, readDocuments } from './support/documents.ts';
import { runSnippet, typeErrors, writeSnippets } from './support/snippets.ts';

/** Languages of blocks that hold no TypeScript; any other fence would be code that nothing checks. */
const UNCHECKED = ['sh', 'text', 'json', 'http', 'html', 'css'];

const blocks = readDocuments().filter(isUserFacing).flatMap(codeBlocks);
const checked = blocks.filter(({ language }) => language === 'ts' || language === 'tsx');
const folder = writeSnippets(checked);
const titled = folder.snippets.map((snippet) => ({
  title: `${snippet.block.document}:${snippet.block.line}`,
  snippet,
}));
afterAll(() => folder.remove());

it('finds code to check', () => {
  expect(checked.length).toBeGreaterThan(20);
  expect(titled.some(({ snippet }) => snippet.block.runnable)).toBe(true);
});

it('knows the language of every block', () => {
  const unknown = blocks.filter((block) => !checked.includes(block) && !UNCHECKED.includes(block.language));
  expect(unknown.map(({ document, line, language }) => `${document}:${line} ${language}`)).toEqual([]);
});

describe('a code block compiles', () => {
  let errors: Map<string, string[]>;
  beforeAll(async () => {
    errors = await typeErrors(folder);
  }, 120_000);

  it.each(titled)('$title', ({ snippet }) => {
    expect(errors.get(snippet.path)?.join('\n') ?? '').toBe('');
  });
});

describe('a runnable code block prints what the document says', () => {
  const runnable = titled.filter(({ snippet }) => snippet.block.runnable);

  it.concurrent.each(runnable)('$title', async ({ snippet }) => {
    const printed = await runSnippet(snippet);
    expect(printed.trimEnd()).toBe(snippet.block.output);
  });
});
