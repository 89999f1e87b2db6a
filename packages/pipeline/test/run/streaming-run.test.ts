import { createMemoryStreamStore, getStreamReader, getStreamWriter, StreamError } from '@perennial/core';
import {
  asyncGeneratorOf,
  createStreamingStep,
  isStreamingError,
  type StreamingError,
  StreamingPipeline,
  type StreamingRun,
} from '@perennial/pipeline';
import { describe, expect, it } from 'vitest';

import { TestClock } from '../support/clock.ts';
import { counted, hanging, rejection, settle } from '../support/sources.ts';

const numbers = (options = {}): ReturnType<typeof StreamingPipeline.start<number>> =>
  StreamingPipeline.start<number>(undefined, options);

describe('execute', () => {
  const lengths = StreamingPipeline.start<unknown>().map('type', (item) =>
    Array.isArray(item) ? 'array' : typeof item,
  );

  it.each([
    ['a number', 1, ['number']],
    ['a string', 'abc', ['string']],
    ['an array', [1, 2], ['array']],
    ['an object', { a: 1 }, ['object']],
    ['null', null, ['object']],
    ['undefined', undefined, ['undefined']],
    ['an async generator', asyncGeneratorOf<unknown>(1, 'a'), ['number', 'string']],
    ['a web stream', new Response('abc').body?.pipeThrough(new TextDecoderStream()), ['string']],
  ])('takes %s as what it is', async (_, input, types) => {
    expect(await lengths.executeToArray(input)).toEqual(types);
  });

  it('has explicit forms for the odd cases', async () => {
    const one = lengths.executeOne(asyncGeneratorOf(1));
    expect((await one.next()).value).toBe('object');
    await one.return();
    const many = lengths.executeFrom([1, 'a']);
    expect([(await many.next()).value, (await many.next()).value]).toEqual(['number', 'string']);
  });

  it('reads a reader, and reports its failure with its code', async () => {
    const store = createMemoryStreamStore();
    const writer = getStreamWriter<number>({ store, streamId: 's' });
    await writer.write(1);
    await writer.abort(new Error('no more'));
    const seen: number[] = [];
    const error = await rejection(
      (async () => {
        for await (const n of numbers()
          .map('a', (x) => x)
          .execute(getStreamReader<number>({ store, streamId: 's' })))
          seen.push(n);
      })(),
    );
    expect(seen).toEqual([1]);
    expect(error).toMatchObject({ name: 'StreamingError', code: 'FAILED', stepName: 'input' });
    expect((error as StreamingError).cause).toBeInstanceOf(StreamError);
  });

  it('refuses options that cannot be followed', () => {
    expect(() => numbers().execute(1, { total: -1 })).toThrow('`total`');
    expect(() => numbers().execute(1, { runId: '' })).toThrow('`runId`');
  });

  it('runs the same pipeline several times at once', async () => {
    const pipeline = numbers()
      .map('a', async (n) => n + 1)
      .batch('b', 2);
    const results = await Promise.all([1, 2, 3].map((n) => pipeline.executeToArray(counted(n).source)));
    expect(results).toEqual([[[1]], [[1, 2]], [[1, 2], [3]]]);
  });

  it('is an async generator with all its manners', async () => {
    const source = counted();
    const run = numbers().execute(source.source);
    expect(run[Symbol.asyncIterator]()).toBe(run);
    await expect(run.throw(new Error('mine'))).rejects.toThrow('mine');
    expect(source.closed).toBe(1);
    const other = counted();
    {
      await using disposed = numbers().execute(other.source);
      await disposed.next();
    }
    expect(other.closed).toBe(1);
  });
});

describe('input fields', () => {
  const path = createStreamingStep('path', async function* ({ input }: { input: AsyncGenerator & { path: string } }) {
    yield input.path;
  }) as never;

  it('are there for the first step of a run that was started with one item', async () => {
    const pipeline = StreamingPipeline.start<{ path: string }>().add('path', path);
    expect(await pipeline.executeToArray({ path: '/a' })).toEqual(['/a']);
  });

  it('are an error on a run that was started from a stream', async () => {
    const pipeline = StreamingPipeline.start<{ path: string }>().add('path', path);
    const error = await rejection(pipeline.executeToArray(asyncGeneratorOf({ path: '/a' })));
    expect(error).toMatchObject({ code: 'NOT_ONE_ITEM' });
    expect(String(error)).toContain('read `input.path`, but `input` is a stream here');
  });

  it('do not get in the way of the generator', async () => {
    const pipeline = StreamingPipeline.start<{ next: string; size: number; list(): number }>().add(
      'all',
      createStreamingStep('all', async function* ({ input }) {
        expect(typeof input.next).toBe('function');
        expect('size' in input).toBe(true);
        yield input.list();
        for await (const item of input) yield item.size;
      }),
    );
    const item = {
      next: 'mine',
      size: 2,
      list() {
        return this.size * 10;
      },
    };
    expect(await pipeline.executeToArray(item)).toEqual([20, 2]);
  });
});

describe('context', () => {
  it('is made once per run, when the first value is asked for', async () => {
    let built = 0;
    const pipeline = StreamingPipeline.start<number, { id: number }>(() => ({ id: ++built })).map(
      'a',
      (n, _, { context }) => n * 10 + context.id,
    );
    const run = pipeline.execute(counted(2).source);
    await settle();
    expect(built).toBe(0);
    const values: number[] = [];
    for await (const value of run) values.push(value);
    expect(values).toEqual([1, 11]);
    await pipeline.executeToArray(1);
    expect(built).toBe(2);
  });

  it('that cannot be made ends the run', async () => {
    const source = counted();
    const pipeline = StreamingPipeline.start<number>(() => {
      throw new Error('no database');
    });
    const error = await rejection(pipeline.executeToArray(source.source));
    expect(error).toMatchObject({ stepName: 'pipeline', message: 'The context builder failed: no database' });
    expect((await pipeline.getMetadata()).outcome).toBe('failed');
  });
});

describe('abort', () => {
  it('ends a pending next() at once, closes the source and fires the signal of steps', async () => {
    const source = hanging(1);
    let signal: AbortSignal | undefined;
    const run = numbers()
      .map('a', (n, _, context) => {
        ({ signal } = context);
        return n;
      })
      .execute(source.source);
    await run.next();
    const pending = rejection(run.next());
    run.abort('enough');
    expect(await pending).toMatchObject({ code: 'ABORTED', stepName: 'pipeline', cause: 'enough', retryable: false });
    expect(source.closed).toBe(1);
    expect(signal?.aborted).toBe(true);
    expect(await run.next()).toEqual({ done: true, value: undefined });
    expect(await run.metadata).toMatchObject({ outcome: 'aborted', itemCount: 1 });
  });

  it('between two values is reported by the next one, and closes the source before', async () => {
    const source = counted();
    const run = numbers().execute(source.source);
    await run.next();
    run.abort();
    await settle();
    expect(source.closed).toBe(1);
    expect(await rejection(run.next())).toMatchObject({ code: 'ABORTED' });
    run.abort();
  });

  it('comes from a signal, before or during the run', async () => {
    const source = counted();
    const aborted = numbers().execute(source.source, { signal: AbortSignal.abort(new Error('never mind')) });
    expect(await rejection(aborted.next())).toMatchObject({ code: 'ABORTED' });
    expect([source.pulls, source.closed]).toEqual([0, 1]);

    const controller = new AbortController();
    const run = numbers().execute(hanging<number>().source, { signal: controller.signal });
    const pending = rejection(run.next());
    await settle();
    controller.abort();
    expect(await pending).toMatchObject({ code: 'ABORTED' });
  });

  it.each([
    ['a function', (stop: () => void) => numbers().map('a', () => (stop(), new Promise<number>(() => undefined)))],
    ['a parallel function', (stop: () => void) => numbers().map('a', (n) => (stop(), n), { parallel: true })],
    ['a predicate', (stop: () => void) => numbers().filter('a', () => (stop(), new Promise<boolean>(() => undefined)))],
  ])('may come from within %s', async (_, create) => {
    const run: StreamingRun<number> = create(() => run.abort()).execute(counted().source);
    const outcome = run.next().then(() => run.next());
    expect(await rejection(outcome)).toMatchObject({ code: 'ABORTED' });
    const left: StreamingRun<number> = create(() => void left.return()).execute(counted().source);
    await left.next();
    expect(await left.next()).toEqual({ done: true, value: undefined });
  });

  it('interrupts a wait for a retry', async () => {
    const clock = new TestClock();
    const run = numbers({ clock })
      .map('a', () => Promise.reject(new Error('busy')), { retry: { maxAttempts: 9, backoffMs: 60_000 } })
      .execute(counted().source);
    const pending = rejection(run.next());
    while (clock.sleeping === 0) await settle();
    run.abort();
    expect(await pending).toMatchObject({ code: 'ABORTED' });
    expect(clock.sleeping).toBe(0);
  });
});

describe('metadata', () => {
  it('is asked of a pipeline that ran', async () => {
    await expect(numbers().getMetadata()).rejects.toMatchObject({ code: 'NOT_STARTED' });
  });

  it.each([
    ['completed', async (run: AsyncGenerator<number>) => void (await run.next(), await run.next())],
    ['left', async (run: AsyncGenerator<number>) => void (await run.next(), await run.return(undefined))],
  ])('settles when the run is %s', async (outcome, use) => {
    const pipeline = numbers().map('a', (n) => n);
    const run = pipeline.execute(counted(1).source);
    await use(run);
    expect(await run.metadata).toMatchObject({ outcome, itemCount: 1, errorCount: 0, resumedAt: 0 });
    expect(await pipeline.getMetadata()).toBe(await run.metadata);
  });

  it('names the error that ended the run, at the run and at its step', async () => {
    const pipeline = numbers()
      .map('fine', (n) => n)
      .map('bad', (n) => {
        if (n === 2) throw Object.assign(new Error('no'), { code: 'E_NO', retryable: false });
        return n;
      });
    const error = await rejection(pipeline.executeToArray(counted().source));
    expect(isStreamingError(error)).toBe(true);
    const metadata = await pipeline.getMetadata();
    expect(metadata).toMatchObject({ outcome: 'failed', itemCount: 2, errorCount: 1 });
    expect(metadata.error).toBe(error);
    expect(metadata.steps[1]?.errors).toEqual([error]);
    expect(error).toMatchObject({
      code: 'E_NO',
      itemIndex: 2,
      item: 2,
      retryable: false,
      traceId: metadata.traceId,
      spanId: metadata.steps[1]?.spanId,
    });
  });

  it('keeps the first 1,000 errors and counts them all', async () => {
    const pipeline = numbers().map('bad', (n) => Promise.reject(new Error(`${n}`)), {
      errorStrategy: 'COLLECT_ERRORS',
    });
    expect(await pipeline.executeToArray(counted(1_200).source)).toEqual([]);
    const [step] = (await pipeline.getMetadata()).steps;
    expect([step?.errorCount, step?.errors?.length]).toEqual([1_200, 1_000]);
    expect(step?.errors?.at(-1)?.itemIndex).toBe(999);
  });
});

describe('errors', () => {
  it('come out while the run goes on, and end with it', async () => {
    const run = numbers()
      .map('odd', (n) => (n % 2 === 0 ? n : Promise.reject(new Error('odd'))), { errorStrategy: 'SPLIT_ERRORS' })
      .execute(counted(4).source);
    const errors = run.errors[Symbol.asyncIterator]();
    const first = errors.next();
    expect((await run.next()).value).toBe(0);
    expect((await run.next()).value).toBe(2);
    expect((await first).value).toMatchObject({ itemIndex: 1, item: 1 });
    await run.next();
    expect((await errors.next()).value).toMatchObject({ itemIndex: 3 });
    expect(await errors.next()).toEqual({ done: true, value: undefined });
  });

  it('never hold a run up: the oldest are dropped, and counted', async () => {
    const run = numbers({ errorBuffer: 3 })
      .map('bad', (n) => Promise.reject(new Error(`${n}`)), { errorStrategy: 'SPLIT_ERRORS' })
      .execute(counted(10).source);
    await run.next();
    expect([run.errors.size, run.errors.dropped]).toEqual([3, 7]);
    const kept: unknown[] = [];
    for await (const { itemIndex } of run.errors) kept.push(itemIndex);
    expect(kept).toEqual([7, 8, 9]);
    expect((await run.metadata).droppedErrorCount).toBe(7);
  });
});

describe('progress', () => {
  it('tells how far a run is, and how long the rest takes', async () => {
    const clock = new TestClock();
    const run = numbers({ clock, samplingRate: 0 })
      .map('a', (n) => n)
      .filter('b', (n) => n % 2 === 0)
      .execute(counted(10).source, { total: 10 });
    expect(run.progress()).toMatchObject({ state: 'waiting', elapsedMs: 0, inputCount: 0, outputCount: 0, steps: [] });
    await run.next();
    clock.advance(1_000);
    await run.next();
    await run.next();
    expect(run.progress()).toMatchObject({
      state: 'running',
      elapsedMs: 1_000,
      inputCount: 5,
      outputCount: 3,
      perSecond: 5,
      total: 10,
      remainingMs: 1_000,
      steps: [
        { key: 'a', receivedCount: 5, emittedCount: 5, perSecond: 5 },
        { key: 'b', receivedCount: 5, emittedCount: 3, perSecond: 3 },
      ],
    });
    expect(JSON.parse(JSON.stringify(run.progress()))).toEqual(run.progress());
    await run.return();
    clock.advance(1_000);
    expect(run.progress()).toMatchObject({ state: 'left', elapsedMs: 1_000 });
  });

  it('comes every so often, and once more at the end', async () => {
    const clock = new TestClock();
    const run = numbers({ clock })
      .map('bad', (n) => (n < 2 ? n : Promise.reject(new Error('no'))))
      .execute(counted().source);
    const updates = run.progressUpdates({ intervalMs: 500 });
    expect((await updates.next()).value).toMatchObject({ state: 'waiting' });
    const second = updates.next();
    await run.next();
    while (clock.sleeping === 0) await settle();
    clock.advance(500);
    expect((await second).value).toMatchObject({ state: 'running', outputCount: 1 });
    const last = updates.next();
    await run.next();
    await rejection(run.next());
    expect((await last).value).toMatchObject({ state: 'failed', outputCount: 2, error: { stepName: 'bad' } });
    expect((await updates.next()).done).toBe(true);
  });
});
