import assert from 'node:assert/strict';

import type { AppendSegment, SegmentResult, StreamStore } from '@perennial/core';

import { COMPLETED, headOf, numbered, produced, readAll, STREAM, texts, textsOf, unchanged } from '../helpers.ts';
import { type StoreCase, storeCases } from '../store-case.ts';

const test = storeCases('append segments', 'segments');

async function appendAll(store: StreamStore, ...segments: readonly AppendSegment[]): Promise<readonly SegmentResult[]> {
  return (await store.append(STREAM, { segments })).segments;
}

const sequence: readonly StoreCase[] = [
  test('answers one result per segment and stores them in order', async ({ store }) => {
    await store.create(STREAM);
    assert.deepEqual(
      await appendAll(store, { records: texts('"a"', '"b"') }, { records: texts('"c"') }, { records: texts('"d"') }),
      [
        { status: 'ok', position: 0, count: 2, skipped: 0 },
        { status: 'ok', position: 2, count: 1, skipped: 0 },
        { status: 'ok', position: 3, count: 1, skipped: 0 },
      ],
    );
    assert.deepEqual(await textsOf(store), ['"a"', '"b"', '"c"', '"d"']);
  }),
  test(
    'takes segments of several producers',
    async ({ store }) => {
      await store.create(STREAM);
      const results = await appendAll(store, produced('p', 0, 0, 2), produced('q', 3, 0, 1), {
        records: texts('"plain"'),
      });
      assert.deepEqual(
        results.map(({ status }) => status),
        ['ok', 'ok', 'ok'],
      );
      const writers = (await readAll(store)).map(
        (record) => record.producer && `${record.producer.id}${record.producer.epoch}.${record.producer.seq}`,
      );
      assert.deepEqual(writers, ['p0.0', 'p0.1', 'q3.0', undefined]);
    },
    'record-sequences',
  ),
  test(
    'lets a second segment of a producer continue the first',
    async ({ store }) => {
      await store.create(STREAM);
      assert.deepEqual(
        await appendAll(store, produced('p', 0, 0, 2), { records: texts('"x"') }, produced('p', 0, 2, 1)),
        [
          { status: 'ok', position: 0, count: 2, skipped: 0 },
          { status: 'ok', position: 2, count: 1, skipped: 0 },
          { status: 'ok', position: 3, count: 1, skipped: 0 },
        ],
      );
    },
    'record-sequences',
  ),
  test(
    'recognises a segment that repeats an earlier one of the same append',
    async ({ store }) => {
      await store.create(STREAM);
      assert.deepEqual(await appendAll(store, produced('p', 0, 0, 2), produced('p', 0, 0, 2), produced('p', 0, 1, 3)), [
        { status: 'ok', position: 0, count: 2, skipped: 0 },
        { status: 'duplicate', nextSeq: 2 },
        { status: 'ok', position: 2, count: 2, skipped: 1 },
      ]);
    },
    'record-sequences',
  ),
  test('lets a later segment enter a new epoch, after which the old one is stale', async ({ store }) => {
    await store.create(STREAM);
    assert.deepEqual(await appendAll(store, produced('p', 0, 0, 1), produced('p', 1, 0, 1), produced('p', 0, 1, 1)), [
      { status: 'ok', position: 0, count: 1, skipped: 0 },
      { status: 'ok', position: 1, count: 1, skipped: 0 },
      { status: 'stale-epoch', epoch: 1 },
    ]);
  }),
  test(
    'mixes numbered records and whole segments of one producer',
    async ({ store }) => {
      await store.create(STREAM);
      const results = await appendAll(
        store,
        produced('p', 0, 0, 2),
        { ...produced('p', 0, 2, 3), sequencing: 'segment' },
        produced('p', 0, 3, 1),
      );
      assert.deepEqual(
        results.map(({ status }) => status),
        ['ok', 'ok', 'ok'],
      );
      assert.deepEqual(
        (await readAll(store)).map((record) => record.producer?.seq),
        [0, 1, 2, 2, 2, 3],
      );
    },
    'record-sequences',
  ),
];

const refusals: readonly StoreCase[] = [
  test('stores the other segments when one is refused', async ({ store }) => {
    await store.create(STREAM);
    assert.deepEqual(
      await appendAll(store, { records: texts('"a"') }, produced('p', 0, 4, 1), { records: texts('"b"') }),
      [
        { status: 'ok', position: 0, count: 1, skipped: 0 },
        { status: 'gap', expectedSeq: 0 },
        { status: 'ok', position: 1, count: 1, skipped: 0 },
      ],
    );
    assert.deepEqual(await textsOf(store), ['"a"', '"b"']);
  }),
  test('refuses what follows a refused segment of the same producer', async ({ store }) => {
    await store.create(STREAM);
    const refused = { ...produced('p', 0, 0, 1), contentType: 'text/plain' };
    assert.deepEqual(await unchanged(store, () => appendAll(store, refused, produced('p', 0, 1, 1))), [
      { status: 'content-type', contentType: 'application/json' },
      { status: 'gap', expectedSeq: 0 },
    ]);
  }),
  test(
    'refuses a segment behind one that ends the stream, save a duplicate',
    async ({ store }) => {
      await store.create(STREAM);
      const closing = { ...produced('p', 0, 0, 1), end: COMPLETED };
      assert.deepEqual(
        await appendAll(store, closing, { records: texts('"late"') }, produced('p', 0, 0, 1), {
          records: [],
          end: { outcome: 'cancelled' },
        }),
        [
          { status: 'ok', position: 0, count: 1, skipped: 0 },
          { status: 'closed', end: COMPLETED },
          { status: 'duplicate', nextSeq: 2 },
          { status: 'closed', end: COMPLETED },
        ],
      );
      assert.deepEqual(await textsOf(store), ['0']);
      assert.deepEqual((await headOf(store)).end, COMPLETED);
    },
    'record-sequences',
  ),
  test('counts earlier segments of the same append into the expected position', async ({ store }) => {
    await store.create(STREAM);
    assert.deepEqual(
      await appendAll(
        store,
        { records: numbered(2), expectedPosition: 0 },
        { records: numbered(1), expectedPosition: 0 },
        { records: numbered(1), expectedPosition: 2 },
      ),
      [
        { status: 'ok', position: 0, count: 2, skipped: 0 },
        { status: 'conflict', nextPosition: 2 },
        { status: 'ok', position: 2, count: 1, skipped: 0 },
      ],
    );
  }),
  test('compares stream sequences with those of earlier segments of the same append', async ({ store }) => {
    await store.create(STREAM);
    const segment = (streamSeq: string): AppendSegment => ({ records: numbered(1), streamSeq });
    const results = await appendAll(store, segment('b'), segment('a'), segment('c'));
    assert.deepEqual(
      results.map(({ status }) => status),
      ['ok', 'regression', 'ok'],
    );
    assert.deepEqual(await appendAll(store, segment('c')), [{ status: 'regression', streamSeq: 'c' }]);
  }),
  test(
    'a repeated append of several segments changes nothing',
    async ({ store }) => {
      await store.create(STREAM);
      const segments = [produced('p', 0, 0, 2), produced('q', 0, 0, 1), { ...produced('p', 0, 2, 1), end: COMPLETED }];
      await appendAll(store, ...segments);
      const results = await unchanged(store, () => appendAll(store, ...segments));
      assert.deepEqual(results, [
        { status: 'duplicate', nextSeq: 4 },
        { status: 'duplicate', nextSeq: 1 },
        { status: 'duplicate', nextSeq: 4 },
      ]);
    },
    'record-sequences',
  ),
  test(
    'refuses all segments of a fenced append',
    async ({ store, refuses }) => {
      await store.create(STREAM, { token: 2 });
      await unchanged(store, () =>
        refuses(
          store.append(STREAM, { segments: [{ records: numbered(1) }, produced('p', 0, 0, 1)], token: 1 }),
          'FENCED',
        ),
      );
    },
    'fencing',
  ),
];

/** Several segments in one append: each is decided on the log that the ones before it leave. */
export const segmentCases: readonly StoreCase[] = [...sequence, ...refusals];
