import { describe, expect, it } from 'vitest';

import {
  applyAppend,
  type AppendRequest,
  type AppendSegment,
  createHead,
  createLogState,
  decideAppend,
  type LogState,
  type SegmentResult,
  StreamFencedError,
} from '../../src/index.ts';
import {
  describeModel,
  describeState,
  EMPTY_MODEL,
  modelAppend,
  type ModelAnswer,
  type ModelLog,
  type ModelRecord,
} from './append-model.ts';

const COMPLETED = { outcome: 'completed' } as const;

/** A log under both the real rules and the model. */
interface Pair {
  readonly state: LogState;
  readonly records: readonly ModelRecord[];
  readonly model: ModelLog;
}

const start = (): Pair => ({
  state: createLogState(createHead({ id: 's', incarnation: 'i', now: 0 }, {})),
  records: [],
  model: EMPTY_MODEL,
});

const copy = (state: LogState): LogState => ({ ...state, producers: new Map(state.producers) });

/** Runs a request through both, fails where they differ, and returns the log they agree on. */
function step(
  { state, records, model }: Pair,
  request: AppendRequest,
): { readonly pair: Pair; readonly statuses: ModelAnswer['statuses'] } {
  const expected = modelAppend(model, request);
  const next = copy(state);
  let statuses: readonly SegmentResult['status'][] | 'fenced';
  let added: readonly ModelRecord[] = [];
  try {
    const { results, effect } = decideAppend(state, request, 7);
    statuses = results.map(({ status }) => status);
    if (effect) applyAppend(next, effect);
    added = (effect?.records ?? []).map((record, index) => {
      if (record.kind !== 'data' || record.position !== state.head.nextPosition + index || record.timestamp !== 7) {
        throw new Error(`Wrong record ${JSON.stringify(record)}`);
      }
      const { producer } = record;
      return { data: String(record.data), by: producer ? `${producer.id}/${producer.epoch}/${producer.seq}` : null };
    });
    checkResults(state, request, results);
  } catch (error) {
    if (!(error instanceof StreamFencedError)) throw error;
    statuses = 'fenced';
  }
  const pair = { state: next, records: [...records, ...added], model: expected.log };
  const got = JSON.stringify([statuses, describeState(pair.state, pair.records)]);
  const want = JSON.stringify([expected.statuses, describeModel(expected.log)]);
  if (got !== want) {
    throw new Error(
      `On ${JSON.stringify(describeModel(model))}\n${JSON.stringify(request)}\ngave   ${got}\nwanted ${want}`,
    );
  }
  return { pair, statuses };
}

/** Positions and counts of stored segments follow one another from the old tail. */
function checkResults(state: LogState, request: AppendRequest, results: readonly SegmentResult[]): void {
  if (results.length !== request.segments.length) throw new Error('One result per segment');
  let tail = state.head.nextPosition;
  for (const [index, result] of results.entries()) {
    if (result.status === 'conflict' && result.nextPosition !== tail) throw new Error('A conflict names the tail');
    if (result.status !== 'ok') continue;
    const length = request.segments[index]?.records.length ?? 0;
    const wrong =
      result.position !== tail || result.count < 0 || result.count + result.skipped < length || result.count > length;
    if (wrong) throw new Error(`Wrong result ${JSON.stringify(result)}`);
    tail += result.count;
  }
}

const producers = [undefined, ['a', 0], ['a', 1], ['b', 0]] as const;
const bodies = [
  [1, false],
  [2, false],
  [0, true],
  [1, true],
  [2, true],
] as const;

/** Every segment over small domains. */
function* segments(options: {
  readonly seqs: readonly number[];
  readonly types: readonly (string | undefined)[];
  readonly positions: readonly (number | undefined)[];
  readonly streamSeqs: readonly (string | undefined)[];
}): Generator<AppendSegment> {
  for (const producer of producers)
    for (const seq of producer ? options.seqs : [0])
      for (const sequencing of producer ? (['record', 'segment'] as const) : ([undefined] as const))
        for (const [count, ends] of bodies)
          for (const contentType of options.types)
            for (const expectedPosition of options.positions)
              for (const streamSeq of options.streamSeqs)
                yield {
                  records: Array.from({ length: count }, (_, index) => ({ data: `${seq + index}` })),
                  ...(producer && { producer: { id: producer[0], epoch: producer[1], seq } }),
                  ...(sequencing && { sequencing }),
                  ...(ends && { end: COMPLETED }),
                  ...(contentType !== undefined && { contentType }),
                  ...(expectedPosition !== undefined && { expectedPosition }),
                  ...(streamSeq !== undefined && { streamSeq }),
                };
}

/** Every log that `depth` appends of the alphabet reach, each once. */
function reachable(alphabet: readonly AppendRequest[], depth: number): readonly Pair[] {
  const seen = new Map<string, Pair>();
  let frontier = [start()];
  for (let level = 0; level <= depth; level++) {
    const fresh: Pair[] = [];
    for (const pair of frontier) {
      const key = JSON.stringify(describeModel(pair.model));
      if (seen.has(key)) continue;
      seen.set(key, pair);
      fresh.push(pair);
    }
    frontier = level < depth ? fresh.flatMap((pair) => alphabet.map((request) => step(pair, request).pair)) : [];
  }
  return [...seen.values()];
}

const small = [...segments({ seqs: [0, 1], types: [undefined], positions: [undefined], streamSeqs: [undefined] })];
const building: readonly AppendRequest[] = [
  ...small.filter(({ records, end }) => records.length === 1 || end).map((segment) => ({ segments: [segment] })),
  { segments: [{ records: [{ data: 'x' }], streamSeq: 'a' }] },
  { segments: [{ records: [{ data: 'x' }] }], token: 1 },
];

describe('append rules against the model, exhaustively', () => {
  it('agree on every single segment on every small log', () => {
    const requests = [
      ...segments({
        seqs: [0, 1, 2, 3],
        types: [undefined, 'text/plain'],
        positions: [undefined, 0, 1],
        streamSeqs: [undefined, 'a', 'b'],
      }),
    ];
    const tally = new Map<string, number>();
    const logs = reachable(building, 2);
    let decisions = 0;
    for (const log of logs) {
      for (const segment of requests) {
        const { statuses } = step(log, { segments: [segment], token: log.model.token });
        decisions++;
        tally.set(String(statuses), (tally.get(String(statuses)) ?? 0) + 1);
      }
    }
    expect(logs.length).toBeGreaterThan(100);
    expect(decisions).toBe(logs.length * requests.length);
    // Every status occurs often: the enumeration reaches every branch.
    expect([...tally.keys()].toSorted()).toEqual(
      ['closed', 'conflict', 'content-type', 'duplicate', 'gap', 'ok', 'regression', 'stale-epoch'].toSorted(),
    );
    for (const count of tally.values()) expect(count).toBeGreaterThan(500);
  });

  it('agree on every token', () => {
    const logs = reachable(building, 2);
    const fenced: unknown[] = [];
    const tokens = new Set<string>();
    for (const log of logs) {
      for (const token of [undefined, 0, 1, 2]) {
        for (const segment of small) {
          const { statuses, pair } = step(log, { segments: [segment], ...(token === undefined ? {} : { token }) });
          if (statuses === 'fenced') fenced.push(statuses);
          tokens.add(`${log.state.head.token} by ${token ?? 'none'}: ${pair.state.head.token}`);
        }
      }
    }
    expect(fenced.length).toBeGreaterThan(500);
    expect([...tokens].toSorted()).toEqual([
      '0 by 0: 0',
      '0 by 1: 1',
      '0 by 2: 2',
      '0 by none: 0',
      '1 by 0: 1',
      '1 by 1: 1',
      '1 by 2: 2',
      '1 by none: 1',
    ]);
  });

  it('agree on every pair of segments in one append', () => {
    const pool = [
      ...small,
      { records: [{ data: 'y' }], expectedPosition: 1 },
      { records: [{ data: 'y' }], streamSeq: 'a' },
      { records: [{ data: 'y' }], contentType: 'text/plain' },
    ];
    const logs = reachable(building, 1);
    for (const log of logs)
      for (const first of pool)
        for (const second of pool) step(log, { segments: [first, second], token: log.model.token });
    expect(logs.length * pool.length ** 2).toBeGreaterThan(50_000);
  });

  it('an append of two segments is two appends of one', () => {
    for (const log of reachable(building, 1)) {
      for (const first of small) {
        for (const second of small) {
          const token = log.model.token;
          const together = step(log, { segments: [first, second], token }).pair;
          const apart = step(step(log, { segments: [first], token }).pair, { segments: [second], token }).pair;
          expect(JSON.stringify(describeState(together.state, together.records))).toBe(
            JSON.stringify(describeState(apart.state, apart.records)),
          );
        }
      }
    }
  });
});
