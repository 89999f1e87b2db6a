import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { createCorpus } from '../src/server/corpus/corpus.ts';
import { temporaryFolder, write } from './folder.ts';

const DOCUMENTS = {
  'trees.md':
    '# Trees\n\n## Oak\n\nThe oak lives for centuries and drops acorns.\n\n## Birch\n\nThe birch has white bark.\n',
  'sub/flowers.md': '# Flowers\n\n## Peony\n\nThe peony is a perennial flower. It wants sun.\n',
  'node_modules/x/readme.md': '# Oak oak oak\n\noak\n',
  '.hidden/oak.md': '# Oak\n\noak\n',
  'data.json': '{"oak": true}',
};

/** A corpus that looks at the disk before every search. */
function open(base: string) {
  let now = 0;
  return createCorpus({ base, paths: [''] }, { now: () => (now += 10_000) });
}

test('finds the passage that a question asks for', async () => {
  const corpus = open(await temporaryFolder(DOCUMENTS));
  const [best] = await corpus.search('Which tree drops acorns?', 3);
  expect(best?.passage).toMatchObject({ file: 'trees.md', headings: ['Oak'], line: 3 });
  expect(best?.coverage).toBeGreaterThan(0.5);
});

test('finds other forms of a word, and forgives a slip in a long one', async () => {
  const corpus = open(await temporaryFolder(DOCUMENTS));
  expect((await corpus.search('perennials', 1))[0]?.passage.file).toBe('sub/flowers.md');
  expect((await corpus.search('perenial', 1))[0]?.passage.file).toBe('sub/flowers.md');
});

test('reads Markdown files only, and no hidden or installed ones', async () => {
  const corpus = open(await temporaryFolder(DOCUMENTS));
  expect(new Set((await corpus.passages()).map(({ file }) => file))).toEqual(new Set(['sub/flowers.md', 'trees.md']));
});

test('finds nothing for a question without any word of its own, and a low coverage for a strange one', async () => {
  const corpus = open(await temporaryFolder(DOCUMENTS));
  expect(await corpus.search('What is it about?', 3)).toEqual([]);
  const [match] = await corpus.search('Is the president of the oak elected in parliament?', 1);
  expect(match?.coverage).toBeLessThan(0.4);
});

test('prefers the passage whose heading is the question', async () => {
  const corpus = open(
    await temporaryFolder({
      'a.md':
        '# A\n\n## Oak furniture\n\nFurniture of oak lasts, and so do floors of oak.\n\n## What is an oak?\n\nAn oak is a tree with acorns.\n',
    }),
  );
  expect((await corpus.search('What is an oak?', 1))[0]?.passage.headings).toEqual(['What is an oak?']);
});

test('takes in changed, new and removed files', async () => {
  const folder = await temporaryFolder(DOCUMENTS);
  const corpus = open(folder);
  expect(await corpus.search('maple', 1)).toEqual([]);
  await write(folder, 'trees.md', '# Trees\n\n## Maple\n\nThe maple turns red in autumn.\n');
  await write(folder, 'new.md', '# Fern\n\nA fern has no flowers at all.\n');
  await rm(join(folder, 'sub/flowers.md'));
  expect((await corpus.search('maple', 1))[0]?.passage.headings).toEqual(['Maple']);
  expect((await corpus.search('fern', 1))[0]?.passage.file).toBe('new.md');
  expect(await corpus.search('acorns', 1)).toEqual([]);
  expect(await corpus.search('peony', 1)).toEqual([]);
});

test('is empty when the folder does not exist, and fills once it does', async () => {
  const folder = join(await temporaryFolder(), 'later');
  const corpus = open(folder);
  expect(await corpus.passages()).toEqual([]);
  await write(folder, 'oak.md', '# Oak\n\nA tree.\n');
  expect(await corpus.passages()).toHaveLength(1);
});

test('names files of several places by their way from the base', async () => {
  const base = await temporaryFolder({
    'README.md': '# Top\n\nText.',
    'docs/README.md': '# Docs\n\nText.',
    'other.md': '# Other\n\nText.',
  });
  const corpus = createCorpus({ base, paths: ['README.md', 'docs', 'missing.md'] });
  expect((await corpus.passages()).map(({ file }) => file)).toEqual(['README.md', 'docs/README.md']);
});
