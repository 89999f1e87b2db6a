import { createStreamingStep, StreamingPipeline } from '@perennial/pipeline';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { counted, Gates, rejection, settle } from '../support/sources.ts';

const numbers = (): ReturnType<typeof StreamingPipeline.start<number>> => StreamingPipeline.start<number>();

describe('parallel', () => {
  it('keeps the order of the items', async () => {
    const gates = new Gates();
    const run = numbers()
      .map('a', (n) => gates.wait(n).then(() => n), { parallel: true, concurrencyLimit: 3 })
      .execute(counted(3).source);
    const values = [run.next(), run.next(), run.next()];
    for (const n of [2, 1, 0]) gates.open(n);
    expect((await Promise.all(values)).map(({ value }) => value)).toEqual([0, 1, 2]);
  });

  it.each([true, false])(
    'takes a foreign promise that settles at once, and twice, for one value (ordered: %s)',
    async (ordered) => {
      const twice = (n: number): PromiseLike<number> => ({
        // oxlint-disable-next-line unicorn/no-thenable -- what a sloppy library returns
        then(fulfilled) {
          void fulfilled?.(n);
          void fulfilled?.(n + 100);
          return new Promise(() => undefined);
        },
      });
      const values = await numbers()
        .map('a', twice, { parallel: true, concurrencyLimit: 3, ordered })
        .executeToArray(counted(5).source);
      expect(values).toEqual([0, 1, 2, 3, 4]);
    },
  );

  it('gives items as they complete with ordered: false', async () => {
    const gates = new Gates();
    const run = numbers()
      .map('a', (n) => gates.wait(n).then(() => n), { parallel: true, concurrencyLimit: 3, ordered: false })
      .execute(counted(4).source);
    const seen: unknown[] = [];
    for (const n of [2, 0, 3, 1]) {
      const next = run.next();
      await settle();
      gates.open(n);
      seen.push((await next).value);
    }
    expect(seen).toEqual([2, 0, 3, 1]);
    expect((await run.next()).done).toBe(true);
  });

  it('bounds what is read, in flight and finished together, for any order of completion', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        fc.array(fc.nat(5), { minLength: 30, maxLength: 30 }),
        async (limit, ordered, turns) => {
          const source = counted(30);
          let running = 0;
          let most = 0;
          let emitted = 0;
          let ahead = 0;
          const run = numbers()
            .map(
              'a',
              async (n) => {
                most = Math.max(most, ++running);
                for (let i = 0; i < (turns[n] ?? 0); i++) await Promise.resolve();
                running--;
                return n;
              },
              { parallel: true, concurrencyLimit: limit, ordered },
            )
            .execute(source.source);
          const seen: number[] = [];
          for await (const n of run) {
            seen.push(n);
            emitted++;
            ahead = Math.max(ahead, source.pulls - emitted);
          }
          expect(ordered ? seen : seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i));
          expect(most).toBeLessThanOrEqual(limit);
          expect(ahead).toBeLessThanOrEqual(limit);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('starts one generator per item', async () => {
    const seen: number[][] = [];
    const values = await numbers()
      .map(
        'a',
        createStreamingStep('a', async function* ({ input }) {
          const items: number[] = [];
          for await (const n of input) {
            items.push(n);
            yield n;
            yield -n;
          }
          seen.push(items);
        }),
        { parallel: true },
      )
      .executeToArray(counted(3).source);
    expect(values).toEqual([0, -0, 1, -1, 2, -2]);
    expect(seen.toSorted(([a = 0], [b = 0]) => a - b)).toEqual([[0], [1], [2]]);
  });

  it('does not run far ahead within an item', async () => {
    const made = new Map<number, number>();
    const run = numbers()
      .flatMap(
        'a',
        async function* (n) {
          for (let i = 0; i < 1_000; i++) {
            made.set(n, i + 1);
            yield n * 1_000 + i;
          }
        },
        { parallel: true, concurrencyLimit: 3 },
      )
      .execute(counted(10).source);
    await run.next();
    for (let i = 0; i < 100; i++) await settle();
    expect([...made.keys()]).toEqual([0, 1, 2]);
    expect(Math.max(...made.values())).toBeLessThanOrEqual(20);
    await run.return();
  });

  it('closes what is in flight when the run is left', async () => {
    let closed = 0;
    const run = numbers()
      .flatMap(
        'a',
        async function* (n) {
          try {
            for (;;) yield n;
          } finally {
            closed++;
          }
        },
        { parallel: true, concurrencyLimit: 3 },
      )
      .execute(counted().source);
    await run.next();
    await settle();
    await run.return();
    expect(closed).toBe(3);
  });

  it('gives what came before a failure of the source or of an item, then the error', async () => {
    for (const create of [
      () => numbers().map('bad', (n) => (n === 3 ? Promise.reject(new Error('no')) : n), { parallel: true }),
      () =>
        numbers()
          .map('bad', (n) => (n === 3 ? Promise.reject(new Error('no')) : n))
          .map('b', async (n) => n, { parallel: true }),
    ]) {
      const seen: number[] = [];
      const error = await rejection(
        (async () => {
          for await (const n of create().execute(counted().source)) seen.push(n);
        })(),
      );
      expect(error).toMatchObject({ stepName: 'bad', itemIndex: 3 });
      expect(seen).toEqual([0, 1, 2]);
    }
  });

  it('fails as soon as it is known with ordered: false, after what is finished', async () => {
    const gates = new Gates();
    const run = numbers()
      .map('bad', (n) => (n === 1 ? Promise.reject(new Error('no')) : gates.wait(n)), {
        parallel: true,
        ordered: false,
      })
      .execute(counted(3).source);
    expect(await rejection(run.next())).toMatchObject({ itemIndex: 1 });
  });

  it('drops items whose values stop with an error, from there on', async () => {
    const pipeline = numbers().flatMap(
      'a',
      async function* (n) {
        yield n;
        if (n === 1) throw new Error('half');
        yield -n;
      },
      { parallel: true, errorStrategy: 'COLLECT_ERRORS' },
    );
    expect(await pipeline.executeToArray(counted(3).source)).toEqual([0, -0, 1, 2, -2]);
    expect((await pipeline.getMetadata()).steps[0]?.errors).toMatchObject([{ itemIndex: 1, item: 1 }]);
  });

  it('counts each item once', async () => {
    const pipeline = numbers().flatMap('a', (n) => [n, n], { parallel: true });
    await pipeline.executeToArray(counted(5).source);
    expect((await pipeline.getMetadata()).steps[0]).toMatchObject({
      receivedCount: 5,
      timing: { itemCount: 10 },
      executionMode: 'parallel-streaming',
    });
  });
});

describe('flatMap', () => {
  it.each([
    ['an array', (n: number) => [n, n]],
    ['a promise of an array', async (n: number) => [n, n]],
    ['a set', (n: number) => new Set([n, n + 0.5])],
    [
      'a generator',
      function* (n: number): Generator<number> {
        yield n;
        yield n;
      },
    ],
    [
      'an async generator',
      async function* (n: number): AsyncGenerator<number> {
        yield n;
        yield n;
      },
    ],
  ])('takes %s apart', async (_, fn) => {
    const values = await numbers()
      .flatMap('a', fn as (n: number) => Iterable<number>)
      .executeToArray(counted(3).source);
    expect(values).toHaveLength(6);
  });

  it.each([
    ['a number', 1, 'got 1.'],
    ['undefined', undefined, 'got undefined.'],
    ['a string', 'ab', 'got "ab". Wrap a string in an array.'],
  ])('refuses %s', async (_, value, message) => {
    const error = await rejection(
      numbers()
        .flatMap('a', () => value as never)
        .executeToArray(1),
    );
    expect(String(error)).toContain("`flatMap` of 'a' needs a function that returns an iterable");
    expect(String(error)).toContain(message);
  });

  it('retries a function, but not values it has given', async () => {
    let tries = 0;
    const pipeline = StreamingPipeline.start<number>().flatMap(
      'a',
      (n) => {
        if (tries++ === 0) throw new Error('first');
        return (function* () {
          yield n;
          throw new Error('second');
        })();
      },
      { retry: { maxAttempts: 3, backoffMs: 0 }, errorStrategy: 'COLLECT_ERRORS' },
    );
    expect(await pipeline.executeToArray(7)).toEqual([7]);
    expect(tries).toBe(2);
    expect((await pipeline.getMetadata()).steps[0]?.errors?.map((error) => String(error.cause))).toEqual([
      'Error: second',
    ]);
  });
});
