import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Histogram } from '../../src/metadata/histogram.ts';
import { Sampler } from '../../src/metadata/sampler.ts';

const filled = (values: readonly number[]): Histogram => {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
};

describe('Histogram', () => {
  it('tells percentiles to within 0.8 percent, from nanoseconds to minutes', () => {
    const duration = fc.double({ min: -14, max: 19, noNaN: true }).map((exponent) => 2 ** exponent);
    fc.assert(
      fc.property(
        fc.array(duration, { minLength: 1, maxLength: 200 }),
        fc.constantFrom(0, 0.5, 0.95, 0.99, 1),
        (values, share) => {
          const exact = values.toSorted((a, b) => a - b)[Math.max(Math.ceil(share * values.length), 1) - 1] ?? NaN;
          const told = filled(values).percentile(share) ?? NaN;
          // A bucket is 1/64 wide; within it, values are taken as evenly spread.
          expect(Math.abs(told - exact) / exact).toBeLessThan(1 / 64);
        },
      ),
    );
    const even = filled(Array.from({ length: 10_000 }, (_, i) => 1 + i / 1_000));
    for (const share of [0.5, 0.95, 0.99]) {
      expect(Math.abs((even.percentile(share) ?? 0) - (1 + share * 10)) / (1 + share * 10)).toBeLessThan(0.008);
    }
  });

  it('tells the mean exactly, and nothing of nothing', () => {
    expect(filled([1, 2, 6]).mean).toBe(3);
    expect(new Histogram().mean).toBe(0);
    expect(new Histogram().percentile(0.5)).toBeUndefined();
  });

  it('takes values beyond its range', () => {
    const histogram = filled([0, 1e-9, 1e9]);
    expect(histogram.count).toBe(3);
    expect(histogram.percentile(0)).toBeLessThan(1e-4);
    expect(histogram.percentile(1)).toBeGreaterThan(1e6 - 1);
  });
});

describe('Sampler', () => {
  const gaps = (sampler: Sampler, count: number, msPerItem: number): number[] => {
    let now = 0;
    return Array.from({ length: count }, () => {
      const gap = sampler.next(now);
      now += gap * msPerItem;
      return gap;
    });
  };
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

  it('takes every item of a slow stream', () => {
    expect(new Set(gaps(new Sampler('auto', Math.random), 50, 1))).toEqual(new Set([1]));
  });

  it('takes about 10,000 a second of a fast stream', () => {
    const late = gaps(new Sampler('auto', Math.random), 4_000, 0.001).slice(1_000);
    expect(mean(late)).toBeGreaterThan(50);
    expect(mean(late)).toBeLessThan(200);
    expect(new Set(late).size).toBeGreaterThan(20);
  });

  it('takes the share it is told', () => {
    expect(mean(gaps(new Sampler(1 / 64, Math.random), 4_000, 0.001))).toBeCloseTo(64, -1);
    expect(gaps(new Sampler(1, Math.random), 10, 0.001)).toEqual(Array(10).fill(1));
    const none = new Sampler(0, Math.random);
    expect(none.enabled).toBe(false);
    expect(none.first()).toBeGreaterThan(1_000_000);
  });
});
