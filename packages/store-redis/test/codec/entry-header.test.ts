import { isStreamError } from '@perennial/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type Attributes, countOf, HeaderDecoder } from '../../src/codec/entry-header.ts';

/** A header as text, split the obvious way. */
function parsed(header: string): unknown {
  const [time, count = '1', sequence = '', ...attributes] = header.split(';');
  const text = attributes.join(';');
  return {
    timestamp: Number(time),
    count: Number(count),
    sequence: Number(sequence.replace('=', '')),
    isDifference: !sequence.startsWith('='),
    attributes: text === '' ? {} : (JSON.parse(text) as Attributes),
    bytes: Buffer.byteLength(header) + 1,
  };
}

const time = fc.oneof(fc.nat({ max: 2_000_000_000_000 }), fc.double({ min: 1, max: 2e12, noNaN: true })).map(String);
const sequence = fc.oneof(
  fc.constant(''),
  fc.maxSafeNat().map(String),
  fc.maxSafeNat().map((value) => `-${value + 1}`),
  fc.maxSafeNat().map((value) => `=${value}`),
);
const attributes = fc.oneof(
  fc.constant(''),
  fc.constantFrom('{"p":"a;b","e":0}', '{"p":"a;b","e":1}', '{"p":"é\\n\u{1f600}","e":3}'),
  fc.record({ s: fc.string(), a: fc.nat() }).map((value) => JSON.stringify(value)),
);
const header = fc.oneof(
  time,
  fc.tuple(time, fc.integer({ min: 1, max: 128 }), sequence, attributes).map((parts) => parts.join(';')),
);

describe('headers of entries', () => {
  it('are decoded one after the other like text that is split', () => {
    fc.assert(
      fc.property(fc.array(header, { maxLength: 8 }), fc.string(), (headers, payload) => {
        const decoder = new HeaderDecoder();
        for (const text of headers) {
          const entry = Buffer.from(`${text}\n${payload}`);
          expect(decoder.decode(entry)).toEqual(parsed(text));
          expect(countOf(entry)).toBe(Number(text.split(';')[1] ?? 1));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('that this store did not write are refused, whatever came before', () => {
    const decoder = new HeaderDecoder();
    decoder.decode(Buffer.from('1;1;0;{"p":"a","e":0}\n1'));
    const refused = ['', '\n', 'x\n', '1', '1;\n', '1;1\n', '1;1;0\n', '1;1;0;', '1;x;0;\n', '1;1;x;\n', '1;1;=;{\n'];
    const isRefused = (text: string): boolean => {
      try {
        decoder.decode(Buffer.from(text));
        return false;
      } catch (error) {
        return isStreamError(error) && error.code === 'CORRUPT';
      }
    };
    expect(refused.filter((text) => !isRefused(text))).toEqual([]);
    expect(decoder.decode(Buffer.from('1;1;0;{"p":"a","e":0}\n1')).attributes).toEqual({ p: 'a', e: 0 });
  });
});
