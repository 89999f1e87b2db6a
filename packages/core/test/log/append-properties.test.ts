import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  applyAppend,
  type AppendRequest,
  type AppendSegment,
  createHead,
  createLogState,
  decideAppend,
  type LogState,
  StreamFencedError,
  type StreamRecord,
} from '../../src/index.ts';

const COMPLETED = { outcome: 'completed' } as const;

interface Log {
  readonly state: LogState;
  readonly records: StreamRecord[];
}

function open(): Log {
  const head = Object.freeze(createHead({ id: 's', incarnation: 'i', now: 0 }, {}));
  return { state: createLogState(head), records: [] };
}

/** Appends, keeping every head frozen so that a decision which mutates fails. Null when fenced. */
function append({ state, records }: Log, request: AppendRequest): ReturnType<typeof decideAppend> | null {
  try {
    const decision = decideAppend(state, request, 1);
    if (decision.effect) applyAppend(state, decision.effect);
    records.push(...(decision.effect?.records ?? []));
    Object.freeze(state.head);
    return decision;
  } catch (error) {
    if (error instanceof StreamFencedError) return null;
    throw error;
  }
}

/** The log without what may differ between two ways of writing it. */
const contents = ({ state, records }: Log): unknown => ({
  records,
  end: state.head.end,
  producers: [...state.producers],
  tail: state.head.nextPosition,
});

const producer = fc.record({ id: fc.constantFrom('p', 'q'), epoch: fc.nat(2), seq: fc.nat(6) });
const segment: fc.Arbitrary<AppendSegment> = fc
  .record(
    {
      records: fc.array(
        fc.oneof(
          fc.record({ data: fc.json() }),
          fc.record({ data: fc.json(), step: fc.constant('s'), attempt: fc.integer({ min: 1, max: 3 }) }),
          fc.record({ kind: fc.constant('supersede' as const), step: fc.constant('s'), belowAttempt: fc.nat(3) }),
        ),
        { maxLength: 4 },
      ),
      producer,
      sequencing: fc.constantFrom('record' as const, 'segment' as const),
      end: fc.constant(COMPLETED),
      contentType: fc.constantFrom('application/json', 'text/plain'),
      expectedPosition: fc.nat(8),
      streamSeq: fc.string({ maxLength: 2 }),
    },
    { requiredKeys: ['records'] },
  )
  .filter(({ records, end }) => records.length > 0 || end !== undefined);
const request = fc.record(
  { segments: fc.array(segment, { minLength: 1, maxLength: 4 }), token: fc.nat(3) },
  { requiredKeys: ['segments'] },
);
const requests = fc.array(request, { maxLength: 25 });

/** The flushes of `total` records, cut where told. */
const partition = (total: number): fc.Arbitrary<readonly (readonly [seq: number, count: number])[]> =>
  fc.subarray(Array.from({ length: Math.max(total - 1, 0) }, (_, index) => index + 1)).map((cuts) => {
    const bounds = [0, ...cuts, total];
    return bounds.slice(1).map((bound, index) => [bounds[index] ?? 0, bound - (bounds[index] ?? 0)] as const);
  });

describe('any program of appends', () => {
  it('gives dense positions that never change', () => {
    const check = (program: readonly AppendRequest[]): void => {
      const log = open();
      for (const each of program) {
        const before = structuredClone(log.records);
        append(log, each);
        expect(log.records.slice(0, before.length)).toEqual(before);
        expect(log.records.map(({ position }) => position)).toEqual(Array.from(log.records, (_, index) => index));
        expect(log.state.head.nextPosition).toBe(log.records.length);
      }
    };
    fc.assert(fc.property(requests, check), { numRuns: 300 });
  });

  it('never changes its input, nor the state before it is applied', () => {
    const check = (program: readonly AppendRequest[], last: AppendRequest): void => {
      const log = open();
      for (const each of program) append(log, each);
      const before = structuredClone({ ...log.state, last });
      if ((last.token ?? 0) >= log.state.head.token) decideAppend(log.state, last, 5);
      expect({ ...log.state, last }).toEqual(before);
    };
    fc.assert(fc.property(requests, request, check), { numRuns: 300 });
  });

  it('keeps every end, token and epoch from going back', () => {
    const check = (program: readonly AppendRequest[]): void => {
      const log = open();
      for (const each of program) {
        const { end, token } = log.state.head;
        const producers = new Map(log.state.producers);
        const count = log.records.length;
        append(log, each);
        expect(log.state.head.token).toBeGreaterThanOrEqual(token);
        expect([log.state.head.end, log.records.length]).toEqual(
          end ? [end, count] : [log.state.head.end, log.records.length],
        );
        for (const [id, { epoch, nextSeq }] of producers) {
          const now = log.state.producers.get(id);
          expect(now && (now.epoch > epoch || (now.epoch === epoch && now.nextSeq >= nextSeq))).toBe(true);
        }
      }
    };
    fc.assert(fc.property(requests, check), { numRuns: 300 });
  });

  it('recognises every segment of a producer that it has stored', () => {
    const check = (program: readonly AppendRequest[]): void => {
      const log = open();
      for (const each of program) {
        const decision = append(log, each);
        if (!decision) continue;
        const stored = each.segments
          .filter((_, index) => decision.results[index]?.status === 'ok')
          .filter((part) => part.producer);
        const current = stored.filter(
          (part) => part.producer && log.state.producers.get(part.producer.id)?.epoch === part.producer.epoch,
        );
        const before = log.records.length;
        for (const part of current) {
          const again = append(log, { segments: [part], token: log.state.head.token });
          expect(again?.results.map(({ status }) => status)).toEqual(['duplicate']);
        }
        expect(log.records.length).toBe(before);
      }
    };
    fc.assert(fc.property(requests, check), { numRuns: 300 });
  });

  it('decides segments of one append as appends of their own', () => {
    const check = (program: readonly AppendRequest[]): void => {
      const together = open();
      const apart = open();
      for (const { segments, token } of program) {
        const rest = token === undefined ? {} : { token };
        append(together, { segments, ...rest });
        for (const part of segments) append(apart, { segments: [part], ...rest });
      }
      expect(contents(together)).toEqual(contents(apart));
    };
    fc.assert(fc.property(requests, check), { numRuns: 300 });
  });
});

describe('a replay', () => {
  const total = fc.integer({ min: 1, max: 12 });
  const write = (log: Log, seq: number, count: number, epoch = 0): void => {
    const records = Array.from({ length: count }, (_, index) => ({ data: `${seq + index}` }));
    append(log, { segments: [{ records, producer: { id: 'p', epoch, seq } }] });
  };

  it('stores the same log however flush boundaries move and wherever it crashed', () => {
    const program = total.chain((count) =>
      fc.tuple(
        fc.constant(count),
        partition(count),
        fc.array(fc.tuple(partition(count), fc.nat(12)), { maxLength: 4 }),
        partition(count),
      ),
    );
    const check = ([count, first, crashes, last]: typeof program extends fc.Arbitrary<infer T> ? T : never): void => {
      const log = open();
      const whole = open();
      write(whole, 0, count);
      // Each crashed run writes some flushes from the start; the last run writes all.
      for (const [seq, length] of first.slice(0, 1)) write(log, seq, length);
      for (const [flushes, survived] of crashes)
        for (const [seq, length] of flushes.slice(0, survived)) write(log, seq, length);
      for (const [seq, length] of last) write(log, seq, length);
      expect(contents(log)).toEqual(contents(whole));
    };
    fc.assert(fc.property(program, check), { numRuns: 500 });
  });

  it('of any suffix changes nothing', () => {
    const check = (count: number, from: number): void => {
      const log = open();
      write(log, 0, count);
      const before = structuredClone(contents(log));
      const seq = from % count;
      write(log, seq, count - seq);
      expect(contents(log)).toEqual(before);
    };
    fc.assert(fc.property(total, fc.nat(), check));
  });

  it('interleaves with other writers without losing or doubling a record', () => {
    const writers = fc.array(fc.tuple(fc.constantFrom('p', 'q', 'r'), fc.integer({ min: 1, max: 3 }), fc.nat(2)), {
      maxLength: 30,
    });
    const check = (turns: readonly (readonly [string, number, number])[]): void => {
      const log = open();
      const next = new Map<string, number>();
      for (const [id, count, back] of turns) {
        const seq = Math.max((next.get(id) ?? 0) - back, 0);
        const records = Array.from({ length: count }, (_, index) => ({ data: `"${id}${seq + index}"` }));
        append(log, { segments: [{ records, producer: { id, epoch: 0, seq } }] });
        next.set(id, Math.max(next.get(id) ?? 0, seq + count));
      }
      for (const [id, count] of next) {
        const own = log.records.flatMap((record) =>
          record.kind === 'data' && record.producer?.id === id ? [record.data] : [],
        );
        expect(own).toEqual(Array.from({ length: count }, (_, seq) => `"${id}${seq}"`));
      }
    };
    fc.assert(fc.property(writers, check), { numRuns: 300 });
  });
});
