import assert from 'node:assert/strict';

import { appended, COMPLETED, headOf, numbered, readAll, STREAM, textsOf } from '../helpers.ts';
import { type StoreCase, storeCases } from '../store-case.ts';

const test = storeCases('read');

const pages: readonly StoreCase[] = [
  test('reads from a position to the tail', async ({ store }) => {
    await store.create(STREAM, { records: numbered(5) });
    for (const from of [0, 1, 4]) {
      const { records, head } = await store.read(STREAM, { from });
      assert.deepEqual(
        records.map(({ position }) => position),
        [0, 1, 2, 3, 4].slice(from),
      );
      assert.deepEqual(head, await headOf(store));
    }
  }),
  test('gives no records at the tail and beyond it', async ({ store }) => {
    await store.create(STREAM, { records: numbered(2) });
    for (const from of [2, 3, 1_000_000, Number.MAX_SAFE_INTEGER]) {
      const { records, head } = await store.read(STREAM, { from });
      assert.deepEqual(records, []);
      assert.equal(head.nextPosition, 2);
    }
  }),
  test('gives no records of an empty stream', async ({ store }) => {
    await store.create(STREAM);
    assert.deepEqual((await store.read(STREAM, { from: 0 })).records, []);
  }),
  test('tells an absent stream from an empty one', async ({ store, refuses }) => {
    await refuses(store.read(STREAM, { from: 0 }), 'NOT_FOUND');
  }),
  test('stops at `limit`', async ({ store }) => {
    await store.create(STREAM, { records: numbered(7) });
    const { records } = await store.read(STREAM, { from: 2, limit: 3 });
    assert.deepEqual(
      records.map(({ position }) => position),
      [2, 3, 4],
    );
  }),
  test('reads the same log whatever the page size', async ({ store }) => {
    await store.create(STREAM);
    for (const count of [1, 4, 2, 6]) await appended(store, { records: numbered(count) });
    const whole = await readAll(store);
    assert.equal(whole.length, 13);
    for (const limit of [1, 2, 3, 12, 13, 14, 1_000_000]) assert.deepEqual(await readAll(store, STREAM, limit), whole);
  }),
  test('a page holds at most 1000 records unless told otherwise', async ({ store }) => {
    await store.create(STREAM, { records: numbered(1_001) });
    assert.equal((await store.read(STREAM, { from: 0 })).records.length, 1_000);
    assert.equal((await store.read(STREAM, { from: 0, limit: 2_000 })).records.length, 1_001);
    assert.equal((await store.read(STREAM, { from: 1 })).records.length, 1_000);
  }),
  test('stops after the record that reaches `maxBytes`', async ({ store }) => {
    const data = JSON.stringify('x'.repeat(8));
    await store.create(STREAM, { records: Array.from({ length: 5 }, () => ({ data })) });
    for (const [maxBytes, count] of [
      [1, 1],
      [9, 1],
      [10, 1],
      [11, 2],
      [20, 2],
      [21, 3],
      [49, 5],
      [1_000, 5],
    ] as const) {
      assert.equal((await store.read(STREAM, { from: 0, maxBytes })).records.length, count, `maxBytes ${maxBytes}`);
    }
  }),
  test('gives at least one record, however large', async ({ store }) => {
    const data = JSON.stringify('x'.repeat(5_000));
    await store.create(STREAM, { records: [{ data }, { data }] });
    const { records } = await store.read(STREAM, { from: 1, maxBytes: 1 });
    assert.deepEqual(
      records.map(({ position }) => position),
      [1],
    );
  }),
  test('a page holds about 1 MiB unless told otherwise', async ({ store }) => {
    const data = JSON.stringify('x'.repeat(600 * 1_024));
    await store.create(STREAM, { records: [{ data }, { data }, { data }] });
    assert.equal((await store.read(STREAM, { from: 0 })).records.length, 2);
  }),
];

const consistency: readonly StoreCase[] = [
  test('shows the end only with the head that follows the last record', async ({ store }) => {
    await store.create(STREAM, { records: numbered(3), end: COMPLETED });
    const { records, head } = await store.read(STREAM, { from: 0, limit: 2 });
    assert.equal(records.length, 2);
    assert.equal(head.nextPosition, 3);
    assert.deepEqual(head.end, COMPLETED);
  }),
  test('a head never trails the records it is read with', async ({ store }) => {
    await store.create(STREAM);
    const writing = (async () => {
      for (let n = 0; n < 50; n++) await appended(store, { records: numbered(3, n * 3) });
      await appended(store, { records: [], end: COMPLETED });
    })();
    let next = 0;
    for (;;) {
      const { records, head } = await store.read(STREAM, { from: next });
      for (const record of records) assert.equal(record.position, next++);
      assert.ok(next <= head.nextPosition, `Read up to ${next} with a head at ${head.nextPosition}`);
      if (head.end) break;
      if (records.length === 0) await store.wait(STREAM, { position: next });
    }
    await writing;
    assert.equal(next, 150);
  }),
  test('what was read stays as it is while the stream goes on', async ({ store }) => {
    await store.create(STREAM, { records: numbered(2) });
    const page = await store.read(STREAM, { from: 0 });
    const copy = structuredClone(page);
    await appended(store, { records: numbered(3), end: COMPLETED });
    await store.delete(STREAM);
    assert.deepEqual(page, copy);
  }),
  test('a record reads the same every time', async ({ store }) => {
    await store.create(STREAM, { records: numbered(3) });
    const first = await readAll(store);
    await appended(store, { records: numbered(3) });
    assert.deepEqual((await readAll(store)).slice(0, 3), first);
  }),
  test("a page is the caller's own", async ({ store }) => {
    await store.create(STREAM, { records: numbered(3) });
    const { records } = await store.read(STREAM, { from: 0 });
    (records as unknown[]).length = 0;
    assert.deepEqual(await textsOf(store), ['0', '1', '2']);
  }),
];

const heads: readonly StoreCase[] = [
  test('a head is a snapshot that later changes leave alone', async ({ store }) => {
    const { head: created } = await store.create(STREAM);
    const first = structuredClone(created);
    const read = await headOf(store);
    const { head: afterAppend } = await store.append(STREAM, { segments: [{ records: numbered(2) }] });
    const second = structuredClone(afterAppend);
    await store.mark(STREAM, { type: 'cancel' });
    await appended(store, { records: [], end: COMPLETED });
    assert.deepEqual(created, first);
    assert.deepEqual(read, first);
    assert.deepEqual(afterAppend, second);
  }),
  test('an absent stream has no head', async ({ store }) => {
    assert.equal(await store.head('nowhere'), null);
  }),
  test('the incarnation stays for the life of the stream', async ({ store }) => {
    const { head } = await store.create(STREAM);
    await appended(store, { records: numbered(1) });
    const { head: marked } = { head: await store.mark(STREAM, { type: 'cancel' }) };
    await appended(store, { records: [], end: COMPLETED });
    const now = await headOf(store);
    assert.deepEqual([marked.incarnation, now.incarnation], [head.incarnation, head.incarnation]);
    assert.equal(now.createdAt, head.createdAt);
    assert.equal(now.firstPosition, 0);
  }),
];

/** Reading: pages, limits, snapshots, heads. */
export const readCases: readonly StoreCase[] = [...pages, ...consistency, ...heads];
