import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { collect, createMemoryStreamStore, getStreamReader, type StreamStore } from '@perennial/core';
import type { PublishedChunk } from '@perennial/pipeline';
import { expect, test } from 'vitest';

import { type ImportState, runStreamId } from '../src/lib/knowledge.ts';
import { createCorpus } from '../src/server/corpus/corpus.ts';
import { Importer } from '../src/server/knowledge/importer.ts';
import { noteKnowledge, readKnowledge } from '../src/server/knowledge/knowledge-log.ts';
import { sealUpload } from '../src/server/knowledge/upload.ts';
import { temporaryFolder, write } from './folder.ts';

const ID = 'import-0001';

function open(importRoot: string | null = null, store: StreamStore = createMemoryStreamStore()) {
  const importer = new Importer({ store, importRoot, now: () => 1_000 });
  let now = 0;
  const corpus = createCorpus({ base: '/nowhere', paths: [] }, { store, now: () => (now += 10_000) });
  return { store, importer, corpus };
}

async function stateOf(store: StreamStore, id = ID): Promise<ImportState | undefined> {
  return (await readKnowledge(store))?.imports.find((state) => state.id === id);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

async function upload(importer: Importer, files: Readonly<Record<string, string>>, id = ID): Promise<void> {
  const list = Object.entries(files).map(([name, content]) => ({ name, content }));
  await importer.addFiles(id, { part: 0, files: list });
  await importer.begin({ from: 'upload', id, label: 'mine', files: list.length });
  await importer.settled(id);
}

/** Progress as a page sees it. */
async function published(store: StreamStore, run: number): Promise<PublishedChunk<never>[]> {
  return collect(getStreamReader<PublishedChunk<never>>({ store, streamId: runStreamId(ID, run) }));
}

test('takes in files that were sent, and finds them', async () => {
  const { store, importer, corpus } = open();
  await upload(importer, { 'trees.md': base64('# Trees\n\n## Oak\n\nThe oak drops acorns.\n') });
  expect(await stateOf(store)).toMatchObject({
    label: 'mine',
    at: 1_000,
    end: { outcome: 'completed', documents: 1, passages: 1, skippedCount: 0, skipped: [], problem: null },
  });
  expect((await corpus.search('acorns', 1))[0]?.passage).toMatchObject({ file: 'mine/trees.md', headings: ['Oak'] });
  expect(await corpus.overview()).toMatchObject({ folderDocuments: 0, importedDocuments: 1 });
});

test('publishes each step of the run, with counts and errors', async () => {
  const { store, importer } = open();
  await upload(importer, { 'a.md': base64('# A\n\nText.'), 'b.md': base64('\0\0'), 'c.md': base64('# C\n\nText.') });
  const chunks = await published(store, 0);
  expect(chunks.at(-1)).toMatchObject({
    progress: { state: 'completed', total: 3, inputCount: 3, errorCount: 1, outputCount: 1 },
  });
  const last = chunks.at(-1);
  const steps = last?.type === 'progress' ? last.progress.steps : [];
  expect(steps.map(({ key, emittedCount }) => [key, emittedCount])).toEqual([
    ['read', 2],
    ['clean', 2],
    ['split', 2],
    ['batch', 1],
    ['tokenise', 1],
    ['store', 1],
  ]);
  expect(chunks.flatMap((chunk) => (chunk.type === 'error' ? [chunk.error] : []))).toEqual([
    { code: 'BINARY', message: '“b.md” is not text.', stepName: 'read', itemIndex: 1 },
  ]);
});

test('skips what is no document, and lists why', async () => {
  const folder = await temporaryFolder({ 'good.md': '# Good\n\nText.', 'empty.md': '<!-- nothing -->\n' });
  await writeFile(join(folder, 'binary.md'), Buffer.from([35, 32, 65, 0, 1, 2]));
  await writeFile(join(folder, 'broken.md'), Buffer.from([35, 32, 0xff, 0xfe, 0xc3, 0x28]));
  await writeFile(join(folder, 'large.md'), Buffer.alloc(2 * 1024 * 1024 + 1, 'a'));
  await writeFile(join(folder, 'wide.md'), Buffer.from('\ufeff# Wide\n\nUTF-16 is text too.', 'utf16le'));
  await symlink('nowhere.md', join(folder, 'gone.md'));
  await symlink('/etc/hostname', join(folder, 'outside.md'));
  await write(folder, 'node_modules/x/readme.md', '# Installed\n\nText.');
  const { store, importer, corpus } = open(folder);
  await importer.begin({ from: 'folder', id: ID, path: '.' });
  await importer.settled(ID);
  const state = await stateOf(store);
  expect(state?.end).toMatchObject({ outcome: 'completed', documents: 2, passages: 2, skippedCount: 6 });
  expect(state?.end?.skipped).toEqual([
    '“binary.md” is not text.',
    '“broken.md” is not UTF-8 text.',
    '“empty.md” has no text in it.',
    '“gone.md” cannot be read.',
    '“large.md” is larger than 2 MB.',
    '“outside.md” is a link that leads out of the folder.',
  ]);
  expect((await corpus.search('wide', 1))[0]?.passage.text).toBe('UTF-16 is text too.');
});

test('lists files that were sent and are none', async () => {
  const { store, importer } = open();
  await importer.addFiles(ID, {
    part: 0,
    files: [
      { name: 'photo.png', content: base64('x') },
      { name: 'huge.md', problem: 'TOO_LARGE' },
      { name: 'moved.md', problem: 'UNREADABLE' },
    ],
  });
  await importer.addFiles(ID, { part: 1, files: [{ name: 'notes.txt', content: base64('Plain text.') }] });
  await importer.begin({ from: 'upload', id: ID, label: 'mine', files: 4 });
  await importer.settled(ID);
  expect((await stateOf(store))?.end).toMatchObject({
    documents: 1,
    skipped: ['“photo.png” is not a Markdown file.', '“huge.md” is larger than 2 MB.', '“moved.md” cannot be read.'],
  });
});

test('survives a document that no parser likes', async () => {
  const { store, importer } = open();
  await upload(importer, { 'deep.md': base64(`${'>'.repeat(5_000)} deep`), 'fine.md': base64('# Fine\n\nText.') });
  expect((await stateOf(store))?.end).toMatchObject({ outcome: 'completed', passages: expect.any(Number) });
});

test('begins once, however often it is asked to', async () => {
  const { store, importer } = open();
  await importer.addFiles(ID, { part: 0, files: [{ name: 'a.md', content: base64('# A\n\nText.') }] });
  await importer.addFiles(ID, { part: 0, files: [{ name: 'a.md', content: base64('# A\n\nText.') }] });
  const request = { from: 'upload', id: ID, label: 'mine', files: 1 } as const;
  await Promise.all([importer.begin(request), importer.begin(request)]);
  await importer.begin(request);
  await importer.settled(ID);
  expect((await readKnowledge(store))?.imports).toHaveLength(1);
  expect((await stateOf(store))?.end).toMatchObject({ documents: 1, passages: 1 });
  expect((await stateOf(store))?.runs).toBe(1);
});

test('does not begin before all files are there', async () => {
  const { importer } = open();
  await importer.addFiles(ID, { part: 0, files: [{ name: 'a.md', content: base64('# A') }] });
  await expect(importer.begin({ from: 'upload', id: ID, label: 'mine', files: 2 })).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    message: '1 of 2 files have arrived. Send the files again.',
  });
});

test('runs one import after the other, and removes one that waits', async () => {
  const { store, importer } = open();
  for (const id of ['import-0001', 'import-0002', 'import-0003']) {
    await importer.addFiles(id, { part: 0, files: [{ name: 'a.md', content: base64('# A\n\nText.') }] });
    await importer.begin({ from: 'upload', id, label: id, files: 1 });
  }
  expect((await stateOf(store, 'import-0002'))?.run).toBeNull();
  await importer.remove('import-0002');
  await importer.settled('import-0003');
  expect(await stateOf(store, 'import-0001')).toMatchObject({ end: { outcome: 'completed' } });
  expect(await stateOf(store, 'import-0002')).toBeUndefined();
  expect(await stateOf(store, 'import-0003')).toMatchObject({ end: { outcome: 'completed' } });
  expect((await store.list({ prefix: 'knowledge/imports/import-0002/' })).streams).toEqual([]);
});

test('stops when it is told to, and goes on where it stopped', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 400 }, (_, i) => [`f${String(i).padStart(3, '0')}.md`, `# F${i}\n\nText number${i}.\n`]),
  );
  const folder = await temporaryFolder(files);
  const { store, importer, corpus } = open(folder);
  await importer.begin({ from: 'folder', id: ID, path: folder });
  // The files have been found, and the second run has begun.
  while (!(await store.head(runStreamId(ID, 1)))) await new Promise((resolve) => setImmediate(resolve));
  await store.mark(runStreamId(ID, 1), { type: 'cancel', reason: 'stop' });
  await importer.settled(ID);
  const stopped = (await stateOf(store))?.end;
  expect(stopped).toMatchObject({ outcome: 'cancelled', skippedCount: 0 });
  expect(stopped?.documents).toBeLessThan(400);
  await importer.continue(ID);
  await importer.settled(ID);
  const state = await stateOf(store);
  expect(state).toMatchObject({ resumed: true, end: { outcome: 'completed', documents: 400, passages: 400 } });
  const passages = await corpus.passages();
  expect(new Set(passages.map(({ file }) => file)).size).toBe(400);
  expect(passages).toHaveLength(400);
});

test('goes on with what another server left behind', async () => {
  const { store, importer } = open();
  await importer.addFiles(ID, { part: 0, files: [{ name: 'a.md', content: base64('# A\n\nText.') }] });
  await sealUpload(store, ID, 1);
  // Noted, and then the server was gone.
  await noteKnowledge(store, { type: 'added', id: ID, label: 'mine', folder: null, at: 0 });
  const next = open(null, store).importer;
  await next.resume();
  await next.settled(ID);
  expect((await stateOf(store))?.end).toMatchObject({ outcome: 'completed', documents: 1 });
});

test('removes an import with everything that came of it', async () => {
  const { store, importer, corpus } = open();
  await upload(importer, { 'a.md': base64('# A\n\nAcorns.') });
  expect(await corpus.search('acorns', 1)).toHaveLength(1);
  await importer.remove(ID);
  await importer.remove('import-none');
  expect(await stateOf(store)).toBeUndefined();
  expect(await corpus.search('acorns', 1)).toEqual([]);
  expect((await store.list({ prefix: 'knowledge/imports/' })).streams).toEqual([]);
});

test('finds what was imported, and nothing that was removed, a moment later', async () => {
  const store = createMemoryStreamStore();
  const importer = new Importer({ store, importRoot: null, now: () => 1_000 });
  // Of the folder, one look is enough for this long.
  const corpus = createCorpus({ base: '/nowhere', paths: [] }, { store, now: () => 1_000 });
  expect(await corpus.search('acorns', 1)).toEqual([]);
  await upload(importer, { 'a.md': base64('# A\n\nAcorns.') });
  expect(await corpus.search('acorns', 1)).toHaveLength(1);
  const early = corpus.search('acorns', 1);
  await importer.remove(ID);
  expect(await corpus.search('acorns', 1)).toEqual([]);
  await early;
});

test('imports no folder by path unless it may, and none outside of the root', async () => {
  const root = await temporaryFolder({ 'inside/a.md': '# A\n\nText.', 'b.md': '# B\n\nText.' });
  await symlink('/etc', join(root, 'link'));
  const begin = (importRoot: string | null, path: string) =>
    open(importRoot).importer.begin({ from: 'folder', id: ID, path });
  await expect(begin(null, 'inside')).rejects.toThrow('This server imports no folders by path.');
  await expect(begin(join(root, 'inside'), '..')).rejects.toThrow('outside of the folder that imports may come from');
  await expect(begin(root, 'link')).rejects.toThrow('outside');
  await expect(begin(root, '/etc')).rejects.toThrow('outside');
  await expect(begin(root, 'missing')).rejects.toThrow('There is no folder “missing”.');
  await expect(begin(root, 'b.md')).rejects.toThrow('There is no folder “b.md”.');
});

test('shows which files of the documents folder are left out', async () => {
  const base = await temporaryFolder({ 'a.md': '# A\n\nText.' });
  await writeFile(join(base, 'b.md'), Buffer.from([0, 1, 2]));
  const corpus = createCorpus({ base, paths: [''] });
  expect(await corpus.overview()).toEqual({
    folderDocuments: 1,
    folderPassages: 1,
    folderProblems: ['“b.md” is not text.'],
    importedDocuments: 0,
  });
});
