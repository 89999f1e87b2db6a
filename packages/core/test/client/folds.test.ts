import { describe, expect, it } from 'vitest';

import { createItemsFold } from '../../src/client/items-fold.ts';
import { createReduceFold } from '../../src/client/reduce-fold.ts';

const entry = (value: number, step?: string, attempt?: number) => ({
  value,
  position: value,
  timestamp: 0,
  ...(step !== undefined && { step }),
  ...(attempt !== undefined && { attempt }),
});

describe('the items', () => {
  it('are limited to the last ones, and all of them counted', () => {
    const fold = createItemsFold<number>(3);
    for (let i = 0; i < 20; i++) {
      fold.add(entry(i));
      expect(fold.data).toEqual([i - 2, i - 1, i].filter((n) => n >= 0));
    }
    expect(fold.count).toBe(20);
  });

  it('stay limited when nobody looks', () => {
    const fold = createItemsFold<number>(3);
    for (let i = 0; i < 20; i++) fold.add(entry(i));
    expect(fold.data).toEqual([17, 18, 19]);
  });

  it('that were dropped and are retracted are no longer counted', () => {
    const fold = createItemsFold<number>(2);
    for (let i = 0; i < 6; i++) fold.add(entry(i, 's', 1));
    fold.add(entry(6));
    expect(fold.retract('s', 2)).toBe(true);
    expect([fold.data, fold.count]).toEqual([[6], 1]);
    expect(fold.retract('s', 2)).toBe(true);
    expect(fold.count).toBe(1);
  });

  it('of a snapshot cannot be retracted one by one, also those that were dropped', () => {
    const fold = createItemsFold<number>(2);
    for (let i = 0; i < 4; i++) fold.add(entry(i, 's', 1));
    fold.add(entry(4));
    fold.add(entry(5));
    const restored = createItemsFold<number>(2, fold.snapshot());
    expect([restored.data, restored.count, restored.retract('s', 1), restored.retract('s', 2)]).toEqual([
      [4, 5],
      6,
      true,
      false,
    ]);
  });

  it('are not shared with a snapshot', () => {
    const fold = createItemsFold<number>(9, { data: Object.freeze([1]), count: 1 });
    const before = fold.data;
    fold.add(entry(2));
    expect([before, fold.data]).toEqual([[1], [1, 2]]);
  });
});

describe('reduced data', () => {
  const sum = (maxUndo: number) => {
    let calls = 0;
    const reducer = (data: number, item: number): number => {
      calls++;
      return data + item;
    };
    return {
      fold: createReduceFold<number, number>({ reducer: () => reducer, from: { data: 0, count: 0 }, maxUndo }),
      calls: () => calls,
    };
  };

  it('of a stream without steps costs one call per value and keeps nothing to undo', () => {
    const { fold, calls } = sum(2);
    for (let i = 1; i <= 100; i++) fold.add(entry(i));
    expect([fold.data, fold.count, calls(), fold.snapshot().steps]).toEqual([5_050, 100, 100, undefined]);
  });

  it('is undone as far as it was kept, and says so beyond', () => {
    const { fold } = sum(4);
    fold.add(entry(1, 'a', 1));
    for (let i = 2; i <= 5; i++) fold.add(entry(i, 'b', 1));
    expect(fold.retract('a', 2)).toBe(false);
    expect(fold.retract('a', 1)).toBe(true);
    const { fold: kept } = sum(10);
    for (let i = 1; i <= 5; i++) kept.add(entry(i, i % 2 ? 'a' : undefined, 1));
    expect(kept.retract('a', 2)).toBe(true);
    expect([kept.data, kept.count]).toEqual([6, 2]);
  });

  it('costs a bounded number of calls per value, however long a step is', () => {
    const { fold, calls } = sum(100);
    for (let i = 1; i <= 10_000; i++) fold.add(entry(i, 's', 1));
    expect(calls()).toBeLessThan(20_001);
    expect(fold.count).toBe(10_000);
  });
});
