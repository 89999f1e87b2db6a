import { describe, expect, it } from 'vitest';

import { defineActivity } from '../../src/index.ts';

const sum = defineActivity({
  name: 'sum',
  batchSize: 100,
  process: (batch: readonly number[]) => batch.reduce((total, value) => total + value, 0),
});

describe('an activity', () => {
  it('reports each batch with its counts', async () => {
    const seen: unknown[] = [];
    for await (const batch of sum.stream(Array.from({ length: 250 }, () => 1))) seen.push(batch);
    expect(seen).toEqual([
      { index: 0, count: 100, processed: 100, result: 100 },
      { index: 1, count: 100, processed: 200, result: 100 },
      { index: 2, count: 50, processed: 250, result: 50 },
    ]);
    expect(await sum.execute([1, 2, 3])).toEqual([6]);
    expect(await sum.execute([])).toEqual([]);
  });

  it('reads no further than the consumer asks, and closes the source when it leaves', async () => {
    let read = 0;
    let closed = false;
    async function* endless(): AsyncGenerator<number, void, unknown> {
      try {
        for (;;) yield ++read;
      } finally {
        closed = true;
      }
    }
    for await (const batch of sum.stream(endless())) if (batch.index === 1) break;
    expect(read).toBe(200);
    expect(closed).toBe(true);
  });

  it('names what it cannot work on', () => {
    expect(() => sum.stream(5 as never)).toThrow(/"sum".*got 5/);
    expect(() => defineActivity({ name: 'x', batchSize: 0, process: () => 1 })).toThrow(/`batchSize`/);
  });
});
