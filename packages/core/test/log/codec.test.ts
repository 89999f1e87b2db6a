import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeData, encodeJson, isJsonContentType, mediaType, payloadsFit, recordSize } from '../../src/index.ts';

const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;
const failing = {
  toJSON(): never {
    throw new Error('no JSON today');
  },
};

describe('encodeJson', () => {
  it.each([
    ['undefined', undefined, 'undefined'],
    ['a function', () => 1, 'a function'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['a bigint', 12n, '12n'],
    ['a bigint within', { a: [12n] }, 'this object'],
    ['NaN', Number.NaN, 'null'],
    ['Infinity', Infinity, 'null'],
    ['-Infinity', -Infinity, 'null'],
    ['a cycle', cyclic, 'this object'],
    ['an object whose toJSON throws', failing, 'no JSON today'],
    ['an object whose toJSON gives nothing', { toJSON: () => undefined }, 'this object'],
  ])('refuses %s', (_name, value, shown) => {
    const refusal = { code: 'UNSERIALISABLE', type: 'STREAM_UNSERIALISABLE', message: expect.stringContaining(shown) };
    expect(() => encodeJson(value)).toThrow(expect.objectContaining(refusal));
  });

  it('keeps the cause', () => {
    expect(() => encodeJson(failing)).toThrow(expect.objectContaining({ cause: new Error('no JSON today') }));
  });

  it.each([
    ['null', null, 'null'],
    ['an empty string', '', '""'],
    ['a lone surrogate', '\ud800', String.raw`"\ud800"`],
    ['a date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['negative zero', -0, '0'],
    ['own __proto__', JSON.parse('{"__proto__":1}'), '{"__proto__":1}'],
    ['members that JSON leaves out', { a: undefined, b: () => 1 }, '{}'],
  ])('encodes %s', (_name, value, text) => {
    expect(encodeJson(value)).toBe(text);
  });

  it('gives well-formed text that decodes to the same value', () => {
    const check = (value: unknown): void => {
      const text = encodeJson(value);
      expect(text.isWellFormed()).toBe(true);
      expect(decodeData(text)).toEqual(JSON.parse(JSON.stringify(value)));
    };
    fc.assert(fc.property(fc.jsonValue({ stringUnit: 'binary' }), check));
  });
});

describe('decodeData', () => {
  it('gives bytes as they are', () => {
    const bytes = new Uint8Array([1, 2]);
    expect(decodeData(bytes)).toBe(bytes);
  });
});

describe('content types', () => {
  it.each([
    ['application/json', 'application/json', true],
    [' Application/JSON ; charset=utf-8', 'application/json', true],
    ['application/ld+json;profile="x;y"', 'application/ld+json', true],
    ['application/x-ndjson', 'application/x-ndjson', false],
    ['text/plain', 'text/plain', false],
    ['application/json-seq', 'application/json-seq', false],
    ['', '', false],
  ])('%j is %j', (contentType, type, json) => {
    expect(mediaType(contentType)).toBe(type);
    expect(isJsonContentType(contentType)).toBe(json);
  });

  it('tell which payloads fit', () => {
    const text = [{ data: '1' }];
    const bytes = [{ data: new Uint8Array() }];
    const supersede = [{ kind: 'supersede', step: 's', belowAttempt: 1 }] as const;
    expect(
      [text, bytes, supersede, [...text, ...bytes], []].map((records) => payloadsFit(records, 'application/json')),
    ).toEqual([true, false, true, false, true]);
    expect([text, bytes, supersede].map((records) => payloadsFit(records, 'text/plain'))).toEqual([false, true, true]);
  });
});

describe('recordSize', () => {
  it('counts payload, or the step of a supersede record', () => {
    expect(recordSize({ data: '"abc"' })).toBe(5);
    expect(recordSize({ data: new Uint8Array(7) })).toBe(7);
    expect(recordSize({ kind: 'supersede', step: 'step', belowAttempt: 2 })).toBe(4);
  });
});
