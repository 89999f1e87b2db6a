import { asyncGeneratorOf, StreamingPipeline, type WindowOptions } from '@perennial/pipeline';
import { describe, expect, it } from 'vitest';

import { TestClock } from '../support/clock.ts';
import { counted, rejection, settle } from '../support/sources.ts';

const numbers = (options = {}): ReturnType<typeof StreamingPipeline.start<number>> =>
  StreamingPipeline.start<number>(undefined, options);

/** A source that the test feeds by hand. */
function manual(): { readonly source: AsyncIterable<number>; give(...values: number[]): Promise<void>; end(): void } {
  const waiting: ((step: IteratorResult<number>) => void)[] = [];
  const ready: number[] = [];
  let ended = false;
  return {
    source: {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          new Promise((resolve) => {
            const value = ready.shift();
            if (value !== undefined) resolve({ done: false, value });
            else if (ended) resolve({ done: true, value: undefined });
            else waiting.push(resolve);
          }),
      }),
    },
    async give(...values) {
      for (const value of values) {
        const resolve = waiting.shift();
        if (resolve) resolve({ done: false, value });
        else ready.push(value);
        await settle();
      }
    },
    end() {
      ended = true;
      waiting.shift()?.({ done: true, value: undefined });
    },
  };
}

describe('batch with maxWaitMs', () => {
  it('gives an incomplete batch when its first item has waited', async () => {
    const clock = new TestClock();
    const source = manual();
    const run = numbers({ clock }).batch('b', 3, { maxWaitMs: 100 }).execute(source.source);
    const first = run.next();
    await settle();
    expect(clock.sleeping).toBe(0);
    await source.give(1);
    clock.advance(60);
    await source.give(2);
    clock.advance(39);
    await settle();
    clock.advance(1);
    expect(await first).toEqual({ done: false, value: [1, 2] });
    const second = run.next();
    await source.give(3, 4, 5);
    expect((await second).value).toEqual([3, 4, 5]);
    const last = run.next();
    await source.give(6);
    source.end();
    expect((await last).value).toEqual([6]);
    expect((await run.next()).done).toBe(true);
    expect(clock.sleeping).toBe(0);
  });

  it('waits anew for a batch that was filled in time', async () => {
    const clock = new TestClock();
    const source = manual();
    const run = numbers({ clock }).batch('b', 2, { maxWaitMs: 100 }).execute(source.source);
    const first = run.next();
    await source.give(1);
    clock.advance(50);
    await source.give(2);
    expect((await first).value).toEqual([1, 2]);
    const second = run.next();
    await source.give(3);
    clock.advance(60);
    await settle();
    clock.advance(40);
    expect((await second).value).toEqual([3]);
    await run.return();
    expect(clock.sleeping).toBe(0);
  });
});

describe('window', () => {
  const windows = (options: WindowOptions<number>, ...items: number[]): Promise<number[][]> =>
    numbers()
      .window('w', options)
      .executeToArray(asyncGeneratorOf(...items));

  it.each<[string, WindowOptions<number>, number[], number[][]]>([
    ['of a number of items', { size: 2 }, [1, 2, 3], [[1, 2], [3]]],
    [
      'that overlap',
      { size: 3, step: 1 },
      [1, 2, 3, 4],
      [
        [1, 2, 3],
        [2, 3, 4],
      ],
    ],
    [
      'with the last one begun',
      { size: 3, step: 2 },
      [1, 2, 3, 4],
      [
        [1, 2, 3],
        [3, 4],
      ],
    ],
    ['with gaps', { size: 1, step: 3 }, [1, 2, 3, 4, 5], [[1], [4]]],
    ['of nothing', { size: 2 }, [], []],
    ['of time, by the items', { durationMs: 10, timestamp: (n) => n }, [1, 9, 10, 25, 26], [[1, 9], [10], [25, 26]]],
    [
      'of time that overlap',
      { durationMs: 10, everyMs: 5, timestamp: (n) => n },
      [1, 6, 12],
      [[1], [1, 6], [6, 12], [12]],
    ],
    ['of time with gaps', { durationMs: 5, everyMs: 10, timestamp: (n) => n }, [1, 7, 12, 31], [[1], [12], [31]]],
    ['of time with a late item', { durationMs: 10, timestamp: (n) => n }, [11, 3, 21], [[3, 11], [21]]],
    ['of time after a long pause', { durationMs: 10, timestamp: (n) => n }, [5, 1_000_000_005], [[5], [1_000_000_005]]],
  ])('%s', async (_, options, items, expected) => {
    expect(await windows(options, ...items)).toEqual(expected);
  });

  it('of time by the clock ends on a quiet stream', async () => {
    const clock = new TestClock();
    const source = manual();
    const run = numbers({ clock }).window('w', { durationMs: 100 }).execute(source.source);
    const first = run.next();
    await source.give(1);
    clock.advance(99);
    await source.give(2);
    clock.advance(1);
    expect((await first).value).toEqual([1, 2]);
    const second = run.next();
    clock.advance(1_000);
    await source.give(3);
    clock.advance(100);
    expect((await second).value).toEqual([3]);
    await run.return();
  });

  it('is bounded', async () => {
    const pipeline = numbers().window('w', { durationMs: 10, timestamp: () => 1, limit: 4 });
    expect(await rejection(pipeline.executeToArray(counted().source))).toMatchObject({
      name: 'CheckpointOverflow',
      key: 'w',
      limit: 4,
    });
  });

  it('reports an item without a time', async () => {
    const pipeline = numbers().window('w', { durationMs: 10, timestamp: () => NaN });
    expect(await rejection(pipeline.executeToArray(1))).toMatchObject({ stepName: 'w', itemIndex: 0 });
  });

  it.each([
    [{}, 'a `size` in items or a `durationMs`'],
    [{ size: 1, durationMs: 1 }, 'one of them'],
    [{ size: 0 }, '`size`'],
    [{ size: 2, step: 0 }, '`step`'],
    [{ durationMs: 0 }, 'above 0'],
    [{ durationMs: -1 }, '`durationMs`'],
    [{ durationMs: 1, limit: 0 }, '`limit`'],
  ])('refuses %j', (options, message) => {
    expect(() => numbers().window('w', options as never)).toThrow(message);
  });
});

describe('groupBy', () => {
  const parity = (n: number): string => (n % 2 === 0 ? 'even' : 'odd');

  it('gives the groups at the end, in the order in which they were first seen', async () => {
    const groups = await numbers()
      .groupBy('g', parity)
      .executeToArray(asyncGeneratorOf(1, 2, 3, 4));
    expect(groups).toEqual([
      { key: 'odd', items: [1, 3] },
      { key: 'even', items: [2, 4] },
    ]);
  });

  it('gives a group as soon as it is full', async () => {
    const source = counted();
    const run = numbers().groupBy('g', parity, { maxSize: 2 }).execute(source.source);
    expect((await run.next()).value).toEqual({ key: 'even', items: [0, 2] });
    expect(source.pulls).toBe(3);
    expect((await run.next()).value).toEqual({ key: 'odd', items: [1, 3] });
    await run.return();
  });

  it('gives groups of sorted input when the key changes', async () => {
    const run = numbers()
      .groupBy('g', (n) => Math.floor(n / 2), { consecutive: true })
      .execute(counted(5).source);
    expect((await run.next()).value).toEqual({ key: 0, items: [0, 1] });
    expect((await run.next()).value).toEqual({ key: 1, items: [2, 3] });
    expect((await run.next()).value).toEqual({ key: 2, items: [4] });
    expect((await run.next()).done).toBe(true);
  });

  it('is bounded, and reports a key that cannot be told', async () => {
    expect(
      await rejection(numbers().groupBy('g', parity, { limit: 3 }).executeToArray(counted().source)),
    ).toMatchObject({ name: 'CheckpointOverflow', limit: 3 });
    const broken = numbers().groupBy('g', (n) => {
      if (n === 2) throw new Error('no key');
      return n;
    });
    expect(await rejection(broken.executeToArray(counted().source))).toMatchObject({ stepName: 'g', itemIndex: 2 });
  });
});

describe('join', () => {
  const people = [
    { id: 1, name: 'Ada' },
    { id: 2, name: 'Bob' },
    { id: 1, name: 'Alan' },
  ];
  const keys = { leftKey: (n: number): number => n, rightKey: ({ id }: { readonly id: number }): number => id };

  it('pairs items with the same key', async () => {
    const pairs = await numbers()
      .join('j', people, keys)
      .executeToArray(asyncGeneratorOf(1, 3, 2));
    expect(pairs.map(({ left, right }) => [left, right.name])).toEqual([
      [1, 'Ada'],
      [1, 'Alan'],
      [2, 'Bob'],
    ]);
  });

  it('keeps items without a partner with type: left', async () => {
    const pairs = await numbers()
      .join('j', people, { ...keys, type: 'left' })
      .executeToArray(asyncGeneratorOf(3));
    expect(pairs).toEqual([{ left: 3, right: undefined }]);
  });

  it('opens the other stream once per run, before the first pair', async () => {
    let opened = 0;
    const pipeline = numbers().join(
      'j',
      async function* () {
        opened++;
        yield* people;
      },
      keys,
    );
    await pipeline.executeToArray(asyncGeneratorOf(1, 2));
    await pipeline.executeToArray(asyncGeneratorOf(1, 2));
    await pipeline.executeToArray(asyncGeneratorOf<number>());
    expect(opened).toBe(2);
  });

  it('is bounded', async () => {
    const error = await rejection(
      numbers()
        .join('j', people, { ...keys, limit: 2 })
        .executeToArray(1),
    );
    expect(error).toMatchObject({ code: 'CHECKPOINT_OVERFLOW', stepName: 'j' });
  });
});

describe('merge', () => {
  it('gives the items of all streams, each in its own order', async () => {
    const values = await numbers()
      .merge('m', [10, 11, 12], () => [20, 21])
      .executeToArray(asyncGeneratorOf(0, 1));
    expect(values.toSorted((a, b) => a - b)).toEqual([0, 1, 10, 11, 12, 20, 21]);
    for (const tens of [0, 1, 2]) {
      const own = values.filter((n) => Math.floor(n / 10) === tens);
      expect(own).toEqual(own.toSorted((a, b) => a - b));
    }
  });

  it('does not let a stream that is always ready starve the others', async () => {
    const run = numbers()
      .merge(
        'm',
        Array.from({ length: 1_000 }, () => -1),
      )
      .executeFrom(Array.from({ length: 1_000 }, () => 1));
    let sum = 0;
    for (let i = 0; i < 100; i++) sum += (await run.next()).value ?? 0;
    await run.return();
    expect(sum).toBe(0);
  });

  it('gives items while another stream is quiet, and asks each for one ahead at most', async () => {
    const quiet = manual();
    const busy = counted();
    const run = numbers().merge('m', quiet.source).execute(busy.source);
    expect([(await run.next()).value, (await run.next()).value]).toEqual([0, 1]);
    await settle();
    expect(busy.pulls).toBeLessThanOrEqual(3);
    await quiet.give(7);
    const next = [(await run.next()).value, (await run.next()).value];
    expect(next).toContain(7);
    await run.return();
    expect(busy.closed).toBe(1);
  });

  it('names the stream that failed, and closes the others', async () => {
    const main = counted();
    const pipeline = numbers().merge(
      'other',
      // oxlint-disable-next-line require-yield -- it throws before it could
      async function* (): AsyncGenerator<number> {
        throw Object.assign(new Error('gone'), { code: 'E_GONE' });
      },
    );
    const error = await rejection(pipeline.executeToArray(main.source));
    expect(error).toMatchObject({ stepName: 'other', code: 'E_GONE' });
    expect(main.closed).toBe(1);
  });
});
