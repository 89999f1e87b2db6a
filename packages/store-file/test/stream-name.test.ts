import { mkdir, readdir } from 'node:fs/promises';

import { MAX_STREAM_ID_LENGTH } from '@perennial/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeStreamName, encodeStreamId, isHashedName } from '../src/stream-name.ts';
import { append, openStore, readTexts, texts, withStore } from './helpers.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const ids = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }),
    fc.string({
      unit: fc.constantFrom('a', 'A', '/', '.', '%', '~', '\0', 'é', 'e\u0301', ' '),
      minLength: 1,
      maxLength: 12,
    }),
  )
  .filter((id) => id.isWellFormed());

/** Ids that some file system would confuse with another, or take for something else. */
const HOSTILE: readonly string[] = [
  '.',
  '..',
  '../../etc/passwd',
  '/',
  'a/b',
  'a//b',
  'a\\b',
  'a\0b',
  'readme',
  'README',
  'ReadMe',
  '\u00e9',
  'e\u0301',
  '\ufb01',
  'fi',
  'nul',
  'CON',
  'com1.log',
  'trailing.',
  'trailing ',
  '-rf',
  '%2e%2e',
  's-a',
  'h-a',
  '\u{1f600}',
  ' ',
  '\n',
  '__proto__',
  'x'.repeat(MAX_STREAM_ID_LENGTH),
  'X'.repeat(MAX_STREAM_ID_LENGTH),
  `${'x'.repeat(MAX_STREAM_ID_LENGTH - 1)}y`,
  '\u20ac'.repeat(MAX_STREAM_ID_LENGTH),
];

describe('the name of a stream', () => {
  it('stays a name of its own on any file system', () => {
    fc.assert(
      fc.property(ids, ids, (a, b) => {
        const [first, second] = [encodeStreamId(a), encodeStreamId(b)];
        expect(first).toMatch(/^[a-z0-9_%-]{3,200}$/);
        expect(first.normalize('NFC').normalize('NFD').toLowerCase()).toBe(first);
        expect(first === second).toBe(a === b);
      }),
    );
  });

  it('tells the id, unless that was too long', () => {
    fc.assert(
      fc.property(ids, (id) => {
        const name = encodeStreamId(id);
        expect(isHashedName(name) ? null : id).toBe(decodeStreamName(name));
      }),
    );
    expect(isHashedName(encodeStreamId('\u20ac'.repeat(500)))).toBe(true);
    for (const name of ['lost+found', '.DS_Store', 's-%', 's-%2', 's-A', 's-%41%4', 'h-abc', ''])
      expect(decodeStreamName(name)).toBeNull();
  });
});

describe('a store', () => {
  it('keeps hostile ids apart, inside its directory, and lists them in order', async () => {
    // In a folder of its own: other tests come and go beside it.
    const parent = await temporaryDirectory();
    const directory = `${parent}/store`;
    await withStore(directory, async (store) => {
      for (const id of HOSTILE) await store.create(id, { records: [{ data: JSON.stringify(id) }] });
    });
    const store = openStore({ directory });
    for (const id of HOSTILE) expect(await readTexts(store, id)).toEqual([JSON.stringify(id)]);
    expect((await store.list()).streams.map(({ id }) => id)).toEqual([...HOSTILE].toSorted());
    expect((await store.list({ prefix: 'x' })).streams).toHaveLength(2);
    expect((await readdir(directory)).toSorted()).toEqual(['lock', 'making', 'retained', 'streams', 'trash']);
    expect(await readdir(parent)).toEqual(['store']);
    for (const id of HOSTILE) expect(await store.delete(id)).toBe(true);
    expect(await store.list()).toEqual({ streams: [] });
  });

  it('lists in code unit order, page by page', async () => {
    const store = openStore({ directory: await temporaryDirectory() });
    const all = [
      'a',
      'a/b',
      'a-b',
      'B',
      'Z',
      '\u00e9',
      '\uffff',
      '\u{1f600}',
      ...Array.from({ length: 40 }, (_, n) => `n/${n}`),
    ];
    await Promise.all(all.map((id) => store.create(id)));
    const listed: string[] = [];
    let after: string | undefined;
    do {
      const page = await store.list({ limit: 7, ...(after !== undefined && { after }) });
      listed.push(...page.streams.map(({ id }) => id));
      after = page.next;
    } while (after !== undefined);
    expect(listed).toEqual(all.toSorted());
    expect((await store.list({ prefix: 'n/3' })).streams.map(({ id }) => id)).toEqual([
      'n/3',
      ...Array.from({ length: 10 }, (_, n) => `n/3${n}`),
    ]);
  });

  it('takes no notice of what is not its own', async () => {
    const directory = await temporaryDirectory();
    const store = openStore({ directory });
    await store.create('a');
    await mkdir(`${directory}/streams/lost+found`);
    await mkdir(`${directory}/streams/s-empty`);
    expect((await store.list()).streams.map(({ id }) => id)).toEqual(['a']);
    expect(await store.head('empty')).toBeNull();
    expect((await store.create('empty')).created).toBe(true);
    expect((await append(store, { records: texts('1') }, 'empty')).status).toBe('ok');
  });
});
