import { describe, expect, test } from 'vitest';

import { isStreamChunk, type StreamChunk, toStreamChunk } from '../src/index.ts';

describe('toStreamChunk', () => {
  test('keeps chunks that are data already', () => {
    const chunks: readonly StreamChunk[] = [
      { type: 'start' },
      { type: 'progress', progress: { current: 1, total: 3, message: 'one' } },
      ...[0, '', false, null, [], {}].map((data) => ({ type: 'data', data }) as const),
      { type: 'complete', data: { answer: 42 } },
      { type: 'error', error: { code: 'TIMEOUT', message: 'late', name: 'TimeoutError' } },
    ];
    for (const chunk of chunks) expect(JSON.parse(JSON.stringify(toStreamChunk(chunk)))).toEqual(chunk);
  });

  test('turns what was thrown into code, message and name, without its stack', () => {
    const thrown = Object.assign(new RangeError('too far'), { code: 'TOO_FAR' });
    expect(toStreamChunk({ type: 'error', error: thrown })).toEqual({
      type: 'error',
      error: { code: 'TOO_FAR', message: 'too far', name: 'RangeError' },
    });
    expect(toStreamChunk({ type: 'error', error: 'plain' })).toEqual({
      type: 'error',
      error: { code: 'ERROR', message: 'plain' },
    });
    expect(toStreamChunk({ type: 'error', error: undefined, data: 1 })).toMatchObject({ type: 'error', data: 1 });
  });

  test('refuses data that JSON cannot carry', () => {
    for (const data of [Number.NaN, 1n, () => 1, Symbol('s')]) {
      expect(() => toStreamChunk({ type: 'data', data })).toThrow(expect.objectContaining({ code: 'UNSERIALISABLE' }));
    }
  });
});

test('isStreamChunk tells chunks from other values', () => {
  expect(isStreamChunk({ type: 'data', data: 0 })).toBe(true);
  for (const value of [null, undefined, 5, 'data', {}, { type: 'other' }, ['data']])
    expect(isStreamChunk(value)).toBe(false);
});
