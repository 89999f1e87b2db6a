import { runInNewContext } from 'node:vm';

import { describe, expect, it } from 'vitest';

import {
  InvalidArgumentError,
  isStreamCancelled,
  isStreamEnded,
  isStreamError,
  isStreamFailed,
  isStreamGap,
  isStreamNotFound,
  isStreamSuperseded,
  isStreamTimeout,
  isStreamWriteError,
  quote,
  StreamCancelledError,
  StreamEndedError,
  StreamError,
  type StreamErrorCode,
  StreamExistsError,
  StreamFailedError,
  StreamFencedError,
  StreamGapError,
  StreamNotFoundError,
  StreamSupersededError,
  StreamTimeoutError,
  StreamWriteError,
  toStoreError,
} from '../../src/index.ts';

const COMPLETED = { outcome: 'completed' } as const;
const writeError = new StreamWriteError('m', { reason: 'store_error', code: 'NOT_FOUND', position: 3 });

/** The same error as another copy of the package would make it: same members, other classes. */
function foreign(error: StreamError): Error {
  const { code, type, message } = error;
  return Object.assign(new Error(message), { code, type });
}

/** The same error as it looks from another realm: not even its `Error` is ours. */
function otherRealm({ code, type, message }: StreamError): unknown {
  return runInNewContext('Object.assign(new Error(message), { code, type })', { code, type, message });
}

const SAMPLES: readonly (readonly [StreamErrorCode, StreamError, (error: unknown) => boolean])[] = [
  ['ENDED', new StreamEndedError(3, COMPLETED), isStreamEnded],
  [
    'FAILED',
    new StreamFailedError(3, { outcome: 'failed', error: { code: 'QUOTA', message: 'too much' } }),
    isStreamFailed,
  ],
  ['CANCELLED', new StreamCancelledError(3, { outcome: 'cancelled', reason: 'r' }), isStreamCancelled],
  ['SUPERSEDED', new StreamSupersededError('s', 2, 4), isStreamSuperseded],
  ['TIMEOUT', new StreamTimeoutError(4, 100), isStreamTimeout],
  ['GAP', new StreamGapError('s', 1, 5), isStreamGap],
  ['NOT_FOUND', new StreamNotFoundError('s'), isStreamNotFound],
];
const GUARDS = [
  isStreamEnded,
  isStreamFailed,
  isStreamCancelled,
  isStreamSuperseded,
  isStreamTimeout,
  isStreamGap,
  isStreamNotFound,
];

describe('stream errors', () => {
  it.each(SAMPLES)('%s is recognised, and as nothing else', (code, error, guard) => {
    expect(error).toMatchObject({ code, type: `STREAM_${code}`, name: 'StreamError' });
    for (const copy of [error, foreign(error), otherRealm(error)]) {
      expect(isStreamError(copy)).toBe(true);
      expect(GUARDS.filter((each) => each(copy))).toEqual([guard]);
      expect(isStreamWriteError(copy)).toBe(false);
    }
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a string', 'STREAM_ENDED'],
    ['a plain object', { code: 'ENDED', type: 'STREAM_ENDED', message: '' }],
    ['a plain error', new Error('m')],
    ['an error with a code', Object.assign(new Error('m'), { code: 'ENDED' })],
    ['an error whose code and type disagree', Object.assign(new Error('m'), { code: 'ENDED', type: 'STREAM_FAILED' })],
    ['an error of Node streams', Object.assign(new Error('m'), { code: 'ERR_STREAM_DESTROYED' })],
    ['a write error', writeError],
  ])('%s is none', (_name, value) => {
    expect(isStreamError(value)).toBe(false);
    expect(GUARDS.filter((guard) => guard(value))).toEqual([]);
  });

  it('carry the values they speak of', () => {
    expect(new StreamFencedError('s', 1, 2)).toMatchObject({
      code: 'FENCED',
      streamId: 's',
      token: 1,
      currentToken: 2,
    });
    expect(new StreamExistsError('s', 'ttlMs is 1')).toMatchObject({
      code: 'EXISTS',
      streamId: 's',
      message: expect.stringContaining('ttlMs is 1'),
    });
    expect(new StreamGapError('s', 1, 5)).toMatchObject({ requestedPosition: 1, earliestPosition: 5 });
    expect(
      new StreamFailedError(3, { outcome: 'failed', error: { code: 'QUOTA', message: 'too much' } }),
    ).toMatchObject({ failureCode: 'QUOTA', finalPosition: 3 });
    expect(new StreamFailedError(3, { outcome: 'failed' }).failureCode).toBe('ERROR');
    expect(new InvalidArgumentError('limit', 'm').argument).toBe('limit');
  });

  it('keep a cause, and have none where none is', () => {
    const cause = new Error('below');
    expect(new StreamError('STORE_ERROR', 'm', { cause }).cause).toBe(cause);
    expect('cause' in new StreamError('STORE_ERROR', 'm')).toBe(false);
  });

  it('say what may be tried again', () => {
    const retryable = (['STORE_ERROR', 'STORE_FULL', 'TIMEOUT', 'FENCED', 'NOT_FOUND', 'STORE_CLOSED'] as const).filter(
      (code) => new StreamError(code, 'm').retryable,
    );
    expect(retryable).toEqual(['STORE_ERROR', 'STORE_FULL', 'TIMEOUT']);
  });
});

describe('write errors', () => {
  it('are recognised by type, in any copy and realm', () => {
    expect(isStreamWriteError(writeError)).toBe(true);
    expect(isStreamWriteError(Object.assign(new Error('m'), { type: 'STREAM_WRITE_ERROR' }))).toBe(true);
    expect(isStreamWriteError(runInNewContext("Object.assign(new Error('m'), { type: 'STREAM_WRITE_ERROR' })"))).toBe(
      true,
    );
    expect(isStreamWriteError({ type: 'STREAM_WRITE_ERROR' })).toBe(false);
  });
});

describe('toStoreError', () => {
  it('keeps a stream error', () => {
    const error = new StreamNotFoundError('s');
    expect(toStoreError(error, 'reading')).toBe(error);
  });

  it.each([
    ['an error', new Error('EIO'), 'EIO'],
    ['a string', 'EIO', 'EIO'],
    ['an object', { errno: 5 }, '{"errno":5}'],
    ['undefined', undefined, 'undefined'],
    ['an object without a string form', Object.create(null), '{}'],
  ])('wraps %s', (_name, thrown: unknown, text) => {
    const error = toStoreError(thrown, 'reading');
    expect(error).toMatchObject({ code: 'STORE_ERROR', message: `The store failed while reading: ${text}` });
    expect(error.cause).toBe(thrown);
  });
});

describe('quote', () => {
  const bare: Record<string, unknown> = Object.create(null);
  bare['self'] = bare;

  it.each([
    ['a string', 'a"b\n', String.raw`"a\"b\n"`],
    ['undefined', undefined, 'undefined'],
    ['a bigint', 5n, '5'],
    ['a symbol', Symbol('x'), 'Symbol(x)'],
    ['a lone surrogate', '\ud800', String.raw`"\ud800"`],
    ['a cycle without a string form', bare, 'an object'],
  ])('shows %s', (_name, value, text) => {
    expect(quote(value)).toBe(text);
  });

  it('cuts what is long, between characters', () => {
    for (const shift of ['', 'x']) {
      const text = quote(shift + '\u{1f600}'.repeat(1_000));
      expect(text.length).toBeLessThanOrEqual(120);
      expect(text.isWellFormed()).toBe(true);
      expect(text.endsWith('...')).toBe(true);
    }
  });
});
