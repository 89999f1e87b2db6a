import assert from 'node:assert/strict';

import type { ListOptions, StreamStore } from '@perennial/core';

import { appended, headOf, numbered } from '../helpers.ts';
import { type StoreCase, storeCases } from '../store-case.ts';

const test = storeCases('list', 'list');

async function createAll(store: StreamStore, ids: readonly string[]): Promise<void> {
  for (const id of ids) await store.create(id);
}

async function ids(store: StreamStore, options?: ListOptions): Promise<readonly string[]> {
  return (await store.list(options)).streams.map(({ id }) => id);
}

/** Listing: prefix, order, pages. */
export const listCases: readonly StoreCase[] = [
  test('an empty store has no streams', async ({ store }) => {
    assert.deepEqual(await store.list(), { streams: [] });
  }),
  test('lists the heads of all streams', async ({ store }) => {
    await createAll(store, ['b', 'a']);
    await appended(store, { records: numbered(2) }, { id: 'a' });
    assert.deepEqual(await store.list(), { streams: [await headOf(store, 'a'), await headOf(store, 'b')] });
  }),
  test('lists ids that start with the prefix, character by character', async ({ store }) => {
    await createAll(store, [
      'runs/r1/a',
      'runs/r1/b',
      'runs/r10/a',
      'runs/r1',
      'Runs/r1/a',
      'runs_r1/a',
      'x/runs/r1/a',
    ]);
    assert.deepEqual(await ids(store, { prefix: 'runs/r1/' }), ['runs/r1/a', 'runs/r1/b']);
    assert.deepEqual(await ids(store, { prefix: 'runs/r1' }), ['runs/r1', 'runs/r1/a', 'runs/r1/b', 'runs/r10/a']);
    assert.deepEqual(await ids(store, { prefix: 'nothing' }), []);
    assert.equal((await ids(store, { prefix: '' })).length, 7);
  }),
  test('takes the prefix literally', async ({ store }) => {
    await createAll(store, ['a*b', 'axb', 'a%2Fb', 'a/b', 'a?', 'a[x]', 'a\\', 'a_b']);
    for (const prefix of ['a*', 'a%', 'a?', 'a[', 'a\\', 'a_', 'a%2F'])
      assert.equal((await ids(store, { prefix })).length, 1, prefix);
  }),
  test('orders by code unit', async ({ store }) => {
    const sorted = [
      'A',
      'B',
      'Z/',
      'a',
      'a\u0000',
      'a ',
      'a!',
      'a/',
      'a/b',
      'aa',
      'b',
      '\u00e9',
      '\u{1f600}',
      '\uff5e',
    ];
    await createAll(store, sorted.toReversed());
    assert.deepEqual(await ids(store), sorted);
  }),
  test('pages by `limit` and `after`', async ({ store }) => {
    const all = Array.from({ length: 7 }, (_, index) => `s${index}`);
    await createAll(store, all);
    const seen: string[] = [];
    const sizes: number[] = [];
    let after: string | undefined;
    do {
      const { streams, next } = await store.list({ prefix: 's', limit: 3, ...(after === undefined ? {} : { after }) });
      seen.push(...streams.map(({ id }) => id));
      sizes.push(streams.length);
      after = next;
    } while (after !== undefined);
    assert.deepEqual(seen, all);
    assert.deepEqual(sizes, [3, 3, 1]);
  }),
  test('the last page names no next one, also when it is full', async ({ store }) => {
    await createAll(store, ['a', 'b', 'c', 'd', 'e']);
    assert.ok((await store.list({ prefix: '', limit: 4 })).next !== undefined);
    assert.deepEqual(Object.keys(await store.list({ limit: 5 })), ['streams']);
    const { next } = await store.list({ limit: 4 });
    assert.deepEqual(Object.keys(await store.list({ limit: 4, ...(next === undefined ? {} : { after: next }) })), [
      'streams',
    ]);
  }),
  test('`after` need not exist, and is itself left out', async ({ store }) => {
    await createAll(store, ['a', 'c', 'e']);
    assert.deepEqual(await ids(store, { after: 'b' }), ['c', 'e']);
    assert.deepEqual(await ids(store, { after: 'c' }), ['e']);
    assert.deepEqual(await ids(store, { after: 'z' }), []);
    assert.deepEqual(await ids(store, { after: 'a', prefix: 'e' }), ['e']);
  }),
  test('a page holds at most 1000 streams unless told otherwise', async ({ store }) => {
    const names = Array.from({ length: 1_001 }, (_, index) => `s${String(index).padStart(4, '0')}`);
    await Promise.all(names.map((id) => store.create(id)));
    const { streams, next } = await store.list();
    assert.equal(streams.length, 1_000);
    assert.deepEqual(await ids(store, next === undefined ? {} : { after: next }), ['s1000']);
  }),
  test('leaves out deleted streams', async ({ store }) => {
    await createAll(store, ['a', 'b', 'c']);
    await store.delete('b');
    assert.deepEqual(await ids(store), ['a', 'c']);
  }),
];
