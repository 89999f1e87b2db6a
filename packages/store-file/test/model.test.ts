import {
  type AppendSegment,
  createMemoryStreamStore,
  isStreamError,
  type Mark,
  type StreamEnd,
  type StreamStore,
} from '@perennial/core';
import { createManualClock } from '@perennial/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createFileStreamStore } from '../src/index.ts';
import { createFaultFs, errno, type FsCall, pass } from './fault-fs.ts';
import { readAll } from './helpers.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** One step of a random program. */
type Step =
  | { readonly kind: 'call'; readonly run: (store: StreamStore) => Promise<unknown>; readonly text: string }
  | { readonly kind: 'calls'; readonly run: readonly ((store: StreamStore) => Promise<unknown>)[] }
  | { readonly kind: 'reopen' }
  | { readonly kind: 'advance'; readonly ms: number }
  /** The n-th call of one of these names from now on fails. */
  | { readonly kind: 'fault'; readonly names: readonly string[]; readonly after: number; readonly code: string };

const REFUSED: ReadonlySet<string> = new Set(['STORE_ERROR', 'STORE_FULL']);
const IDS = ['a', 'b', 'c'] as const;
const id = fc.constantFrom(...IDS);
const end: fc.Arbitrary<StreamEnd> = fc.constantFrom<StreamEnd>(
  { outcome: 'completed' },
  { outcome: 'cancelled', reason: 'r' },
  { outcome: 'failed', error: { code: 'X', message: 'm' } },
);
const segment: fc.Arbitrary<AppendSegment> = fc
  .record({
    count: fc.integer({ min: 1, max: 4 }),
    size: fc.constantFrom(0, 10, 5_000),
    producer: fc.option(fc.record({ id: fc.constantFrom('p', 'q'), epoch: fc.constantFrom(0, 0, 1), seq: fc.nat(6) })),
    end: fc.option(end, { freq: 12 }),
    expectedPosition: fc.option(fc.nat(5), { freq: 5 }),
    streamSeq: fc.option(fc.constantFrom('a', 'b', 'c'), { freq: 5 }),
    whole: fc.boolean(),
    step: fc.option(fc.constantFrom('s', 't'), { freq: 4 }),
  })
  .map(({ count, size, producer, end: last, expectedPosition, streamSeq, whole, step }) => ({
    records: Array.from({ length: count }, (_, n) => ({
      data: JSON.stringify(`${n}${'x'.repeat(size)}`),
      ...(step && { step, attempt: n + 1 }),
    })),
    ...(producer && { producer }),
    ...(last && { end: last }),
    ...(expectedPosition !== null && { expectedPosition }),
    ...(streamSeq !== null && { streamSeq }),
    ...(whole && { sequencing: 'segment' as const }),
  }));
const append = fc.tuple(id, fc.array(segment, { minLength: 1, maxLength: 3 }), fc.option(fc.nat(3), { freq: 3 })).map(
  ([stream, segments, token]) =>
    (store: StreamStore) =>
      store.append(stream, { segments, ...(token !== null && { token }) }),
);
const mark: fc.Arbitrary<Mark> = fc.oneof(
  fc.record({ type: fc.constant('cancel' as const) }),
  fc.record({ type: fc.constant('lease' as const), token: fc.nat(3) }),
  fc.record({ type: fc.constant('lease' as const), token: fc.nat(3), durationMs: fc.constantFrom(100, 200, null) }),
  fc.record({ type: fc.constant('fence' as const), token: fc.nat(3), nonce: fc.constantFrom('m', 'n') }),
);
const create = fc
  .record({
    leaseMs: fc.option(fc.constant(500)),
    token: fc.option(fc.nat(2)),
    ttlMs: fc.option(fc.constant(1_000), { freq: 5 }),
  })
  .map(({ leaseMs, token, ttlMs }) => ({
    ...(leaseMs !== null && { leaseMs }),
    ...(token !== null && { token }),
    ...(ttlMs !== null && { ttlMs }),
  }));

const call = fc
  .oneof(
    { weight: 8, arbitrary: append },
    {
      weight: 3,
      arbitrary: fc.tuple(id, create).map(
        ([stream, options]) =>
          (store: StreamStore) =>
            store.create(stream, options),
      ),
    },
    {
      weight: 3,
      arbitrary: fc.tuple(id, mark).map(
        ([stream, what]) =>
          (store: StreamStore) =>
            store.mark(stream, what),
      ),
    },
    { weight: 1, arbitrary: id.map((stream) => (store: StreamStore) => store.delete(stream)) },
    { weight: 1, arbitrary: id.map((stream) => (store: StreamStore) => store.read(stream, { from: 0 })) },
  )
  .map((run) => ({ kind: 'call' as const, run, text: String(run) }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: call },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('calls' as const),
      run: fc.array(append, { minLength: 2, maxLength: 6 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ kind: 'reopen' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.constantFrom(10, 400, 1_000) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      names: fc.constantFrom(
        ['write'],
        ['datasync'],
        ['datasync', 'truncate'],
        ['sync'],
        ['rename'],
        ['link'],
        ['open'],
        ['access'],
      ),
      after: fc.nat(2),
      code: fc.constantFrom('EIO', 'ENOSPC'),
    }),
  },
);

/** Everything that can be seen of a store, without using its streams. */
async function view(store: StreamStore): Promise<unknown> {
  const heads = (await store.list()).streams;
  return Promise.all(
    heads.map(async (head) => ({ head, records: head.ttlMs === null ? await readAll(store, head.id) : null })),
  );
}

async function outcome(run: () => Promise<unknown>): Promise<{ readonly value?: unknown; readonly code?: string }> {
  try {
    return { value: await run() };
  } catch (error) {
    if (!isStreamError(error)) throw error;
    return { code: error.code };
  }
}

/** Fails the calls that the program asks for. Reads of the store's own bookkeeping are left alone. */
function faultPlan(fault: ReturnType<typeof createFaultFs>): {
  plan(step: Extract<Step, { kind: 'fault' }>): void;
  clear(): void;
} {
  return {
    plan({ names, after, code }) {
      let seen = 0;
      const hits = ({ name, path, args }: FsCall): boolean =>
        names.includes(name) && (name !== 'open' || (path.endsWith('.log') && args[1] === 'r+'));
      fault.intercept = async (fsCall, proceed) => {
        if (hits(fsCall) && seen++ >= after) throw errno(code);
        return proceed();
      };
    },
    clear() {
      fault.intercept = pass;
    },
  };
}

describe('random programs', () => {
  it(
    'give the same answers as the reference store, and a call that fails changes nothing',
    { timeout: 240_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (program) => {
          const directory = await temporaryDirectory();
          const clock = createManualClock();
          const fault = createFaultFs();
          const faults = faultPlan(fault);
          let serial = 0;
          const shared = { now: clock.now, randomId: () => `incarnation ${serial}` };
          const memory = createMemoryStreamStore(shared);
          const open = (): StreamStore =>
            createFileStreamStore({ directory, fs: fault.fs, maxLoadedStreams: 2, ...shared });
          let file = open();
          try {
            for (const each of program) {
              serial++;
              if (each.kind === 'fault') {
                faults.plan(each);
                continue;
              }
              if (each.kind === 'advance') clock.advance(each.ms);
              if (each.kind === 'reopen') {
                faults.clear();
                await file.close();
                file = open();
              }
              if (each.kind === 'calls') faults.clear();
              const runs = each.kind === 'call' ? [each.run] : each.kind === 'calls' ? each.run : [];
              const answers = await Promise.all(runs.map((run) => outcome(() => run(file))));
              // A call that the disk refused counts as never made.
              const made = runs.filter((_, n) => !REFUSED.has(answers[n]?.code ?? ''));
              const given = answers.filter(({ code = '' }) => !REFUSED.has(code));
              expect(given).toEqual(await Promise.all(made.map((run) => outcome(() => run(memory)))));
              faults.clear();
              expect(await view(file)).toEqual(await view(memory));
            }
          } finally {
            faults.clear();
            await file.close();
          }
        }),
        { numRuns: 400 },
      );
    },
  );
});
