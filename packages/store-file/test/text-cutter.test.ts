import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TextCutter } from '../src/text-cutter.ts';

/** Cuts all texts but those skipped. */
function cutAll(texts: readonly string[], isWanted: (index: number) => boolean = () => true): string[] {
  const cutter = new TextCutter(Buffer.from(texts.join('')));
  let at = 0;
  return texts.flatMap((text, index) => {
    const start = at;
    at += Buffer.byteLength(text);
    return isWanted(index) ? [cutter.cut(start, at)] : [];
  });
}

describe('texts cut out of a frame', () => {
  const ascii = fc.string({ unit: 'grapheme-ascii', maxLength: 3_000 });
  const any = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => text.isWellFormed());

  it('are those that went in, whatever their size and their characters', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 5, arbitrary: ascii }, any), { maxLength: 20 }),
        fc.nat(19),
        (texts, skipped) => {
          expect(cutAll(texts)).toEqual(texts);
          expect(cutAll(texts, (index) => index >= skipped)).toEqual(texts.slice(skipped));
        },
      ),
    );
  });

  it.each(['é', '中', '😀', '\ufeff'])('are right where a group of them ends within %s', (character) => {
    for (let before = 4_090; before <= 4_097; before++) {
      const texts = ['a', 'x'.repeat(before), `b${character}c`, 'd', character, 'e'.repeat(5_000)];
      expect(cutAll(texts)).toEqual(texts);
      expect(cutAll(texts.slice(1))).toEqual(texts.slice(1));
    }
  });
});
