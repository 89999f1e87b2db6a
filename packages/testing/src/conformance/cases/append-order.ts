import assert from 'node:assert/strict';

import type { AppendSegment, SegmentResult, StreamStore } from '@perennial/core';

import { append, COMPLETED, numbered, STREAM, unchanged } from '../helpers.ts';
import { type StoreCase, storeCases } from '../store-case.ts';
import type { StoreFeature } from '../store-target.ts';

const test = storeCases('append check order');

/** The checks, in the order in which the first to fail is reported. */
const CHECKS = [
  'fenced',
  'stale-epoch',
  'duplicate',
  'closed',
  'content-type',
  'gap',
  'regression',
  'conflict',
] as const;
type Check = (typeof CHECKS)[number];

/** A stream on which every check can be made to fail: token 5 unless fencing is left out, producer `p` at epoch 3 and sequence 2. */
async function prepare(store: StreamStore, violated: ReadonlySet<Check>): Promise<void> {
  const token = violated.has('fenced') ? { token: 5 } : {};
  await store.create(STREAM, token);
  const records = numbered(2);
  const producer = { id: 'p', epoch: 3, seq: 0 };
  await store.append(STREAM, {
    segments: [{ records: records.slice(0, 1), producer, streamSeq: 'm', sequencing: 'segment' }],
    ...token,
  });
  const second = { records: records.slice(1), producer: { ...producer, seq: 1 }, sequencing: 'segment' } as const;
  await store.append(STREAM, { segments: [second], ...token });
  if (violated.has('closed')) await store.append(STREAM, { segments: [{ records: [], end: COMPLETED }], ...token });
}

/** A segment that violates exactly these checks. */
function violating(violated: ReadonlySet<Check>): AppendSegment {
  const seq = violated.has('duplicate') ? 1 : violated.has('gap') ? 7 : 2;
  return {
    records: numbered(1),
    sequencing: 'segment',
    producer: { id: 'p', epoch: violated.has('stale-epoch') ? 2 : 3, seq },
    contentType: violated.has('content-type') ? 'text/plain' : 'application/json',
    streamSeq: violated.has('regression') ? 'a' : 'z',
    expectedPosition: violated.has('conflict') ? 99 : 2,
  };
}

const EXPECTED: Readonly<Record<Exclude<Check, 'fenced'>, SegmentResult>> = {
  'stale-epoch': { status: 'stale-epoch', epoch: 3 },
  duplicate: { status: 'duplicate', nextSeq: 2 },
  closed: { status: 'closed', end: COMPLETED },
  'content-type': { status: 'content-type', contentType: 'application/json' },
  gap: { status: 'gap', expectedSeq: 2 },
  regression: { status: 'regression', streamSeq: 'm' },
  conflict: { status: 'conflict', nextPosition: 2 },
};

function orderCase(name: string, winner: Check, violated: ReadonlySet<Check>): StoreCase {
  const needs: readonly StoreFeature[] = violated.has('fenced') ? ['fencing'] : [];
  return test(
    name,
    async ({ store, refuses }) => {
      await prepare(store, violated);
      const request = violated.has('fenced') ? { token: 4 } : {};
      const segment = violating(violated);
      await unchanged(store, async () => {
        if (winner === 'fenced') await refuses(append(store, segment, request), 'FENCED');
        else assert.deepEqual(await append(store, segment, request), EXPECTED[winner]);
      });
    },
    ...needs,
  );
}

/** A repeated sequence cannot be ahead of the producer at the same time. */
const impossible = (first: Check, second: Check): boolean => first === 'duplicate' && second === 'gap';

const pairs = CHECKS.flatMap((winner, index) =>
  CHECKS.slice(index + 1)
    .filter((loser) => !impossible(winner, loser))
    .map((loser) => orderCase(`${winner} is reported before ${loser}`, winner, new Set([winner, loser]))),
);

const chains = CHECKS.map((winner, index) =>
  orderCase(
    `${winner} is reported when it and all later checks fail`,
    winner,
    new Set(CHECKS.slice(index).filter((check) => !impossible(winner, check))),
  ),
);

/** Which refusal is reported when several apply: fence, epoch, duplicate, closed, content type, gap, stream sequence, position. */
export const appendOrderCases: readonly StoreCase[] = [
  ...pairs,
  ...chains,
  test('a segment that violates nothing is stored', async ({ store }) => {
    await prepare(store, new Set());
    assert.deepEqual(await append(store, violating(new Set())), { status: 'ok', position: 2, count: 1, skipped: 0 });
  }),
];
