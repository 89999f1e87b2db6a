import fc from 'fast-check';
import { expect, test } from 'vitest';

import { decodeOrdered, decodeUtf16, encodeOrdered, encodeUtf16 } from '../../src/codec/ordered-text.ts';

const text = fc.string({
  unit: fc.constantFrom(
    'a',
    'b',
    '/',
    '\u0000',
    '\u00e9',
    '\u20ac',
    '\ud83d',
    '\ude00',
    '\ufffd',
    '\uff5e',
    '\u{1f600}',
  ),
});
const bytesOf = (encoded: string | Buffer): Buffer => Buffer.from(encoded);
const sign = (value: number): number => Math.sign(value);
const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

test('bytes sort like code units, and prefixes stay prefixes', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      const [x, y] = [bytesOf(encodeOrdered(a)), bytesOf(encodeOrdered(b))];
      expect(sign(Buffer.compare(x, y))).toBe(order(a, b));
      expect(y.subarray(0, x.length).equals(x)).toBe(b.startsWith(a));
    }),
  );
});

test('ordered text decodes to what it was', () => {
  fc.assert(
    fc.property(text, (value) => {
      expect(decodeOrdered(bytesOf(encodeOrdered(value)))).toBe(value);
    }),
  );
});

test('text of the first plane is stored as it is', () => {
  expect(encodeOrdered('runs/r42/tökens')).toBe('runs/r42/tökens');
});

test('UTF-16BE sorts like code units and decodes to what it was', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(sign(Buffer.compare(encodeUtf16(a), encodeUtf16(b)))).toBe(order(a, b));
      expect(decodeUtf16(encodeUtf16(a))).toBe(a);
    }),
  );
});
