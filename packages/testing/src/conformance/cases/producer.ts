import assert from 'node:assert/strict';

import type { StreamRecord } from '@perennial/core';

import {
  append,
  appended,
  COMPLETED,
  headOf,
  numbered,
  produced,
  producer,
  readAll,
  STREAM,
  textsOf,
  unchanged,
} from '../helpers.ts';
import { type StoreCase, storeCases } from '../store-case.ts';

const test = storeCases('producers');
const stamps = (records: readonly StreamRecord[]): readonly unknown[] => records.map((record) => record.producer);

const basics: readonly StoreCase[] = [
  test(
    'stamps records with producer, epoch and sequence',
    async ({ store }) => {
      await store.create(STREAM);
      await appended(store, produced('p', 0, 0, 2));
      await appended(store, produced('p', 0, 2, 1));
      assert.deepEqual(
        stamps(await readAll(store)),
        [0, 1, 2].map((seq) => ({ id: 'p', epoch: 0, seq })),
      );
    },
    'record-sequences',
  ),
  test('stamps every record of a whole segment with its one sequence', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { ...produced('p', 0, 0, 3), sequencing: 'segment' });
    await appended(store, { ...produced('p', 0, 1, 1), sequencing: 'segment' });
    assert.deepEqual(
      stamps(await readAll(store)),
      [0, 0, 0, 1].map((seq) => ({ id: 'p', epoch: 0, seq })),
    );
  }),
  test(
    'knows what a producer may send next',
    async ({ store }) => {
      await store.create(STREAM);
      assert.equal(await store.producer(STREAM, 'p'), null);
      await appended(store, produced('p', 4, 0, 3));
      assert.deepEqual(await store.producer(STREAM, 'p'), { epoch: 4, nextSeq: 3 });
      assert.equal(await store.producer(STREAM, 'q'), null);
    },
    'producer',
    'record-sequences',
  ),
  test(
    'knows producers of existing streams only',
    async ({ store, refuses }) => {
      await refuses(store.producer(STREAM, 'p'), 'NOT_FOUND');
    },
    'producer',
  ),
  test('keeps producers of one stream apart', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { ...produced('p', 2, 0, 1), sequencing: 'segment' });
    await appended(store, { ...produced('q', 0, 0, 1), sequencing: 'segment' });
    await appended(store, { ...produced('P', 0, 0, 1), sequencing: 'segment' });
    await appended(store, { ...produced('p', 2, 1, 1), sequencing: 'segment' });
    assert.equal((await headOf(store)).nextPosition, 4);
  }),
  test('keeps a producer of two streams apart', async ({ store }) => {
    for (const id of ['a', 'b']) {
      await store.create(id);
      await appended(store, { ...produced('p', 0, 0, 1), sequencing: 'segment' }, { id });
    }
    assert.deepEqual(await append(store, { ...produced('p', 0, 0, 1), sequencing: 'segment' }, { id: 'b' }), {
      status: 'duplicate',
      nextSeq: 1,
    });
  }),
  test('keeps apart producers whose ids look like properties', async ({ store }) => {
    await store.create(STREAM);
    const ids = [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'a:b',
      'a',
      ':b',
      '0',
      '\u0000',
      '\u{1f600}',
      ' ',
      'x'.repeat(500),
    ];
    for (const id of ids)
      assert.equal(
        (await append(store, { ...produced(id, 1, 0, 1), sequencing: 'segment' })).status,
        'ok',
        JSON.stringify(id),
      );
    for (const id of ids) {
      assert.deepEqual(
        await append(store, { ...produced(id, 0, 0, 1), sequencing: 'segment' }),
        { status: 'stale-epoch', epoch: 1 },
        JSON.stringify(id),
      );
    }
  }),
];

const duplicates: readonly StoreCase[] = [
  test('recognises a repeated segment and stores it once', async ({ store }) => {
    await store.create(STREAM);
    const segment = { records: numbered(2), producer: producer('p', 0, 0), sequencing: 'segment' } as const;
    await appended(store, segment);
    assert.deepEqual(await unchanged(store, () => append(store, segment)), { status: 'duplicate', nextSeq: 1 });
  }),
  test(
    'recognises repeated records and stores them once',
    async ({ store }) => {
      await store.create(STREAM);
      await appended(store, produced('p', 0, 0, 5));
      for (const [seq, count] of [
        [0, 5],
        [0, 1],
        [2, 2],
        [4, 1],
      ] as const) {
        assert.deepEqual(await unchanged(store, () => append(store, produced('p', 0, seq, count))), {
          status: 'duplicate',
          nextSeq: 5,
        });
      }
    },
    'record-sequences',
  ),
  test(
    'skips the part that is stored and appends the rest',
    async ({ store }) => {
      await store.create(STREAM);
      await appended(store, produced('p', 0, 0, 2));
      await appended(store, { records: [{ data: '"other"' }] });
      assert.deepEqual(await append(store, produced('p', 0, 0, 5)), {
        status: 'ok',
        position: 3,
        count: 3,
        skipped: 2,
      });
      assert.deepEqual(await append(store, produced('p', 0, 4, 2)), {
        status: 'ok',
        position: 6,
        count: 1,
        skipped: 1,
      });
      assert.deepEqual(await textsOf(store), ['0', '1', '"other"', '2', '3', '4', '5']);
    },
    'record-sequences',
  ),
  test(
    'stores the same log however a replay moves the flush boundaries',
    async ({ store }) => {
      const total = 6;
      for (let first = 0; first < 1 << (total - 1); first += 5) {
        for (let second = 0; second < 1 << (total - 1); second += 7) {
          const id = `s/${first}/${second}`;
          await store.create(id);
          for (const [seq, count] of [...flushes(first, total), ...flushes(second, total)])
            await append(store, produced('p', 0, seq, count), { id });
          assert.deepEqual(await textsOf(store, id), ['0', '1', '2', '3', '4', '5']);
        }
      }
    },
    'record-sequences',
  ),
  test(
    'recognises a repeated end',
    async ({ store }) => {
      await store.create(STREAM);
      const segment = { ...produced('p', 0, 0, 2), end: COMPLETED };
      await appended(store, segment);
      assert.deepEqual(await unchanged(store, () => append(store, segment)), { status: 'duplicate', nextSeq: 3 });
    },
    'record-sequences',
  ),
  test('recognises a repeated end of a whole segment', async ({ store }) => {
    await store.create(STREAM);
    const segment = { ...produced('p', 0, 0, 2), sequencing: 'segment', end: COMPLETED } as const;
    await appended(store, segment);
    assert.deepEqual(await unchanged(store, () => append(store, segment)), { status: 'duplicate', nextSeq: 1 });
  }),
  test(
    'ends a stream whose last records were stored before',
    async ({ store }) => {
      await store.create(STREAM);
      await appended(store, produced('p', 0, 0, 2));
      assert.deepEqual(await append(store, { ...produced('p', 0, 0, 2), end: COMPLETED }), {
        status: 'ok',
        position: 2,
        count: 0,
        skipped: 2,
      });
      assert.deepEqual((await headOf(store)).end, COMPLETED);
      assert.deepEqual(await textsOf(store), ['0', '1']);
    },
    'record-sequences',
  ),
  test(
    'lets an end take a sequence of its own',
    async ({ store }) => {
      await store.create(STREAM);
      await appended(store, produced('p', 0, 0, 2));
      const end = { records: [], end: COMPLETED, producer: producer('p', 0, 2) };
      assert.deepEqual(await append(store, end), { status: 'ok', position: 2, count: 0, skipped: 0 });
      assert.deepEqual(await append(store, end), { status: 'duplicate', nextSeq: 3 });
    },
    'record-sequences',
  ),
];

const gaps: readonly StoreCase[] = [
  test('refuses a gap and names the sequence expected', async ({ store }) => {
    await store.create(STREAM);
    assert.deepEqual(await unchanged(store, () => append(store, produced('p', 0, 1, 1))), {
      status: 'gap',
      expectedSeq: 0,
    });
    await appended(store, { ...produced('p', 0, 0, 2), sequencing: 'segment' });
    assert.deepEqual(await unchanged(store, () => append(store, produced('p', 0, 2, 1))), {
      status: 'gap',
      expectedSeq: 1,
    });
  }),
  test(
    'a refused gap does not make a producer known',
    async ({ store }) => {
      await store.create(STREAM);
      await append(store, produced('p', 3, 1, 1));
      assert.equal(await store.producer(STREAM, 'p'), null);
    },
    'producer',
  ),
];

const epochs: readonly StoreCase[] = [
  test('starts a new epoch at sequence 0, whatever its number', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { ...produced('p', 0, 0, 1), sequencing: 'segment' });
    await appended(store, { ...produced('p', 7, 0, 1), sequencing: 'segment' });
    assert.deepEqual(await append(store, { ...produced('p', 7, 1, 1), sequencing: 'segment' }), {
      status: 'ok',
      position: 2,
      count: 1,
      skipped: 0,
    });
  }),
  test('refuses an overtaken epoch and names the current one', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { ...produced('p', 1, 0, 1), sequencing: 'segment' });
    await appended(store, { ...produced('p', 2, 0, 1), sequencing: 'segment' });
    for (const seq of [0, 1, 5]) {
      assert.deepEqual(await unchanged(store, () => append(store, produced('p', 1, seq, 1))), {
        status: 'stale-epoch',
        epoch: 2,
      });
    }
  }),
  test('refuses a new epoch that does not start at 0, and does not enter it', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { ...produced('p', 0, 0, 1), sequencing: 'segment' });
    assert.deepEqual(await unchanged(store, () => append(store, produced('p', 1, 1, 1))), {
      status: 'gap',
      expectedSeq: 0,
    });
    await appended(store, { ...produced('p', 0, 1, 1), sequencing: 'segment' });
  }),
  test('does not enter the epoch of a refused append', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { ...produced('p', 0, 0, 1), sequencing: 'segment' });
    assert.equal((await append(store, { ...produced('p', 9, 0, 1), expectedPosition: 5 })).status, 'conflict');
    await appended(store, { ...produced('p', 0, 1, 1), sequencing: 'segment' });
  }),
  test('accepts the largest epoch', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { ...produced('p', Number.MAX_SAFE_INTEGER, 0, 1), sequencing: 'segment' });
    assert.deepEqual(await append(store, produced('p', 1, 0, 1)), {
      status: 'stale-epoch',
      epoch: Number.MAX_SAFE_INTEGER,
    });
  }),
];

/** The flushes `[first sequence, count]` of `total` records that are cut wherever `mask` has a bit. */
function flushes(mask: number, total: number): readonly (readonly [number, number])[] {
  const cuts = [
    0,
    ...Array.from({ length: total - 1 }, (_, bit) => (mask & (1 << bit) ? bit + 1 : 0)).filter(Boolean),
    total,
  ];
  return cuts.slice(1).map((cut, index) => [cuts[index] ?? 0, cut - (cuts[index] ?? 0)] as const);
}

/** Idempotent producers: sequences, epochs, duplicates, gaps. */
export const producerCases: readonly StoreCase[] = [...basics, ...duplicates, ...gaps, ...epochs];
