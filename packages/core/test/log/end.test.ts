import { runInNewContext } from 'node:vm';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { assertEnd, endError, PublicError, publicEnd, type StreamEnd, toStreamFailure } from '../../src/index.ts';

class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

describe('toStreamFailure', () => {
  it.each([
    ['an error', new Error('boom'), { code: 'Error', message: 'boom', name: 'Error' }],
    ['a named error', new TimeoutError('late'), { code: 'TimeoutError', message: 'late', name: 'TimeoutError' }],
    [
      'an error with a code',
      Object.assign(new Error('x'), { code: 'ENOENT' }),
      { code: 'ENOENT', message: 'x', name: 'Error' },
    ],
    ['an empty code', Object.assign(new Error('x'), { code: '' }), { code: 'Error', message: 'x', name: 'Error' }],
    [
      'a numeric code',
      new DOMException('stop', 'AbortError'),
      { code: 'AbortError', message: 'stop', name: 'AbortError' },
    ],
    ['an error without a name', Object.assign(new Error('x'), { name: '' }), { code: 'ERROR', message: 'x', name: '' }],
    [
      'an error of another realm',
      runInNewContext("new TypeError('far')"),
      { code: 'TypeError', message: 'far', name: 'TypeError' },
    ],
    [
      'a message that is no string',
      Object.assign(new Error('x'), { message: { a: 1 } }),
      { code: 'Error', message: '{"a":1}', name: 'Error' },
    ],
    [
      'a public error',
      new PublicError('QUOTA', 'Too much.'),
      { code: 'QUOTA', message: 'Too much.', name: 'PublicError', public: true },
    ],
    [
      'an exposed HTTP error',
      Object.assign(new Error('no'), { expose: true }),
      { code: 'Error', message: 'no', name: 'Error', public: true },
    ],
    [
      'a hidden HTTP error',
      Object.assign(new Error('no'), { expose: 'yes' }),
      { code: 'Error', message: 'no', name: 'Error' },
    ],
  ])('keeps %s', (_name, thrown: unknown, expected) => {
    const { stack, ...failure } = toStreamFailure(thrown);
    expect(failure).toEqual(expected);
    expect(stack === undefined || stack.length > 0).toBe(true);
  });

  it.each([
    ['a string', 'boom', 'boom'],
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a number', 5, '5'],
    ['an object', { a: 1 }, '{"a":1}'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
  ])('keeps %s', (_name, thrown, message) => {
    expect(toStreamFailure(thrown)).toEqual({ code: 'ERROR', message });
  });

  it('never throws', () => {
    const trap = (): never => {
      throw new Error('trapped');
    };
    const unreadable = Object.defineProperty(new Error('x'), 'message', { get: trap });
    for (const thrown of [
      unreadable,
      new Proxy({}, { get: trap, getPrototypeOf: trap }),
      { toJSON: trap, toString: trap },
    ]) {
      expect(toStreamFailure(thrown)).toEqual({ code: 'ERROR', message: expect.any(String) });
    }
  });

  it('cuts what is long and replaces lone surrogates', () => {
    const error = Object.assign(new Error(`\ud800${'\u{1f600}'.repeat(10_000)}`), { code: 'C'.repeat(1_000) });
    error.stack = 's'.repeat(100_000);
    const { code, message, stack = '' } = toStreamFailure(error);
    expect([code.length, message.length, stack.length]).toEqual([128, 4_096, 8_192]);
    expect(message.isWellFormed() && message.startsWith('\ufffd')).toBe(true);
  });

  it('gives ends that stores accept', () => {
    const check = (message: string, thrown: unknown): void => {
      for (const each of [new Error(message), thrown]) {
        expect(() => assertEnd({ outcome: 'failed', error: toStreamFailure(each) })).not.toThrow();
      }
    };
    fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.anything(), check));
  });
});

describe('publicEnd', () => {
  it.each<readonly [string, StreamEnd, StreamEnd]>([
    ['completed', { outcome: 'completed' }, { outcome: 'completed' }],
    ['cancelled', { outcome: 'cancelled', reason: 'r' }, { outcome: 'cancelled', reason: 'r' }],
    ['failed without an error', { outcome: 'failed' }, { outcome: 'failed' }],
    [
      'a public failure, without name and stack',
      { outcome: 'failed', error: { code: 'QUOTA', message: 'm', name: 'N', stack: 'S', public: true } },
      { outcome: 'failed', error: { code: 'QUOTA', message: 'm', public: true } },
    ],
    [
      'an internal failure',
      {
        outcome: 'failed',
        error: { code: 'ECONNREFUSED', message: 'postgres://user:secret@host', name: 'N', stack: 'S' },
      },
      { outcome: 'failed', error: { code: 'INTERNAL', message: 'The producer failed.', public: true } },
    ],
  ])('%s', (_name, end, shown) => {
    expect(publicEnd(end)).toEqual(shown);
    expect(publicEnd(publicEnd(end))).toEqual(shown);
  });

  it('lets nothing of an internal failure through', () => {
    const check = (secret: string): void => {
      const hidden = `<${secret}>`;
      const error = { code: hidden, message: hidden, name: hidden, stack: hidden };
      expect(JSON.stringify(publicEnd({ outcome: 'failed', error }))).not.toContain(
        JSON.stringify(hidden).slice(1, -1),
      );
    };
    fc.assert(fc.property(fc.string(), check));
  });

  it('drops members that it does not know', () => {
    const end = { outcome: 'completed', internal: 'secret' } as StreamEnd;
    expect(publicEnd(end)).toEqual({ outcome: 'completed' });
  });
});

describe('endError', () => {
  it.each([
    [{ outcome: 'completed' }, { code: 'ENDED' }],
    [
      { outcome: 'failed', error: { code: 'TIMEOUT', message: 'm' } },
      { code: 'FAILED', failureCode: 'TIMEOUT' },
    ],
    [
      { outcome: 'cancelled', reason: 'r' },
      { code: 'CANCELLED', reason: 'r' },
    ],
    [{ outcome: 'cancelled' }, { code: 'CANCELLED', reason: undefined }],
  ] as const)('of %j', (end, expected) => {
    expect(endError(end, 7)).toMatchObject({ ...expected, finalPosition: 7, end });
  });
});
