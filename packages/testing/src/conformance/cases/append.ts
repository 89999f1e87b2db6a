import assert from 'node:assert/strict';

import type { StreamEnd } from '@perennial/core';

import {
  append,
  appended,
  COMPLETED,
  headOf,
  numbered,
  readAll,
  STREAM,
  texts,
  textsOf,
  unchanged,
} from '../helpers.ts';
import { type StoreCase, storeCases } from '../store-case.ts';

const test = storeCases('append');

const positions: readonly StoreCase[] = [
  test('gives records dense positions from the tail', async ({ store }) => {
    await store.create(STREAM);
    assert.deepEqual(await append(store, { records: texts('"a"') }), {
      status: 'ok',
      position: 0,
      count: 1,
      skipped: 0,
    });
    assert.deepEqual(await append(store, { records: texts('"b"', '"c"') }), {
      status: 'ok',
      position: 1,
      count: 2,
      skipped: 0,
    });
    assert.deepEqual(await append(store, { records: texts('"d"') }), {
      status: 'ok',
      position: 3,
      count: 1,
      skipped: 0,
    });
    assert.deepEqual(await textsOf(store), ['"a"', '"b"', '"c"', '"d"']);
  }),
  test('answers with the head after the append', async ({ store }) => {
    await store.create(STREAM);
    const { head } = await store.append(STREAM, { segments: [{ records: numbered(3) }] });
    assert.equal(head.nextPosition, 3);
    assert.deepEqual(await headOf(store), head);
  }),
  test('never creates a stream', async ({ store, refuses }) => {
    await refuses(append(store, { records: numbered(1) }), 'NOT_FOUND');
    assert.equal(await store.head(STREAM), null);
  }),
  test('takes many records at once', async ({ store }) => {
    await store.create(STREAM);
    assert.deepEqual(await append(store, { records: numbered(2_500) }), {
      status: 'ok',
      position: 0,
      count: 2_500,
      skipped: 0,
    });
    assert.deepEqual(
      await textsOf(store),
      Array.from({ length: 2_500 }, (_, index) => String(index)),
    );
  }),
  test('keeps streams apart', async ({ store }) => {
    await store.create('a');
    await store.create('b');
    await appended(store, { records: texts('"a"') }, { id: 'a' });
    await appended(store, { records: texts('"b"') }, { id: 'b' });
    assert.deepEqual(await textsOf(store, 'a'), ['"a"']);
    assert.deepEqual(await textsOf(store, 'b'), ['"b"']);
  }),
  test(
    'stamps records with the time of the append',
    async ({ store, clock }) => {
      await store.create(STREAM);
      const first = clock.now();
      await appended(store, { records: numbered(2) });
      clock.advance(250);
      await appended(store, { records: numbered(1) });
      assert.deepEqual(
        (await readAll(store)).map(({ timestamp }) => timestamp - first),
        [0, 0, 250],
      );
    },
    'clock',
  ),
];

const shapes: readonly StoreCase[] = [
  test('stores a plain record as kind, position, data and timestamp', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { records: texts('{"n":1}') });
    const [record] = await readAll(store);
    assert.ok(record && Number.isSafeInteger(record.timestamp));
    assert.deepEqual(record, { kind: 'data', position: 0, data: '{"n":1}', timestamp: record.timestamp });
  }),
  test(
    'stores step and attempt, the attempt being 1 where only a step is given',
    async ({ store }) => {
      await store.create(STREAM);
      await appended(store, {
        records: [
          { data: '1', step: 'draft' },
          { kind: 'data', data: '2', step: 'draft', attempt: 3 },
        ],
      });
      const steps = (await readAll(store)).map((record) => record.kind === 'data' && [record.step, record.attempt]);
      assert.deepEqual(steps, [
        ['draft', 1],
        ['draft', 3],
      ]);
    },
    'steps',
  ),
  test(
    'stores a supersede record at a position of its own',
    async ({ store }) => {
      await store.create(STREAM);
      const records = [
        { data: '1', step: 's', attempt: 1 },
        { kind: 'supersede', step: 's', belowAttempt: 2 },
        { data: '2', step: 's', attempt: 2 },
      ] as const;
      assert.deepEqual(await append(store, { records }), { status: 'ok', position: 0, count: 3, skipped: 0 });
      const record = (await readAll(store))[1];
      assert.ok(record);
      assert.deepEqual(record, {
        kind: 'supersede',
        position: 1,
        timestamp: record.timestamp,
        step: 's',
        belowAttempt: 2,
      });
    },
    'supersede',
    'steps',
  ),
  test(
    'stores a supersede record on a binary stream',
    async ({ store }) => {
      await store.create(STREAM, { contentType: 'application/octet-stream' });
      await appended(store, {
        records: [{ data: new Uint8Array([7]) }, { kind: 'supersede', step: 's', belowAttempt: 2 }],
      });
      assert.deepEqual(
        (await readAll(store)).map(({ kind }) => kind),
        ['data', 'supersede'],
      );
    },
    'supersede',
  ),
  test('keeps what the caller passed, also when the caller changes it afterwards', async ({ store }) => {
    await store.create(STREAM, { contentType: 'application/octet-stream' });
    const data = new Uint8Array([1, 2, 3]);
    const records = [{ data }];
    await appended(store, { records });
    data.fill(9);
    records.push({ data: new Uint8Array([4]) });
    const [record, ...rest] = await readAll(store);
    assert.ok(record?.kind === 'data' && typeof record.data === 'object');
    assert.deepEqual([...record.data], [1, 2, 3]);
    assert.equal(rest.length, 0);
  }),
  test('stores a view of a larger buffer as its own bytes', async ({ store }) => {
    await store.create(STREAM, { contentType: 'application/octet-stream' });
    await appended(store, { records: [{ data: new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 4) }] });
    const [record] = await readAll(store);
    assert.ok(record?.kind === 'data' && typeof record.data === 'object');
    assert.deepEqual([...record.data], [1, 2, 3]);
  }),
];

const ends: readonly StoreCase[] = [
  test('ends the stream together with records', async ({ store }) => {
    await store.create(STREAM);
    const { segments, head } = await store.append(STREAM, { segments: [{ records: numbered(2), end: COMPLETED }] });
    assert.deepEqual(segments, [{ status: 'ok', position: 0, count: 2, skipped: 0 }]);
    assert.deepEqual(head.end, COMPLETED);
    assert.equal(head.nextPosition, 2);
    assert.deepEqual(await headOf(store), head);
  }),
  test('ends the stream without records', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { records: numbered(1) });
    assert.deepEqual(await append(store, { records: [], end: COMPLETED }), {
      status: 'ok',
      position: 1,
      count: 0,
      skipped: 0,
    });
    assert.deepEqual((await headOf(store)).end, COMPLETED);
  }),
  test('refuses records after the end and names the end', async ({ store }) => {
    await store.create(STREAM);
    const end: StreamEnd = { outcome: 'cancelled', reason: 'the user left' };
    await appended(store, { records: numbered(1), end });
    const result = await unchanged(store, () => append(store, { records: numbered(1) }));
    assert.deepEqual(result, { status: 'closed', end });
  }),
  test('keeps the first end', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { records: [], end: COMPLETED });
    const result = await unchanged(store, () => append(store, { records: [], end: { outcome: 'cancelled' } }));
    assert.deepEqual(result, { status: 'closed', end: COMPLETED });
  }),
  test('keeps a public failure', async ({ store }) => {
    const end: StreamEnd = {
      outcome: 'failed',
      error: { code: 'QUOTA', message: 'Too many "tokens"\n\u2028 \u{1f600}', public: true },
    };
    await store.create(STREAM);
    await appended(store, { records: [], end });
    assert.deepEqual((await headOf(store)).end, end);
  }),
  test(
    'keeps a failure with name and stack',
    async ({ store }) => {
      const end: StreamEnd = {
        outcome: 'failed',
        error: { code: 'TIMEOUT', message: 'm', name: 'TimeoutError', stack: 'TimeoutError: m\n  at x' },
      };
      await store.create(STREAM);
      await appended(store, { records: [], end });
      assert.deepEqual((await headOf(store)).end, end);
    },
    'failure-detail',
  ),
  test('keeps a cancellation, with and without a reason', async ({ store }) => {
    await store.create('a');
    await store.create('b');
    await appended(store, { records: [], end: { outcome: 'cancelled', reason: 'stop: \u{1f6d1}' } }, { id: 'a' });
    await appended(store, { records: [], end: { outcome: 'cancelled' } }, { id: 'b' });
    assert.deepEqual((await headOf(store, 'a')).end, { outcome: 'cancelled', reason: 'stop: \u{1f6d1}' });
    assert.deepEqual((await headOf(store, 'b')).end, { outcome: 'cancelled' });
  }),
];

/** Appends without expectations: positions, record shapes, ends. */
export const appendCases: readonly StoreCase[] = [...positions, ...shapes, ...ends];
