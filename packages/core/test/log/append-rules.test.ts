import { describe, expect, it } from 'vitest';

import {
  applyAppend,
  type AppendRequest,
  type AppendSegment,
  createHead,
  createLogState,
  type CreateOptions,
  decideAppend,
  type LogState,
  stampRecord,
  StreamFencedError,
} from '../../src/index.ts';

const COMPLETED = { outcome: 'completed' } as const;
const NOW = 1_764_000_000_000;

function open(options: CreateOptions = {}, ...requests: readonly AppendRequest[]): LogState {
  const state = createLogState(createHead({ id: 's', incarnation: 'i', now: 0 }, options));
  for (const request of requests) {
    const { effect } = decideAppend(state, request, NOW);
    if (effect) applyAppend(state, effect);
  }
  return state;
}

const one = (segment: Partial<AppendSegment> = {}): AppendRequest => ({
  segments: [{ records: [{ data: '1' }], ...segment }],
});
const by = (id: string, epoch: number, seq: number): Pick<AppendSegment, 'producer'> => ({
  producer: { id, epoch, seq },
});

describe('decideAppend', () => {
  it('stamps records with position, time and nothing else', () => {
    const { effect } = decideAppend(
      open({}, one()),
      one({ records: [{ data: '"a"' }, { kind: 'data', data: '"b"' }] }),
      NOW,
    );
    expect(effect).toEqual({
      records: [
        { kind: 'data', position: 1, data: '"a"', timestamp: NOW },
        { kind: 'data', position: 2, data: '"b"', timestamp: NOW },
      ],
      end: null,
      producers: [],
      streamSeq: null,
      token: 0,
    });
  });

  it('has no effect when nothing changes', () => {
    const state = open({}, one(by('p', 0, 0)));
    expect(decideAppend(state, one(by('p', 0, 0)), NOW)).toEqual({
      results: [{ status: 'duplicate', nextSeq: 1 }],
      effect: null,
    });
    expect(decideAppend(state, one({ expectedPosition: 0 }), NOW).effect).toBeNull();
  });

  it('has the effect of the token when every segment is refused', () => {
    const { effect } = decideAppend(open(), { ...one({ expectedPosition: 4 }), token: 3 }, NOW);
    expect(effect).toEqual({ records: [], end: null, producers: [], streamSeq: null, token: 3 });
  });

  it('names stream, token and current token when fenced', () => {
    const state = open({ token: 5 });
    expect(() => decideAppend(state, { ...one(), token: 4 }, NOW)).toThrow(StreamFencedError);
    expect(() => decideAppend(state, one(), NOW)).toThrow(
      expect.objectContaining({ code: 'FENCED', streamId: 's', token: 0, currentToken: 5 }),
    );
  });

  it('reports the end that stands with `closed`', () => {
    const end = { outcome: 'failed', error: { code: 'X', message: 'm' } } as const;
    expect(decideAppend(open({}, one({ end })), one(), NOW).results).toEqual([{ status: 'closed', end }]);
  });

  it('compares content types by media type only', () => {
    const state = open({ contentType: 'application/json; charset=utf-8' });
    expect(decideAppend(state, one({ contentType: ' APPLICATION/JSON ;a=b' }), NOW).results[0]?.status).toBe('ok');
    expect(decideAppend(state, one({ contentType: 'application/jsonl' }), NOW).results).toEqual([
      { status: 'content-type', contentType: 'application/json; charset=utf-8' },
    ]);
  });

  it('stamps what is left of a replay with its own sequences', () => {
    const state = open({}, one({ ...by('p', 0, 0), records: [{ data: '0' }, { data: '1' }] }));
    const replay = one({ ...by('p', 0, 1), records: [{ data: '1' }, { data: '2' }, { data: '3' }], end: COMPLETED });
    const { results, effect } = decideAppend(state, replay, NOW);
    expect(results).toEqual([{ status: 'ok', position: 2, count: 2, skipped: 1 }]);
    expect(effect?.records.map(({ position, producer }) => [position, producer?.seq])).toEqual([
      [2, 2],
      [3, 3],
    ]);
    expect(effect?.producers).toEqual([['p', { epoch: 0, nextSeq: 5 }]]);
    expect(effect?.end).toEqual(COMPLETED);
  });

  it('keeps counting at the largest sequence without losing a unit', () => {
    const state = open();
    state.producers.set('p', { epoch: 0, nextSeq: Number.MAX_SAFE_INTEGER - 1 });
    const { results, effect } = decideAppend(state, one(by('p', 0, Number.MAX_SAFE_INTEGER - 1)), NOW);
    expect(results[0]?.status).toBe('ok');
    expect(effect?.producers).toEqual([['p', { epoch: 0, nextSeq: Number.MAX_SAFE_INTEGER }]]);
  });
});

describe('applyAppend', () => {
  it('replaces the head and leaves the old one alone', () => {
    const state = open();
    const before = state.head;
    const copy = structuredClone(before);
    const { effect } = decideAppend(state, { ...one({ end: COMPLETED, streamSeq: 'a' }), token: 2 }, NOW);
    if (effect) applyAppend(state, effect);
    expect(before).toEqual(copy);
    expect(state.head).toEqual({ ...copy, nextPosition: 1, end: COMPLETED, token: 2 });
    expect(state.streamSeq).toBe('a');
  });

  it('forgets the nonce exactly when the token grows', () => {
    for (const [token, nonce] of [
      [3, 'n'],
      [4, null],
    ] as const) {
      const state = open({ token: 3 });
      state.fenceNonce = 'n';
      const { effect } = decideAppend(state, { ...one(), token }, NOW);
      if (effect) applyAppend(state, effect);
      expect(state.fenceNonce).toBe(nonce);
    }
  });

  it('never lowers the token', () => {
    const state = open({ token: 3 });
    applyAppend(state, { records: [], end: null, producers: [], streamSeq: null, token: 2 });
    expect(state.head.token).toBe(3);
  });

  it('keeps the first end', () => {
    const state = open({}, one({ end: COMPLETED }));
    applyAppend(state, { records: [], end: null, producers: [], streamSeq: null, token: 0 });
    expect(state.head.end).toEqual(COMPLETED);
  });

  it('folds the same effect to the same state as recovery would', () => {
    const requests = [
      one(by('p', 0, 0)),
      one({ ...by('q', 1, 0), streamSeq: 'b' }),
      { ...one({ end: COMPLETED }), token: 4 },
    ];
    const live = open();
    const recovered = open();
    for (const request of requests) {
      const { effect } = decideAppend(live, request, NOW);
      if (!effect) continue;
      applyAppend(live, effect);
      applyAppend(recovered, structuredClone(effect));
    }
    expect(recovered).toEqual(live);
    expect(recovered.head.nextPosition).toBe(3);
  });
});

describe('stampRecord', () => {
  const producer = { id: 'p', epoch: 1, seq: 2 };

  it.each([
    [{ data: '1' }, undefined, { kind: 'data', position: 4, data: '1', timestamp: 9 }],
    [{ data: '1' }, producer, { kind: 'data', position: 4, data: '1', timestamp: 9, producer }],
    [
      { data: '1', step: 's' },
      undefined,
      { kind: 'data', position: 4, data: '1', timestamp: 9, step: 's', attempt: 1 },
    ],
    [
      { data: '1', step: 's', attempt: 3 },
      producer,
      { kind: 'data', position: 4, data: '1', timestamp: 9, producer, step: 's', attempt: 3 },
    ],
    [
      { kind: 'supersede', step: 's', belowAttempt: 2 },
      undefined,
      { kind: 'supersede', position: 4, timestamp: 9, step: 's', belowAttempt: 2 },
    ],
    [
      { kind: 'supersede', step: 's', belowAttempt: 2 },
      producer,
      { kind: 'supersede', position: 4, timestamp: 9, step: 's', belowAttempt: 2, producer },
    ],
  ] as const)('%j by %j', (record, stamp, expected) => {
    const stamped = stampRecord(record, 4, 9, stamp);
    expect(stamped).toEqual(expected);
    // No undefined members: stores encode what is there.
    expect(Object.values(stamped)).not.toContain(undefined);
  });
});
