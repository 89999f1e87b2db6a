import { createMemoryStreamStore, getStreamReader, getStreamWriter, type StreamStore } from '@perennial/core';
import {
  createStreamingStep,
  positionedSource,
  type StreamingError,
  StreamingPipeline,
  type StreamingRun,
} from '@perennial/pipeline';
import { createFaultyStore } from '@perennial/testing';
import { describe, expect, it } from 'vitest';

import { TestClock } from '../support/clock.ts';
import { counted, rejection, settle } from '../support/sources.ts';

const numbers = (options = {}): ReturnType<typeof StreamingPipeline.start<number>> =>
  StreamingPipeline.start<number>(undefined, options);
const ten = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const runId = 'import-1';

async function take<T>(run: StreamingRun<T>, count: number): Promise<T[]> {
  const values: T[] = [];
  while (values.length < count) {
    const step = await run.next();
    if (step.done) break;
    values.push(step.value);
    await settle();
  }
  return values;
}

describe('a durable checkpoint', () => {
  it('lets a new run go on where the last one stopped, without reading or working again', async () => {
    const store = createMemoryStreamStore();
    const opened: number[] = [];
    const worked: number[] = [];
    const source = positionedSource((position) => {
      opened.push(position);
      return ten.slice(position);
    });
    const pipeline = numbers()
      .map('work', (n) => {
        worked.push(n);
        return n * 10;
      })
      .checkpoint('cp', { store, mode: 'pass', intervalMs: 0 });
    const first = pipeline.executeFrom(source, { runId });
    expect(await take(first, 5)).toEqual([0, 10, 20, 30, 40]);
    await first.return();
    const second = pipeline.executeFrom(source, { runId });
    const rest = await take(second, Infinity);
    expect(rest.at(-1)).toBe(90);
    const { resumedAt, outcome, itemCount } = await second.metadata;
    expect(outcome).toBe('completed');
    expect(resumedAt + itemCount).toBe(10);
    // The value handed out last may not have been used: it comes again.
    expect(resumedAt).toBe(4);
    expect(opened).toEqual([0, 4]);
    expect(worked).toEqual([0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9]);
    expect(second.progress()).toMatchObject({ inputCount: 10, outputCount: 10 });
  });

  it('has nothing to do once a run of its id is complete', async () => {
    const store = createMemoryStreamStore();
    const source = counted(3);
    const pipeline = numbers().checkpoint('cp', { store, mode: 'tee' });
    expect(await take(pipeline.executeFrom(source.source, { runId }), Infinity)).toEqual([0, 1, 2]);
    const again = pipeline.executeFrom(counted(3).source, { runId });
    expect(await take(again, Infinity)).toEqual([]);
    expect(await again.metadata).toMatchObject({ outcome: 'completed', resumedAt: 3, itemCount: 0 });
    expect(await take(pipeline.executeFrom(counted(2).source, { runId: 'other' }), Infinity)).toEqual([0, 1]);
  });

  it('that keeps items never runs the steps before for them again', async () => {
    for (const mode of ['tee', 'barrier'] as const) {
      const store = createMemoryStreamStore();
      const worked: number[] = [];
      let failing = true;
      const pipeline = numbers()
        .map('costly', (n) => {
          worked.push(n);
          return n * 10;
        })
        .checkpoint('cp', { store, mode })
        .map('fragile', (n, _, { accumulated }) => {
          if (failing && n === 30) throw new Error('the database is away');
          return [n, accumulated.cp.length];
        });
      await rejection(take(pipeline.executeFrom(ten, { runId }), Infinity));
      failing = false;
      const rest = await take(pipeline.executeFrom(ten, { runId }), Infinity);
      expect(rest.map(([n]) => n)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
      expect(rest.at(-1)?.[1]).toBe(10);
      expect(worked).toEqual(ten);
    }
  });

  it('resumes a reader where it was, given as it is or opened anew', async () => {
    const store = createMemoryStreamStore();
    const writer = getStreamWriter<number>({ store, streamId: 'numbers' });
    for (const n of ten) await writer.write(n);
    await writer.close();
    const read = (startIndex = 0): ReturnType<typeof getStreamReader<number>> =>
      getStreamReader<number>({ store, streamId: 'numbers', startIndex });
    for (const [id, source] of [
      ['plain', () => read()],
      ['positioned', () => positionedSource(read)],
    ] as const) {
      const pipeline = numbers().batch('pairs', 2).checkpoint('cp', { store, mode: 'pass', intervalMs: 0 });
      const first = pipeline.executeFrom(source(), { runId: id });
      await take(first, 3);
      await first.return();
      const second = pipeline.executeFrom(source(), { runId: id });
      expect(await take(second, Infinity)).toEqual([
        [4, 5],
        [6, 7],
        [8, 9],
      ]);
      expect((await second.metadata).resumedAt).toBe(2);
    }
    const late = numbers().batch('pairs', 2).checkpoint('cp', { store, mode: 'pass', intervalMs: 0 });
    const broken = late.executeFrom(read(5), { runId: 'plain-late' });
    await take(broken, 1);
    await broken.return();
  });

  it('refuses a source that begins behind the saved position', async () => {
    const store = createMemoryStreamStore();
    await store.create('numbers', { records: ten.map((n) => ({ data: `${n}` })), end: { outcome: 'completed' } });
    const read = (startIndex: number): ReturnType<typeof getStreamReader<number>> =>
      getStreamReader<number>({ store, streamId: 'numbers', startIndex });
    const pipeline = numbers().checkpoint('cp', { store, mode: 'pass', intervalMs: 0 });
    const first = pipeline.executeFrom(read(0), { runId });
    await take(first, 3);
    await first.return();
    const error = await rejection(pipeline.executeFrom(read(7), { runId }).next());
    expect(error).toMatchObject({ code: 'CHECKPOINT_MISMATCH' });
    expect(String(error)).toContain('goes on at position 2, but the source starts at 7');
  });

  it.each([
    ['a step that carries something along from the beginning', false, 0, 45],
    // The sum begins anew at item 2, whose value had been handed out.
    ['a step called stateless in the middle', true, 2, 44],
  ])('starts %s', async (_, stateless, first, last) => {
    const store = createMemoryStreamStore();
    const seen: number[] = [];
    const sum = createStreamingStep<number, number>('sum', async function* ({ input }) {
      let total = 0;
      for await (const n of input) {
        seen.push(n);
        yield (total += n);
      }
    });
    const pipeline = numbers().add('sum', sum, { stateless }).checkpoint('cp', { store, mode: 'pass', intervalMs: 0 });
    const cut = pipeline.executeFrom(ten, { runId });
    await take(cut, 4);
    await cut.return();
    seen.length = 0;
    const rest = await take(pipeline.executeFrom(ten, { runId }), Infinity);
    expect([seen[0], rest.at(-1)]).toEqual([first, last]);
  });

  it('saves its position every so often, and not in between', async () => {
    const store = createMemoryStreamStore();
    const clock = new TestClock();
    const pipeline = numbers({ clock }).checkpoint('cp', { store, mode: 'pass', intervalMs: 500 });
    const run = pipeline.executeFrom(ten, { runId });
    const saved = async (): Promise<number> => (await store.head('pipelines/import-1/cp'))?.nextPosition ?? 0;
    await take(run, 5);
    expect(await saved()).toBe(1);
    clock.advance(500);
    await take(run, 1);
    expect(await saved()).toBe(2);
    await take(run, 1);
    expect(await saved()).toBe(2);
    await run.return();
  });

  it('names its streams after the run and its key, or as it is told', async () => {
    const store = createMemoryStreamStore();
    const pipeline = numbers()
      .checkpoint('a/b', { store, ttlMs: 60_000 })
      .checkpoint('c', { store, mode: 'pass', streamId: 'mine' });
    await take(pipeline.executeFrom(ten, { runId: 'x/y' }), Infinity);
    const { streams } = await store.list();
    expect(streams.map(({ id, ttlMs }) => [id, ttlMs])).toEqual([
      ['mine', null],
      ['pipelines/x%2Fy/a%2Fb/items', 60_000],
    ]);
  });
});

describe('a durable checkpoint refuses', () => {
  const store = createMemoryStreamStore();

  it('a run without an id', async () => {
    const error = await rejection(numbers().checkpoint('cp', { store }).execute(1).next());
    expect(error).toMatchObject({ code: 'RUN_ID_REQUIRED' });
  });

  it.each([
    [
      'values in the order of completion',
      (): unknown => numbers().map('p', (n) => n, { parallel: true, ordered: false }),
    ],
    ['merged streams', () => numbers().merge('p', [1])],
    ['windows by the clock', () => numbers().window('p', { durationMs: 10 })],
  ])('%s, before and after it', (_, create) => {
    const message = /cannot be in one pipeline with the durable checkpoint 'cp'/;
    expect(() => (create() as ReturnType<typeof numbers>).checkpoint('cp', { store })).toThrow(message);
    const durable = numbers().checkpoint('cp', { store }) as never as ReturnType<typeof numbers>;
    expect(() => durable.merge('p', [1])).toThrow(message);
  });

  it('to be followed by another one when it only saves the position', () => {
    expect(() => numbers().checkpoint('a', { store, mode: 'pass' }).checkpoint('b', { store })).toThrow(
      "Checkpoint 'a' with `mode: 'pass'` has to be the last durable one",
    );
  });

  it('the streams of another pipeline, and streams that are none of its own', async () => {
    await take(
      numbers()
        .map('a', (n) => n)
        .checkpoint('cp', { store, mode: 'pass' })
        .executeFrom(ten, { runId: 'r' }),
      2,
    );
    await settle();
    const other = numbers()
      .filter('a', () => true)
      .checkpoint('cp', { store, mode: 'pass' });
    const error = await rejection(other.executeFrom(ten, { runId: 'r' }).next());
    expect(error).toMatchObject({ code: 'CHECKPOINT_MISMATCH' });
    expect(String(error)).toContain('written by other stages: map:a, checkpoint-pass:cp; now they are filter:a');
    await store.create('foreign', { records: [{ data: '1' }] });
    const foreign = numbers().checkpoint('cp', { store, mode: 'pass', streamId: 'foreign' });
    expect(await rejection(foreign.executeFrom(ten, { runId: 'r' }).next())).toMatchObject({
      code: 'CHECKPOINT_MISMATCH',
    });
  });

  it('items that JSON cannot carry', async () => {
    const error = await rejection(
      StreamingPipeline.start<bigint>().checkpoint('cp', { store }).executeFrom([1n], { runId: 'json' }).next(),
    );
    expect(error).toMatchObject({ code: 'UNSERIALISABLE', stepName: 'cp' });
  });

  it('more kept items than its limit, in this run or an earlier one', async () => {
    const limited = numbers().checkpoint('cp', { store, mode: 'tee', limit: 4 });
    const error = await rejection(take(limited.executeFrom(ten, { runId: 'limit' }), Infinity));
    expect(error).toMatchObject({ code: 'CHECKPOINT_OVERFLOW' });
    expect(await rejection(take(limited.executeFrom(ten, { runId: 'limit' }), Infinity))).toMatchObject({
      code: 'CHECKPOINT_OVERFLOW',
    });
  });
});

describe('a run whose id another run takes over', () => {
  it('cannot save or store anything more', async () => {
    const store = createMemoryStreamStore();
    const pipeline = numbers().checkpoint('cp', { store, mode: 'pass', intervalMs: 0 });
    const zombie = pipeline.executeFrom(ten, { runId });
    await take(zombie, 2);
    const heir = pipeline.executeFrom(ten, { runId });
    await take(heir, 1);
    const error = (await rejection(take(zombie, Infinity))) as StreamingError;
    expect(error).toMatchObject({ name: 'StreamingError', code: 'FENCED' });
    expect((await take(heir, Infinity)).at(-1)).toBe(9);
    expect((await heir.metadata).outcome).toBe('completed');
  });
});

describe('a store that fails now and then', () => {
  it.each([1, 2, 3, 4, 5])('costs nothing but time (seed %i)', async (seed) => {
    const base = createMemoryStreamStore();
    const store: StreamStore = createFaultyStore(base, { random: { seed, probability: 0.2 } });
    const pipeline = numbers()
      .map('a', (n) => n * 2)
      .checkpoint('kept', { store, mode: 'tee' })
      .batch('pairs', 2)
      .checkpoint('position', { store, mode: 'pass', intervalMs: 0 });
    const seen: number[][] = [];
    for (const count of [2, 1, Infinity]) {
      const run = pipeline.executeFrom(ten, { runId });
      const values = await take(run, count);
      await run.return();
      await settle();
      seen.splice((await run.metadata).resumedAt, Infinity, ...values);
    }
    expect(seen.flat()).toEqual(ten.map((n) => n * 2));
  });
});
