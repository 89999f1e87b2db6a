import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { PositionIndex } from '../src/position-index.ts';

const ORIGIN = 300;

describe('the position index', () => {
  it('finds a frame at or before every position, never too far before it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 40, max: 200_000 })), { maxLength: 200 }),
        (sizes) => {
          const index = new PositionIndex();
          const frames: { position: number; offset: number }[] = [];
          let at = { position: 0, offset: ORIGIN };
          for (const [count, bytes] of sizes) {
            frames.push(at);
            index.add(at.position, at.offset);
            at = { position: at.position + count, offset: at.offset + bytes };
          }
          for (const { position, offset } of frames) {
            const found = index.locate(position, ORIGIN);
            expect(found.position).toBeLessThanOrEqual(position);
            expect(offset - found.offset).toBeLessThan(65_536 + 200_000);
            expect(PositionIndex.from(index.toData()).locate(position, ORIGIN)).toEqual(found);
            const after = index.offsetAfter(position, at.offset);
            expect(after).toBeGreaterThanOrEqual(offset);
            expect(after - offset).toBeLessThanOrEqual(65_536 + 200_000);
          }
        },
      ),
    );
  });

  it('stays small however long the log is, and exact to a small share of it', () => {
    const index = new PositionIndex();
    const frames = 3_000_000;
    const bytes = 5_000;
    for (let n = 0; n < frames; n++) index.add(n, ORIGIN + n * bytes);
    expect(index.toData().entries.length).toBeLessThanOrEqual(2 * 4_096);
    for (const position of [0, 1, 1_000_000, frames - 1]) {
      const { offset } = index.locate(position, ORIGIN);
      expect(ORIGIN + position * bytes - offset).toBeLessThan((frames * bytes) / 1_000);
    }
  });
});
