import assert from 'node:assert/strict';

import type { SegmentResult } from '@perennial/core';

import { append, COMPLETED, headOf, numbered, produced, readAll, STREAM } from '../helpers.ts';
import { type StoreCase, storeCases } from '../store-case.ts';

const test = storeCases('concurrency');

/** How often each status occurs. */
function tally(results: readonly SegmentResult[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status } of results) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

const times = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

const appends: readonly StoreCase[] = [
  test('50 producers never collide, lose or reorder their own records', async ({ store }) => {
    await store.create(STREAM);
    const perProducer = 20;
    await times(50, async (index) => {
      for (let seq = 0; seq < perProducer; seq++) {
        const records = [{ data: JSON.stringify([index, seq]) }];
        const result = await append(store, {
          records,
          producer: { id: `p${index}`, epoch: 0, seq },
          sequencing: 'segment',
        });
        assert.equal(result.status, 'ok');
      }
    });
    const next = new Map<unknown, number>();
    const records = await readAll(store);
    assert.equal(records.length, 50 * perProducer);
    for (const record of records) {
      assert.ok(record.kind === 'data' && typeof record.data === 'string');
      const [index, seq] = JSON.parse(record.data) as [number, number];
      assert.equal(seq, next.get(index) ?? 0, `Producer ${index} is out of order`);
      next.set(index, seq + 1);
    }
  }),
  test('each concurrent append gets positions of its own, all of them in a row', async ({ store }) => {
    await store.create(STREAM);
    const results = await times(100, (index) => append(store, { records: numbered((index % 3) + 1) }));
    const taken = results.flatMap((result) =>
      result.status === 'ok' ? Array.from({ length: result.count }, (_, offset) => result.position + offset) : [],
    );
    assert.deepEqual(
      taken.toSorted((a, b) => a - b),
      Array.from({ length: taken.length }, (_, position) => position),
    );
    assert.equal((await headOf(store)).nextPosition, taken.length);
    assert.equal(taken.length, 199);
  }),
  test('records of one append stay together', async ({ store }) => {
    await store.create(STREAM);
    await times(30, (index) => append(store, { records: Array.from({ length: 5 }, () => ({ data: String(index) })) }));
    const written = (await readAll(store)).map((record) => record.kind === 'data' && record.data);
    for (let position = 0; position < written.length; position += 5)
      assert.equal(new Set(written.slice(position, position + 5)).size, 1);
    assert.equal(written.length, 150);
  }),
  test('of racing appends that expect one position, exactly one is stored', async ({ store }) => {
    await store.create(STREAM);
    const results = await times(20, (index) =>
      append(store, { records: [{ data: String(index) }], expectedPosition: 0 }),
    );
    assert.deepEqual(tally(results), { ok: 1, conflict: 19 });
    for (const result of results) if (result.status === 'conflict') assert.equal(result.nextPosition, 1);
    const winner = results.findIndex(({ status }) => status === 'ok');
    assert.deepEqual(
      (await readAll(store)).map((record) => record.kind === 'data' && record.data),
      [String(winner)],
    );
  }),
  test('of racing repetitions of one segment, exactly one is stored', async ({ store }) => {
    await store.create(STREAM);
    const results = await times(20, () => append(store, { ...produced('p', 0, 0, 2), sequencing: 'segment' }));
    assert.deepEqual(tally(results), { ok: 1, duplicate: 19 });
    assert.equal((await headOf(store)).nextPosition, 2);
  }),
  test('of racing ends, exactly one stands', async ({ store }) => {
    await store.create(STREAM);
    const results = await times(10, (index) =>
      append(store, { records: [], end: { outcome: 'cancelled', reason: String(index) } }),
    );
    assert.deepEqual(tally(results), { ok: 1, closed: 9 });
    const winner = String(results.findIndex(({ status }) => status === 'ok'));
    const { end } = await headOf(store);
    assert.deepEqual(end, { outcome: 'cancelled', reason: winner });
    for (const result of results) if (result.status === 'closed') assert.deepEqual(result.end, end);
  }),
  test('nothing follows the end of a stream that others write to', async ({ store }) => {
    await store.create(STREAM);
    const results = await times(20, (index) =>
      append(store, index === 10 ? { records: numbered(1), end: COMPLETED } : { records: numbered(1) }),
    );
    const stored = results.filter(({ status }) => status === 'ok').length;
    const end = results[10];
    assert.ok(end?.status === 'ok');
    assert.equal(end.position, stored - 1, 'The end follows the last record');
    assert.equal((await headOf(store)).nextPosition, stored);
  }),
];

const others: readonly StoreCase[] = [
  test('of racing creations, exactly one creates', async ({ store }) => {
    const results = await times(20, (index) => store.create(STREAM, { records: numbered(1, index) }));
    assert.equal(results.filter(({ created }) => created).length, 1);
    assert.equal(new Set(results.map(({ head }) => head.incarnation)).size, 1);
    const winner = results.findIndex(({ created }) => created);
    assert.deepEqual(
      (await readAll(store)).map((record) => record.kind === 'data' && record.data),
      [String(winner)],
    );
  }),
  test('of racing creations with other configurations, only the same ones agree', async ({ store }) => {
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) =>
        store.create(STREAM, { contentType: index % 2 ? 'text/plain' : 'text/html' }),
      ),
    );
    const agreed = results.filter(({ status }) => status === 'fulfilled');
    assert.equal(agreed.length, 5);
    const created = agreed.filter((result) => result.status === 'fulfilled' && result.value.created);
    assert.equal(created.length, 1);
  }),
  test('of racing deletions, exactly one deletes', async ({ store }) => {
    await store.create(STREAM);
    const results = await times(10, () => store.delete(STREAM));
    assert.equal(results.filter(Boolean).length, 1);
  }),
  test(
    'of racing fences to one token, exactly one holds it',
    async ({ store }) => {
      await store.create(STREAM);
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, (_, index) => store.mark(STREAM, { type: 'fence', token: 1, nonce: `n${index}` })),
      );
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    },
    'fencing',
  ),
  test('of racing cancel requests, one reason stands', async ({ store }) => {
    await store.create(STREAM);
    const heads = await times(10, (index) => store.mark(STREAM, { type: 'cancel', reason: String(index) }));
    assert.equal(new Set(heads.map(({ cancel }) => cancel?.reason)).size, 1);
  }),
  test('appends to a stream that is deleted are stored or refused, never stray', async ({ store }) => {
    await store.create(STREAM);
    const results = Promise.allSettled(Array.from({ length: 20 }, () => append(store, { records: numbered(1) })));
    await store.delete(STREAM);
    for (const result of await results) {
      if (result.status === 'rejected') assert.equal((result.reason as { code?: unknown }).code, 'NOT_FOUND');
    }
    assert.equal(await store.head(STREAM), null);
    await store.create(STREAM);
    assert.deepEqual(await readAll(store), []);
  }),
  test('100 streams take appends at once', async ({ store }) => {
    await times(100, async (index) => {
      const id = `many/${index}`;
      await store.create(id);
      await times(5, () => append(store, { records: numbered(2) }, { id }));
      assert.equal((await headOf(store, id)).nextPosition, 10);
    });
  }),
];

/** Racing calls: whoever wins, every rule holds. */
export const concurrencyCases: readonly StoreCase[] = [...appends, ...others];
