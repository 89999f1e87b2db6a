import { describe, expect, it } from 'vitest';

import {
  createHead,
  createLogState,
  type CreateOptions,
  decideExisting,
  decideMark,
  isExpired,
  type LogState,
  type Mark,
  type StreamHead,
} from '../../src/index.ts';

const COMPLETED = { outcome: 'completed' } as const;
const NOW = 1_764_000_000_000;

const head = (options: CreateOptions = {}, changes: Partial<StreamHead> = {}): StreamHead =>
  Object.freeze({ ...createHead({ id: 's', incarnation: 'i', now: NOW }, options), ...changes });
const state = (options: CreateOptions = {}, changes: Partial<StreamHead> = {}): LogState =>
  createLogState(head(options, changes));

describe('createHead', () => {
  it('is open, empty and without options by default', () => {
    expect(head()).toEqual({
      id: 's',
      incarnation: 'i',
      contentType: 'application/json',
      createdAt: NOW,
      firstPosition: 0,
      fork: null,
      nextPosition: 0,
      end: null,
      cancel: null,
      lease: null,
      owner: null,
      token: 0,
      ttlMs: null,
      expiresAt: null,
    });
  });

  it('keeps its options', () => {
    expect(head({ contentType: 'text/plain', leaseMs: 5, owner: 'o', token: 3, ttlMs: 0 })).toMatchObject({
      contentType: 'text/plain',
      lease: { durationMs: 5, beat: 0 },
      owner: 'o',
      token: 3,
      ttlMs: 0,
      expiresAt: null,
    });
  });

  it('leaves the end to the append that brings it', () => {
    expect(head({ end: COMPLETED, records: [{ data: '1' }] })).toMatchObject({ end: null, nextPosition: 0 });
  });
});

describe('decideExisting', () => {
  it.each([
    ['nothing asked for', {}, {}, {}],
    ['parameters differ', { contentType: 'text/plain; charset=utf-8' }, {}, { contentType: 'TEXT/PLAIN' }],
    ['same ttl', { ttlMs: 5 }, {}, { ttlMs: 5 }],
    ['same expiry', { expiresAt: 5 }, {}, { expiresAt: 5 }],
    ['lease, owner and records differ', {}, {}, { leaseMs: 5, owner: 'o', records: [{ data: '1' }] }],
    ['ended since', {}, { end: COMPLETED }, {}],
    ['both ended', {}, { end: COMPLETED }, { end: { outcome: 'cancelled' } }],
    ['same token', { token: 3 }, {}, { token: 3 }],
    ['no token asked for', { token: 3 }, {}, {}],
  ] as const)('finds the stream: %s', (_name, options, changes, wanted) => {
    expect(decideExisting(head(options, changes), wanted)).toBeNull();
  });

  it.each([
    ['content type', {}, { contentType: 'text/plain' }],
    ['content type', { contentType: 'text/plain' }, {}],
    ['ttlMs', {}, { ttlMs: 5 }],
    ['ttlMs', { ttlMs: 5 }, {}],
    ['ttlMs', { ttlMs: 5 }, { ttlMs: 6 }],
    ['expiresAt', { expiresAt: 5 }, {}],
    ['state', {}, { end: COMPLETED }],
  ] as const)('refuses another %s', (name, options, wanted) => {
    const refusal = { code: 'EXISTS', streamId: 's', message: expect.stringContaining(name) };
    expect(() => decideExisting(head(options), wanted)).toThrow(expect.objectContaining(refusal));
  });

  it('says which token to raise to', () => {
    expect(decideExisting(head({ token: 3 }), { token: 4 })).toBe(4);
  });

  it('refuses a lower token, after the configuration', () => {
    expect(() => decideExisting(head({ token: 3 }), { token: 2 })).toThrow(
      expect.objectContaining({ code: 'FENCED', token: 2, currentToken: 3 }),
    );
    expect(() => decideExisting(head({ token: 3 }), { token: 2, ttlMs: 1 })).toThrow(
      expect.objectContaining({ code: 'EXISTS' }),
    );
  });
});

describe('decideMark: cancel', () => {
  it('stamps the first request, with a reason only where there is one', () => {
    expect(decideMark(state(), { type: 'cancel', reason: 'r' }, 5)?.head.cancel).toEqual({
      requestedAt: 5,
      reason: 'r',
    });
    expect(Object.keys(decideMark(state(), { type: 'cancel' }, 5)?.head.cancel ?? {})).toEqual(['requestedAt']);
  });

  it('changes nothing when there is one, or an end', () => {
    expect(decideMark(state({}, { cancel: { requestedAt: 1 } }), { type: 'cancel', reason: 'r' }, 5)).toBeNull();
    expect(decideMark(state({}, { end: COMPLETED }), { type: 'cancel' }, 5)).toBeNull();
  });

  it('needs no token and keeps the nonce', () => {
    expect(decideMark(state({ token: 9 }), { type: 'cancel' }, 5)).toMatchObject({ nonce: null, head: { token: 9 } });
  });
});

describe('decideMark: lease', () => {
  const lease = (mark: Partial<Extract<Mark, { type: 'lease' }>> = {}): Mark => ({ type: 'lease', ...mark });

  it.each([
    ['renews', { durationMs: 5, beat: 2 }, lease(), { durationMs: 5, beat: 3 }],
    ['changes the duration', { durationMs: 5, beat: 2 }, lease({ durationMs: 7 }), { durationMs: 7, beat: 3 }],
    ['takes', null, lease({ durationMs: 7 }), { durationMs: 7, beat: 1 }],
    ['releases', { durationMs: 5, beat: 2 }, lease({ durationMs: null }), null],
  ] as const)('%s', (_name, before, mark, after) => {
    expect(decideMark(state({}, { lease: before }), mark, 5)?.head.lease).toEqual(after);
  });

  it('changes nothing without a lease to renew or release, or after the end', () => {
    expect(decideMark(state(), lease(), 5)).toBeNull();
    expect(decideMark(state(), lease({ durationMs: null }), 5)).toBeNull();
    expect(decideMark(state({ leaseMs: 5 }, { end: COMPLETED }), lease({ durationMs: 9 }), 5)).toBeNull();
  });

  it('refuses a lower token, also after the end, and does not raise by a higher one', () => {
    for (const end of [null, COMPLETED]) {
      for (const mark of [lease(), lease({ token: 2 }), lease({ durationMs: null, token: 2 })]) {
        expect(() => decideMark(state({ token: 3, leaseMs: 5 }, { end }), mark, 5)).toThrow(
          expect.objectContaining({ code: 'FENCED' }),
        );
      }
    }
    expect(decideMark(state({ token: 3, leaseMs: 5 }), lease({ token: 4 }), 5)?.head.token).toBe(3);
  });
});

describe('decideMark: fence', () => {
  const fence = (token: number, nonce = 'n'): Mark => ({ type: 'fence', token, nonce });
  const fenced = (fenceNonce: string | null): LogState => ({ ...state({ token: 3 }), fenceNonce });

  it('raises, and remembers who', () => {
    expect(decideMark(fenced('m'), fence(4), 5)).toMatchObject({ nonce: 'n', head: { token: 4 } });
    expect(decideMark(fenced('n'), fence(4), 5)).toMatchObject({ nonce: 'n', head: { token: 4 } });
    expect(decideMark(state({}, { end: COMPLETED }), fence(1), 5)?.head).toMatchObject({ token: 1, end: COMPLETED });
  });

  it('recognises a repeated raise', () => {
    expect(decideMark(fenced('n'), fence(3), 5)).toBeNull();
  });

  it.each([
    ['an equal token of another nonce', 'm', 3],
    ['an equal token that no fence raised', null, 3],
    ['a lower token', 'n', 2],
    ['token 0', 'n', 0],
  ])('refuses %s', (_name, nonce, token) => {
    expect(() => decideMark(fenced(nonce), fence(token), 5)).toThrow(
      expect.objectContaining({ code: 'FENCED', token, currentToken: 3 }),
    );
  });
});

describe('decideMark', () => {
  it('never changes its input', () => {
    for (const mark of [
      { type: 'cancel' },
      { type: 'lease', durationMs: 9 },
      { type: 'fence', token: 9, nonce: 'n' },
    ] as const) {
      const input = state({ leaseMs: 5 });
      const before = structuredClone(input);
      expect(decideMark(input, mark, 5)).not.toBeNull();
      expect(input).toEqual(before);
    }
  });
});

describe('isExpired', () => {
  it.each([
    ['nothing set', {}, 0, Number.MAX_SAFE_INTEGER, false],
    ['before the expiry', { expiresAt: 10 }, 0, 9, false],
    ['at the expiry', { expiresAt: 10 }, 9, 10, true],
    ['within the ttl', { ttlMs: 10 }, 5, 14, false],
    ['at the ttl', { ttlMs: 10 }, 5, 15, true],
    ['no ttl at all', { ttlMs: 0 }, 5, 5, true],
    ['a clock that went back', { ttlMs: 10 }, 50, 5, false],
  ] as const)('%s', (_name, options, touchedAt, now, expired) => {
    expect(isExpired(head(options), touchedAt, now)).toBe(expired);
  });
});
