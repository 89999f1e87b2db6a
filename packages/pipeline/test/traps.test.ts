/** What goes wrong in other streaming libraries, each as a test. */
import {
  asyncGeneratorOf,
  createStreamingStep,
  isStreamingError,
  PipelineError,
  StreamingErrorStrategy,
  StreamingPipeline,
} from '@perennial/pipeline';
import { afterEach, describe, expect, it } from 'vitest';

import { HastyClock } from './support/clock.ts';
import { collectGarbage } from './support/garbage.ts';
import { counted, Gates, hanging, rejection, settle } from './support/sources.ts';

const numbers = (options = {}): ReturnType<typeof StreamingPipeline.start<number>> =>
  StreamingPipeline.start<number>(undefined, options);
const collect = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const values: T[] = [];
  for await (const value of source) values.push(value);
  return values;
};

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
process.on('unhandledRejection', note);
afterEach(async () => {
  await settle();
  const [first] = unhandled.splice(0);
  if (first !== undefined) throw new Error('A rejection was not handled.', { cause: first });
});

describe('concurrency', () => {
  it('pulls at most `concurrencyLimit` items while the first one is pending', async () => {
    const source = counted(5_000);
    const gates = new Gates();
    const run = numbers()
      .map('slow', (n) => (n === 0 ? gates.wait(0).then(() => n) : n), { parallel: true, concurrencyLimit: 10 })
      .execute(source.source);
    const first = run.next();
    for (let i = 0; i < 20; i++) await settle();
    expect(source.pulls).toBe(10);
    gates.open(0);
    expect(await first).toEqual({ done: false, value: 0 });
    await run.return();
  });

  it('pulls at most `concurrencyLimit` items more than `take` behind it lets through', async () => {
    const source = counted();
    const values = await numbers()
      .map('work', async (n) => n, { parallel: true, concurrencyLimit: 10 })
      .take('two', 2)
      .executeToArray(source.source);
    expect(values).toEqual([0, 1]);
    expect(source.pulls).toBeLessThanOrEqual(12);
    expect(source.closed).toBe(1);
  });

  it.each([true, false])('passes undefined and null on (ordered: %s)', async (ordered) => {
    const values = await numbers()
      .map('nothing', async (n) => (n === 1 ? undefined : null), { parallel: true, ordered })
      .executeToArray(asyncGeneratorOf(0, 1, 2));
    expect(values).toHaveLength(3);
    expect(values.filter((value) => value === undefined)).toHaveLength(1);
  });

  it('takes a function that is not async', async () => {
    const values = await numbers()
      .map('plain', (n) => n * 2, { parallel: true })
      .executeToArray(asyncGeneratorOf(1, 2, 3));
    expect(values).toEqual([2, 4, 6]);
  });

  it('does not leave a second failure in flight unhandled', async () => {
    const gates = new Gates();
    const run = numbers()
      .map('bad', (n) => gates.wait(n).then(() => Promise.reject(new Error(`no ${n}`))), { parallel: true })
      .execute(counted(3).source);
    const first = rejection(run.next());
    await settle();
    for (const n of [2, 1, 0]) gates.open(n);
    expect(String(await first)).toContain('no 0');
  });

  it('starts nothing after a failure', async () => {
    const started: number[] = [];
    const gates = new Gates();
    const run = numbers()
      .map(
        'bad',
        async (n) => {
          started.push(n);
          if (n === 0) throw new Error('no');
          await gates.wait(n);
        },
        { parallel: true, concurrencyLimit: 2 },
      )
      .execute(counted().source);
    await rejection(run.next());
    await settle();
    expect(started).toEqual([0, 1]);
  });
});

describe('skipped failures', () => {
  const failing = (n: number): number => {
    if (n % 3 === 1) throw new Error(`no ${n}`);
    return n;
  };
  const skip = { errorStrategy: StreamingErrorStrategy.SKIP_FAILED };
  const generator = createStreamingStep<number, number>('generator', async function* ({ input }) {
    for await (const n of input) yield failing(n);
  });

  it.each([
    ['a function', () => numbers().map('step', failing, skip)],
    ['a parallel function', () => numbers().map('step', failing, { ...skip, parallel: true })],
    ['a generator step', () => numbers().map('step', generator, skip)],
    ['a parallel generator step', () => numbers().map('step', generator, { ...skip, parallel: true })],
    ['an added step', () => numbers().add('step', generator, skip)],
    ['a flatMap function', () => numbers().flatMap('step', (n) => [failing(n)], skip)],
    ['a predicate', () => numbers().filter('step', (n) => failing(n) >= 0, skip)],
  ])('do not end the stream: %s', async (_, create) => {
    const pipeline = create();
    expect(await pipeline.executeToArray(counted(10).source)).toEqual([0, 2, 3, 5, 6, 8, 9]);
    const [step] = (await pipeline.getMetadata()).steps;
    expect(step).toMatchObject({ errorCount: 3, receivedCount: 10, timing: { itemCount: 7 } });
  });

  it.each([
    ['a function', () => numbers().map('step', failing, { errorStrategy: 'COLLECT_ERRORS' })],
    ['a parallel function', () => numbers().map('step', failing, { errorStrategy: 'COLLECT_ERRORS', parallel: true })],
    ['a generator step', () => numbers().map('step', generator, { errorStrategy: 'COLLECT_ERRORS' })],
  ])('advance the index and are collected: %s', async (_, create) => {
    const pipeline = create();
    await pipeline.executeToArray(counted(10).source);
    const [step] = (await pipeline.getMetadata()).steps;
    expect(step?.errors?.map(({ itemIndex, item }) => [itemIndex, item])).toEqual([
      [1, 1],
      [4, 4],
      [7, 7],
    ]);
  });
});

describe('retries', () => {
  it('read the options, and double the wait', async () => {
    const clock = new HastyClock();
    let tries = 0;
    const values = await numbers({ clock })
      .map(
        'flaky',
        (n) => {
          if (++tries < 5) throw new Error('busy');
          return n;
        },
        { retry: { maxAttempts: 5, backoffMs: 100, jitter: 0 } },
      )
      .executeToArray(asyncGeneratorOf(7));
    expect(values).toEqual([7]);
    expect(clock.waits).toEqual([100, 200, 400, 800]);
  });
});

describe('state', () => {
  it('holds what steps emitted', async () => {
    const seen: unknown[] = [];
    await numbers()
      .map('doubled', (n) => n * 2)
      .map(
        'look',
        createStreamingStep('look', async function* ({ input, state }) {
          for await (const n of input) {
            seen.push(state.accumulated.doubled);
            yield n;
          }
        }),
      )
      .executeToArray(asyncGeneratorOf(1, 2));
    expect(seen).toEqual([2, 4]);
  });

  it('refuses a key that is taken, at run time too', () => {
    const key: string = 'same';
    const pipeline = numbers().map(key, (n) => n);
    expect(() => pipeline.map(key, (n) => n)).toThrow(PipelineError);
    expect(() => pipeline.map(key, (n) => n)).toThrow("The key 'same' is taken");
  });
});

describe('closing', () => {
  it('closes the source on return() before the first next()', async () => {
    const source = counted();
    const run = numbers()
      .map('step', (n) => n)
      .execute(source.source);
    expect(await run.return()).toEqual({ done: true, value: undefined });
    expect([source.pulls, source.closed]).toEqual([0, 1]);
    expect(await run.next()).toEqual({ done: true, value: undefined });
  });

  it('does not run the body of a generator source on return() before the first next()', async () => {
    let ran = false;
    const source = (async function* () {
      ran = true;
      yield 1;
    })();
    await numbers().execute(source).return();
    expect(await source.next()).toEqual({ done: true, value: undefined });
    expect(ran).toBe(false);
  });

  const pass = createStreamingStep<number, number>('pass', async function* ({ input }) {
    yield* input;
  });
  it.each([
    ['a function', () => numbers().map('step', (n) => n)],
    ['a generator step', () => numbers().add('step', pass)],
    ['a parallel function', () => numbers().map('step', (n) => n, { parallel: true })],
    ['a flatMap step', () => numbers().flatMap('step', pass)],
    ['a batch that waits', () => numbers().batch('step', 2, { maxWaitMs: 60_000 })],
    ['a window', () => numbers().window('step', { size: 2 })],
    ['a checkpoint', () => numbers().checkpoint('step')],
    ['a merge', () => numbers().merge('step', hanging<number>().source)],
  ])('return() during a pending next() does not hang: %s', async (_, create) => {
    const source = hanging<number>();
    const run = create().execute(source.source);
    const pending = run.next();
    await settle();
    await run.return();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(source.closed).toBe(1);
  });

  it.each([
    ['a function', () => numbers().map('step', () => Promise.reject(new Error('no')))],
    [
      'a function that throws',
      () =>
        numbers().map('step', () => {
          throw new Error('no');
        }),
    ],
    [
      'a generator step',
      () =>
        numbers().add(
          'step',
          // oxlint-disable-next-line require-yield -- it throws before it could
          createStreamingStep('step', async function* (): AsyncGenerator<number> {
            throw new Error('no');
          }),
        ),
    ],
    ['a parallel function', () => numbers().map('step', () => Promise.reject(new Error('no')), { parallel: true })],
    ['a predicate', () => numbers().filter('step', () => Promise.reject(new Error('no')))],
  ])('closes the source after an error of %s', async (_, create) => {
    const source = counted();
    const error = await rejection(collect(create().execute(source.source)));
    expect(isStreamingError(error)).toBe(true);
    expect(source.closed).toBe(1);
  });

  it('closes the source when the loop is left, and when a step behind a generator step ends it', async () => {
    const left = counted();
    for await (const _ of numbers().add('step', pass).execute(left.source)) break;
    const taken = counted();
    await numbers()
      .add('step', pass)
      .take('three', 3)
      .map('rest', (n) => n)
      .executeToArray(taken.source);
    expect([left.closed, taken.closed, taken.pulls]).toEqual([1, 1, 3]);
  });
});

describe('exact pulls', () => {
  const pass = createStreamingStep<number, number>('pass', async function* ({ input }) {
    for await (const n of input) yield n;
  });
  it.each([
    [
      'functions',
      () =>
        numbers()
          .map('a', (n) => n)
          .filter('b', () => true)
          .take('c', 3),
      3,
    ],
    ['generator steps', () => numbers().add('a', pass).map('b', pass).take('c', 3), 3],
    [
      'flatMap',
      () =>
        numbers()
          .flatMap('a', (n) => [n, n])
          .take('c', 3),
      2,
    ],
    ['skip', () => numbers().skip('a', 4).take('c', 3), 7],
    ['batch', () => numbers().batch('a', 2).take('c', 2), 4],
    ['window', () => numbers().window('a', { size: 3, step: 1 }).take('c', 2), 4],
    [
      'nothing wanted',
      () =>
        numbers()
          .map('a', (n) => n)
          .take('c', 0),
      0,
    ],
  ])('%s', async (_, create, pulls) => {
    const source = counted();
    await create().executeToArray(source.source);
    expect(source.pulls).toBe(pulls);
  });

  it('pulls nothing before it is asked', async () => {
    const source = counted();
    const run = numbers()
      .map('a', (n) => n)
      .execute(source.source);
    await settle();
    expect(source.pulls).toBe(0);
    await run.next();
    await settle();
    expect(source.pulls).toBe(1);
    await run.return();
  });
});

describe('long runs', () => {
  const pass = createStreamingStep<number, number>('pass', async function* ({ input }) {
    for await (const n of input) yield n;
  });
  it.each([
    ['functions', () => numbers().filter('none', () => false)],
    [
      'a generator step',
      () =>
        numbers()
          .add('pass', pass)
          .filter('none', () => false),
    ],
    [
      'a parallel function',
      () =>
        numbers()
          .map('p', (n) => n, { parallel: true })
          .filter('none', () => false),
    ],
    ['items that become nothing', () => numbers().flatMap('none', () => [])],
    [
      'a barrier',
      () =>
        numbers()
          .checkpoint('all', { limit: 1_000_000 })
          .filter('none', () => false),
    ],
    ['groups', () => numbers().groupBy('one', () => 1, { limit: 1_000_000 })],
  ])('let timers run over ready data: %s', async (_, create) => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await create()
      .executeFrom(Array.from({ length: 60_000 }, (_, i) => i))
      .next();
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(0);
  });

  it('do not keep the items a filter drops', async () => {
    let most = 0;
    const source = async function* (): AsyncGenerator<number> {
      collectGarbage();
      const before = process.memoryUsage().heapUsed;
      for (let i = 0; i < 300_000; i++) {
        yield i;
        if (i % 50_000 !== 49_999) continue;
        collectGarbage();
        most = Math.max(most, process.memoryUsage().heapUsed - before);
      }
    };
    await numbers()
      .filter('none', async () => false)
      .executeToArray(source());
    expect(most).toBeLessThan(8 * 2 ** 20);
  });
});
