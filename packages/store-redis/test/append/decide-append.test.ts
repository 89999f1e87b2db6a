/**
 * The append script against the rules it mirrors: random requests go to Redis, in bursts that the store joins into one script, and to the
 * memory store, which calls `decideAppend`. Results, heads and records have to be the same.
 *
 * They go to Redis twice. A store that is to retain so many records that it never drops one takes the general way of the script each time;
 * where the other takes the usual way, the keys have to have the same content, byte by byte.
 */
import { type AppendRequest, type AppendResult, createMemoryStreamStore, type StreamStore } from '@perennial/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { RedisStreamStoreOptions } from '../../src/index.ts';
import { createKeyNames } from '../../src/keys.ts';
import { countingPort } from '../support/answers.ts';
import { singleServer } from '../support/single-server.ts';

const redis = singleServer();
const RUNS = 1_000;
const MAX = Number.MAX_SAFE_INTEGER;
const OTHER_PRODUCERS = ['q', '__proto__', 'p:1', ''.padEnd(70, '\u20ac')];

/** Absent in most cases: what is expected of an append seldom holds. */
const seldom = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const sometimes = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const often = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 1, arbitrary: fc.constant(undefined) }, { weight: 3, arbitrary });
const small = (max: number): fc.Arbitrary<number> => fc.nat({ max });
const payload = (bytes: boolean): fc.Arbitrary<string | Uint8Array> =>
  bytes
    ? fc.constantFrom(new Uint8Array(), new Uint8Array([10, 59, 0, 255]), new Uint8Array([49]))
    : fc.constantFrom('1', '"T2"', '2,64', '"\ufffd"', '"a;b\u20ac"', '{"p":"x"}');
const step = fc.constantFrom('s', 's;"\n', 't');

const record = (bytes: boolean): fc.Arbitrary<object> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ data: payload(bytes) }) },
    { weight: 2, arbitrary: fc.record({ data: payload(bytes), step, attempt: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('supersede'), step, belowAttempt: small(3) }) },
    { weight: 1, arbitrary: fc.record({ data: payload(!bytes) }) },
  );

const producer = fc.record({
  id: fc.oneof(
    { weight: 8, arbitrary: fc.constant('p') },
    { weight: 1, arbitrary: fc.constantFrom(...OTHER_PRODUCERS) },
  ),
  epoch: fc.oneof(
    { weight: 12, arbitrary: fc.constant(1) },
    { weight: 2, arbitrary: small(2) },
    { weight: 1, arbitrary: fc.constant(MAX) },
  ),
  seq: fc.oneof({ weight: 24, arbitrary: small(4) }, { weight: 1, arbitrary: fc.constantFrom(MAX - 1, MAX) }),
});

const end = fc.constantFrom(
  { outcome: 'completed' },
  { outcome: 'cancelled', reason: 'r;\n"' },
  { outcome: 'failed', error: { code: 'C', message: 'm'.repeat(80) } },
);

const segment = (bytes: boolean): fc.Arbitrary<object> =>
  fc
    .record({
      records: fc.array(record(bytes), { maxLength: 4 }),
      producer: often(producer),
      sequencing: seldom(fc.constantFrom('record', 'segment')),
      end: seldom(end),
      contentType: seldom(fc.constantFrom('application/json', 'Application/JSON; charset=utf-8', 'text/plain')),
      expectedPosition: seldom(small(8)),
      streamSeq: sometimes(fc.constantFrom('', 'a', 'aa', 'b', '\u{1f600}', '\uff5e', '9', '10')),
    })
    .filter(({ records, end: ending }) => records.length > 0 || ending !== undefined)
    .map((fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)));

/** Segments that only append are joined, so they have to be frequent. */
const plainSegment = (bytes: boolean): fc.Arbitrary<object> =>
  fc.record({ records: fc.array(fc.record({ data: payload(bytes) }), { minLength: 1, maxLength: 3 }) });

/** What a writer sends again after a lost answer, with other boundaries. */
const replayedSegment = (bytes: boolean): fc.Arbitrary<object> =>
  fc.record({
    records: fc.array(fc.record({ data: payload(bytes) }), { minLength: 1, maxLength: 5 }),
    producer: fc.record({ id: fc.constant('p'), epoch: fc.constant(1), seq: small(3) }),
  });

/** What an application sends that numbers its appends: a stream sequence is refused too rarely where much else can be. */
const sequencedSegment = (bytes: boolean): fc.Arbitrary<object> =>
  fc.record({ records: fc.tuple(fc.record({ data: payload(bytes) })), streamSeq: fc.constantFrom('a', 'aa', 'b') });

const request = (bytes: boolean): fc.Arbitrary<AppendRequest> =>
  fc
    .record({
      segments: fc.oneof(
        { weight: 3, arbitrary: fc.array(segment(bytes), { minLength: 1, maxLength: 3 }) },
        { weight: 2, arbitrary: fc.tuple(plainSegment(bytes)) },
        { weight: 1, arbitrary: fc.tuple(replayedSegment(bytes)) },
        { weight: 1, arbitrary: fc.tuple(sequencedSegment(bytes)) },
      ),
      token: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: small(2) }),
    })
    // The generator knows the shapes, the type checker does not.
    .map(({ segments, token }) => ({ segments, token }) as unknown as AppendRequest);

/** What a writer that does not wait sends: appends that go on where the one before stopped, which are joined; some of it stored before. */
const runOfProducer = (bytes: boolean): fc.Arbitrary<AppendRequest[]> =>
  fc
    .record({
      id: fc.constantFrom('p', 'q'),
      epoch: fc.constantFrom(0, 1),
      seq: small(6),
      sizes: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 6 }),
      data: fc.oneof({ weight: 5, arbitrary: payload(bytes) }, { weight: 1, arbitrary: payload(!bytes) }),
      token: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: small(2) }),
    })
    .map(({ id, epoch, seq, sizes, data, token }) => {
      let next = seq;
      return sizes.map((size) => {
        const producer = { id, epoch, seq: next };
        next += size;
        return { token, segments: [{ producer, records: Array.from({ length: size }, () => ({ data })) }] };
      });
    });

/** What a writer sends again after its stream has ended. */
const sentAgainAfterEnd = (bytes: boolean): fc.Arbitrary<AppendRequest[]> =>
  fc
    .tuple(runOfProducer(bytes), end)
    .map(([run, given]) => [...run, { token: 1, segments: [{ records: [], end: given }] }, ...run]);

const anyProgram = fc.boolean().chain((bytes) =>
  fc.record({
    contentType: fc.constant(bytes ? 'application/octet-stream' : 'application/json'),
    token: fc.constantFrom(0, 1),
    leaseMs: seldom(fc.constant(60_000)),
    bursts: fc.array(
      fc.oneof(
        { weight: 9, arbitrary: fc.array(request(bytes), { minLength: 1, maxLength: 5 }) },
        { weight: 6, arbitrary: runOfProducer(bytes) },
        { weight: 1, arbitrary: sentAgainAfterEnd(bytes) },
        {
          weight: 3,
          arbitrary: fc.tuple(request(bytes), runOfProducer(bytes)).map(([one, run]) => [one, ...run]),
        },
      ),
      { minLength: 1, maxLength: 5 },
    ),
  }),
);

/** What a writer sends that waits for each answer: appends of JSON that go on where its producer stopped, but for a slip now and then. */
const awaitedProgram = fc
  .record({
    token: fc.constantFrom(0, 1),
    leaseMs: sometimes(fc.constant(60_000)),
    appends: fc.array(
      fc.record({
        data: fc.array(payload(false), { minLength: 1, maxLength: 3 }),
        id: fc.constantFrom(undefined, 'p', 'q'),
        slip: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(-1, 1) }),
        tokenSlip: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  })
  .map(({ token, leaseMs, appends }) => {
    const sent: Record<string, number> = { p: 0, q: 0 };
    const bursts = appends.map(({ data, id, slip, tokenSlip }): AppendRequest[] => {
      const records = data.map((text) => ({ data: text }));
      const one = { token: token + tokenSlip };
      if (id === undefined) return [{ ...one, segments: [{ records }] }];
      const seq = Math.max(0, (sent[id] ?? 0) + slip);
      sent[id] = seq + records.length;
      return [{ ...one, segments: [{ records, producer: { id, epoch: 1, seq } }] }];
    });
    return { contentType: 'application/json', token, leaseMs, bursts };
  });

const program = fc.oneof({ weight: 5, arbitrary: anyProgram }, { weight: 1, arbitrary: awaitedProgram });

const outcomeOf = (result: PromiseSettledResult<{ readonly segments: unknown }>): unknown =>
  result.status === 'fulfilled' ? result.value.segments : [result.reason.code, result.reason.message];

const KINDS = [
  'ok',
  'partly stored',
  'duplicate',
  'duplicate of an ended stream',
  'stale-epoch',
  'closed',
  'content-type',
  'gap',
  'regression',
  'conflict',
  'FENCED',
];

/** What kinds of results there are in an answer. */
function kindsOf(result: PromiseSettledResult<AppendResult>): readonly string[] {
  if (result.status === 'rejected') return [result.reason.code];
  const { segments, head } = result.value;
  return segments.map((segment) => {
    if (segment.status === 'ok' && segment.skipped > 0) return 'partly stored';
    return segment.status === 'duplicate' && head.end ? 'duplicate of an ended stream' : segment.status;
  });
}

async function recordsOf(store: StreamStore, id: string): Promise<unknown> {
  const { records, head } = await store.read(id, { from: 0 });
  const { incarnation, ...rest } = head;
  expect(incarnation).not.toBe('');
  return { records, head: rest };
}

/** What lies in Redis of a stream. */
async function contentOf(prefix: string, id: string): Promise<unknown> {
  const { meta, log } = createKeyNames(prefix).of(id);
  return Promise.all([redis.admin.hgetallBuffer(meta), redis.admin.xrangeBuffer(log, '-', '+')]);
}

test('the script decides like decideAppend, in the usual and in the general way', async () => {
  const seen = new Map<unknown, number>();
  let runs = 0;
  const now = (): number => 1_764_000_000_000 + runs;
  const { port, answers } = countingPort(redis.admin);
  const open = (prefix: string, options: Partial<RedisStreamStoreOptions>): StreamStore =>
    redis.open({ prefix, now, randomId: () => `incarnation-${runs}`, ...options });
  const ours = open('usual', { client: port });
  const general = open('general', { maxRecords: MAX });
  const reference = createMemoryStreamStore({ now });
  await fc.assert(
    fc.asyncProperty(program, async ({ contentType, token, leaseMs, bursts }) => {
      const id = `run/${runs++}`;
      for (const store of [ours, general, reference])
        await store.create(id, { contentType, token, ...(leaseMs !== undefined && { leaseMs }) });
      for (const burst of bursts) {
        const expected = await Promise.allSettled(burst.map((one) => reference.append(id, one)));
        for (const store of [ours, general]) {
          const actual = await Promise.allSettled(burst.map((one) => store.append(id, one)));
          expect(actual.map(outcomeOf)).toEqual(expected.map(outcomeOf));
        }
        for (const kind of expected.flatMap(kindsOf)) seen.set(kind, (seen.get(kind) ?? 0) + 1);
        expect(await recordsOf(ours, id)).toEqual(await recordsOf(reference, id));
        expect(await contentOf('usual', id)).toEqual(await contentOf('general', id));
      }
      for (const name of ['p', ...OTHER_PRODUCERS])
        expect(await ours.producer(id, name)).toEqual(await reference.producer(id, name));
    }),
    { numRuns: RUNS },
  );
  // The comparison is worth as much as the cases it met.
  expect(KINDS.filter((kind) => (seen.get(kind) ?? 0) < 20)).toEqual([]);
  expect(Object.entries(answers).filter(([, count]) => count < 20)).toEqual([]);
}, 60_000);

test('equal records of one append stay apart', async () => {
  const store = redis.open();
  await store.create('equal');
  const record = { kind: 'supersede', step: 't', belowAttempt: 3 } as const;
  await store.append('equal', {
    segments: [{ records: [record, record] }, { records: [{ data: '1' }, { data: '1' }] }],
  });
  const { records, head } = await store.read('equal', { from: 0 });
  expect(records.map(({ position, kind }) => [position, kind])).toEqual([
    [0, 'supersede'],
    [1, 'supersede'],
    [2, 'data'],
    [3, 'data'],
  ]);
  expect(head.nextPosition).toBe(4);
});
