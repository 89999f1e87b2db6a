import {
  createStreamingStep,
  type RetryOptions,
  type StreamingError,
  StreamingErrorStrategy,
  StreamingPipeline,
} from '@perennial/pipeline';
import { describe, expect, it } from 'vitest';

import { HastyClock } from '../support/clock.ts';
import { counted, rejection } from '../support/sources.ts';

const retry = (maxAttempts: number, more: Partial<RetryOptions> = {}): RetryOptions => ({
  maxAttempts,
  backoffMs: 10,
  jitter: 0,
  ...more,
});
const start = (clock = new HastyClock()): ReturnType<typeof StreamingPipeline.start<number>> =>
  StreamingPipeline.start<number>(undefined, { clock });

/** Fails the first `times` times it sees an item, for each item of `items`. */
function flaky(items: readonly number[], times: number): (n: number) => number {
  const failures = new Map<number, number>();
  return (n) => {
    const failed = failures.get(n) ?? 0;
    if (items.includes(n) && failed < times) {
      failures.set(n, failed + 1);
      throw Object.assign(new Error(`busy with ${n}`), { code: 'BUSY' });
    }
    return n * 10;
  };
}

describe('retry of a generator step', () => {
  it('gives a new generator what the dead one had pulled, then the rest', async () => {
    const clock = new HastyClock();
    const source = counted(5);
    const work = flaky([1, 3], 2);
    let generators = 0;
    const step = createStreamingStep<number, number>(
      'work',
      async function* ({ input }) {
        generators++;
        for await (const n of input) yield work(n);
      },
      { retry: retry(3) },
    );
    expect(await start(clock).add('work', step).executeToArray(source.source)).toEqual([0, 10, 20, 30, 40]);
    expect(clock.waits).toEqual([10, 20, 10, 20]);
    expect(generators).toBe(5);
    expect(source.closed).toBe(0);
  });

  it('replays everything pulled since the last output', async () => {
    const work = flaky([5], 1);
    const step = createStreamingStep<number, number[]>(
      'triples',
      async function* ({ input }) {
        let triple: number[] = [];
        for await (const n of input) {
          triple.push(work(n));
          if (triple.length === 3) {
            yield triple;
            triple = [];
          }
        }
      },
      { retry: retry(2) },
    );
    expect(await start().add('triples', step).executeToArray(counted(6).source)).toEqual([
      [0, 10, 20],
      [30, 40, 50],
    ]);
  });

  it('tries again what failed before it pulled anything', async () => {
    let tries = 0;
    const step = createStreamingStep<number, number>(
      'connect',
      async function* ({ input }) {
        if (++tries < 3) throw new Error('refused');
        yield* input;
      },
      { retry: retry(3) },
    );
    expect(await start().add('connect', step).executeToArray(counted(2).source)).toEqual([0, 1]);
  });

  it('does not repeat outputs: a failure behind the last one is final', async () => {
    let tries = 0;
    const step = createStreamingStep<number, number>(
      'leaky',
      async function* ({ input }) {
        for await (const n of input) {
          yield n;
          tries++;
          throw new Error('too late');
        }
      },
      { retry: retry(5) },
    );
    const pipeline = start().add('leaky', step);
    expect(await rejection(pipeline.executeToArray(counted().source))).toMatchObject({ itemIndex: 0 });
    expect(tries).toBe(1);
  });

  it('gives up after `maxAttempts`, and says how often it tried', async () => {
    const clock = new HastyClock();
    const source = counted();
    const step = createStreamingStep<number, number>(
      'work',
      async function* ({ input }) {
        for await (const n of input) yield flaky([2], Infinity)(n);
      },
      { retry: retry(3) },
    );
    const error = await rejection(start(clock).map('work', step).executeToArray(source.source));
    expect(error).toMatchObject({ code: 'BUSY', itemIndex: 2, item: 2, attempts: 3 });
    expect(clock.waits).toEqual([10, 20]);
    expect([source.pulls, source.closed]).toEqual([3, 1]);
  });

  it.each([
    [['BUSY'], 1, [0]],
    [['OTHER'], 0, 'BUSY'],
    [undefined, 1, [0]],
  ])('with retryableErrors %j', async (retryableErrors, waits, outcome) => {
    const clock = new HastyClock();
    const work = flaky([0], 1);
    const step = createStreamingStep<number, number>(
      'work',
      async function* ({ input }) {
        for await (const n of input) yield work(n);
      },
      { retry: retry(2, retryableErrors ? { retryableErrors } : {}) },
    );
    const result = start(clock).map('work', step).executeToArray(counted(1).source);
    expect(await result.catch(({ code }: StreamingError) => code)).toEqual(outcome);
    expect(clock.waits).toHaveLength(waits);
  });

  it.each([
    ['its name', Object.assign(new Error('x'), { name: 'Flaky' }), ['Flaky'], 1],
    ['an abort', Object.assign(new Error('x'), { name: 'AbortError' }), undefined, 0],
    ['what calls itself final', Object.assign(new Error('x'), { retryable: false }), undefined, 0],
  ])('judges an error by %s', async (_, error, retryableErrors, waits) => {
    const clock = new HastyClock();
    let tries = 0;
    const pipeline = start(clock).map(
      'work',
      (n) => {
        if (tries++ === 0) throw error;
        return n;
      },
      { retry: retry(2, retryableErrors ? { retryableErrors } : {}), errorStrategy: 'SKIP_FAILED' },
    );
    await pipeline.executeToArray(counted(1).source);
    expect(clock.waits).toHaveLength(waits);
  });

  it('caps and jitters the wait', async () => {
    const clock = new HastyClock();
    const pipeline = StreamingPipeline.start<number>(undefined, { clock, random: () => 0.5 }).map(
      'work',
      () => Promise.reject(new Error('no')),
      { retry: { maxAttempts: 5, backoffMs: 100, maxBackoffMs: 250, jitter: 0.4 }, errorStrategy: 'SKIP_FAILED' },
    );
    await pipeline.executeToArray(counted(1).source);
    expect(clock.waits).toEqual([80, 160, 200, 200]);
  });

  it('is bounded: what cannot be replayed cannot be retried', async () => {
    const step = createStreamingStep<number, number>(
      'sum',
      async function* ({ input }) {
        let sum = 0;
        for await (const n of input) {
          sum += n;
          if (n === 20) throw new Error('no');
        }
        yield sum;
      },
      { retry: retry(3) },
    );
    const pipeline = StreamingPipeline.start<number>(undefined, { retainLimit: 10 }).add('sum', step);
    const error = await rejection(pipeline.executeToArray(counted().source));
    expect(error).toMatchObject({ code: 'LIMIT_EXCEEDED', itemIndex: 20 });
    expect(String(error)).toContain('more than 10 items without an output');
  });

  it('is not for failures of the steps before', async () => {
    let generators = 0;
    const step = createStreamingStep<number, number>(
      'pass',
      async function* ({ input }) {
        generators++;
        yield* input;
      },
      { retry: retry(5) },
    );
    const error = await rejection(
      start()
        .map('bad', (n) => (n < 1 ? n : Promise.reject(new Error('no'))))
        .map('pass', step, { errorStrategy: StreamingErrorStrategy.SKIP_FAILED })
        .executeToArray(counted().source),
    );
    expect(error).toMatchObject({ stepName: 'bad', itemIndex: 1 });
    expect(generators).toBe(1);
  });

  it('lets a step handle the failure of the steps before itself', async () => {
    const step = createStreamingStep<number, string>('catch', async function* ({ input }) {
      try {
        for await (const n of input) yield `${n}`;
      } catch (error) {
        yield String(error);
      }
    });
    const values = await start()
      .map('bad', (n) => (n < 1 ? n : Promise.reject(new Error('no'))))
      .map('catch', step)
      .executeToArray(counted().source);
    expect(values).toEqual(['0', "StreamingError: Step 'bad' failed at item 1: no"]);
  });
});

describe('strategies of a generator step', () => {
  it('drop only the item pulled last, and keep what was pulled with it', async () => {
    const step = createStreamingStep<number, number[]>('pairs', async function* ({ input }) {
      let pair: number[] = [];
      for await (const n of input) {
        if (n === 3) throw new Error('three');
        pair.push(n);
        if (pair.length === 2) {
          yield pair;
          pair = [];
        }
      }
    });
    const pipeline = start().add('pairs', step, { errorStrategy: 'COLLECT_ERRORS' });
    expect(await pipeline.executeToArray(counted(6).source)).toEqual([
      [0, 1],
      [2, 4],
    ]);
    expect((await pipeline.getMetadata()).steps[0]?.errors).toMatchObject([{ itemIndex: 3, item: 3 }]);
  });

  it('retry first, then drop', async () => {
    const clock = new HastyClock();
    const step = createStreamingStep<number, number>(
      'work',
      async function* ({ input }) {
        for await (const n of input) yield flaky([1], Infinity)(n);
      },
      { retry: retry(3) },
    );
    const pipeline = start(clock).map('work', step, { errorStrategy: 'COLLECT_ERRORS' });
    expect(await pipeline.executeToArray(counted(3).source)).toEqual([0, 20]);
    expect((await pipeline.getMetadata()).steps[0]?.errors).toMatchObject([{ itemIndex: 1, attempts: 3 }]);
    expect(clock.waits).toEqual([10, 20]);
  });

  it('do not run in circles: a step that fails without an item ends the run', async () => {
    let generators = 0;
    // oxlint-disable-next-line require-yield -- it throws before it could
    const step = createStreamingStep<number, number>('broken', async function* () {
      generators++;
      throw new Error('broken');
    });
    const pipeline = start().add('broken', step, { errorStrategy: 'SKIP_FAILED' });
    expect(await rejection(pipeline.executeToArray(counted().source))).toMatchObject({ stepName: 'broken' });
    expect(generators).toBe(1);
  });

  it('leave the source open between generators, and close it when the step is done', async () => {
    const source = counted();
    const step = createStreamingStep<number, number>('first', async function* ({ input }) {
      for await (const n of input) {
        if (n === 0) throw new Error('zero');
        yield n;
        return;
      }
    });
    expect(await start().add('first', step, { errorStrategy: 'SKIP_FAILED' }).executeToArray(source.source)).toEqual([
      1,
    ]);
    expect([source.pulls, source.closed]).toEqual([2, 1]);
  });
});

describe('a generator step', () => {
  it('that is no generator is a clear error', async () => {
    const step = { name: 'odd', execute: () => Promise.resolve({ success: true }) } as never;
    const error = await rejection(start().add('odd', step).executeToArray(1));
    expect(String(error)).toContain("a step's function has to be an async generator");
  });

  it('may end before its input, which is closed', async () => {
    const source = counted();
    const step = createStreamingStep<number, number>('two', async function* ({ input }) {
      yield (await input.next()).value as number;
      yield (await input.next()).value as number;
    });
    expect(await start().add('two', step).executeToArray(source.source)).toEqual([0, 1]);
    expect([source.pulls, source.closed]).toEqual([2, 1]);
  });

  it('may emit without reading, and after the end of its input', async () => {
    const step = createStreamingStep<number, string>('around', async function* ({ input }) {
      yield 'before';
      for await (const n of input) yield `${n}`;
      yield 'after';
    });
    expect(await start().add('around', step).executeToArray(counted(1).source)).toEqual(['before', '0', 'after']);
  });

  it('runs its cleanup when the run is left', async () => {
    const cleaned: string[] = [];
    const step = createStreamingStep<number, number>('clean', async function* ({ input }) {
      try {
        yield* input;
      } finally {
        cleaned.push('clean');
      }
    });
    const run = start()
      .add('clean', step)
      .map('b', (n) => n)
      .execute(counted().source);
    await run.next();
    await run.return();
    expect(cleaned).toEqual(['clean']);
  });
});
