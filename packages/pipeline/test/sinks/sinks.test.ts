import { Readable, Writable } from 'node:stream';
import { pipeline as pipe } from 'node:stream/promises';

import { createMemoryStreamStore, getStreamWriter, PublicError } from '@perennial/core';
import { type StreamingError, StreamingPipeline } from '@perennial/pipeline';
import { createFaultyStore } from '@perennial/testing';
import { describe, expect, it } from 'vitest';

import { counted, hanging, rejection, settle } from '../support/sources.ts';

const numbers = StreamingPipeline.start<number>().map('double', (n) => n * 2);
const broken = StreamingPipeline.start<number>().map('bad', (n) => (n < 2 ? n : Promise.reject(new Error('no'))));

/** A Node stream that takes numbers, slowly. */
function nodeSink(fail?: (n: number) => boolean): { readonly stream: Writable; readonly seen: number[] } {
  const seen: number[] = [];
  const stream = new Writable({
    objectMode: true,
    highWaterMark: 2,
    write(n: number, _, callback) {
      setImmediate(() => {
        if (fail?.(n)) return callback(new Error(`refused ${n}`));
        seen.push(n);
        callback();
      });
    },
  });
  return { stream, seen };
}

describe('pipeTo', () => {
  it('a stream writer: the stream completes', async () => {
    const store = createMemoryStreamStore();
    const metadata = await numbers.execute(counted(3).source).pipeTo(getStreamWriter({ store, streamId: 's' }));
    expect(metadata).toMatchObject({ outcome: 'completed', itemCount: 3 });
    const { records, head } = await store.read('s', { from: 0 });
    expect(records.map((record) => record.kind === 'data' && record.data)).toEqual(['0', '2', '4']);
    expect(head.end).toEqual({ outcome: 'completed' });
  });

  it('a stream writer: the stream fails with the run', async () => {
    const store = createMemoryStreamStore();
    const error = await rejection(broken.execute(counted().source).pipeTo(getStreamWriter({ store, streamId: 's' })));
    expect(error).toMatchObject({ stepName: 'bad', itemIndex: 2 });
    const { records, head } = await store.read('s', { from: 0 });
    expect(records).toHaveLength(2);
    expect(head.end).toMatchObject({ outcome: 'failed', error: { code: 'STEP_FAILED' } });
  });

  it('a stream writer: a cancel request stops the run', async () => {
    const store = createMemoryStreamStore();
    const source = hanging(1);
    const piped = rejection(numbers.execute(source.source).pipeTo(getStreamWriter({ store, streamId: 's' })));
    while ((await store.head('s'))?.nextPosition !== 1) await settle();
    await store.mark('s', { type: 'cancel', reason: 'enough' });
    expect(await piped).toMatchObject({ code: 'ABORTED' });
    expect(source.closed).toBe(1);
    expect((await store.head('s'))?.end).toEqual({ outcome: 'cancelled', reason: 'enough' });
  });

  it('a web stream, at its pace', async () => {
    const seen: number[] = [];
    const source = counted(50);
    let ahead = 0;
    const sink = new WritableStream<number>({
      async write(n) {
        await settle();
        seen.push(n);
        ahead = Math.max(ahead, source.pulls - seen.length);
      },
    });
    await numbers.execute(source.source).pipeTo(sink);
    expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => i * 2));
    expect(ahead).toBeLessThanOrEqual(3);
  });

  it('a Node stream, at its pace', async () => {
    const { stream, seen } = nodeSink();
    const source = counted(50);
    const metadata = await numbers.execute(source.source).pipeTo(stream);
    expect(metadata.itemCount).toBe(50);
    expect(seen).toHaveLength(50);
    expect(stream.writableFinished).toBe(true);
  });

  it('a function, one value at a time', async () => {
    const seen: [number, number][] = [];
    let running = 0;
    await numbers.execute(counted(3).source).pipeTo(async (n, index) => {
      expect(++running).toBe(1);
      await settle();
      seen.push([n, index]);
      running--;
    });
    expect(seen).toEqual([
      [0, 0],
      [2, 1],
      [4, 2],
    ]);
  });

  it.each<[string, () => Parameters<ReturnType<typeof numbers.execute>['pipeTo']>[0]]>([
    ['a Node stream', () => nodeSink((n) => n === 4).stream],
    [
      'a web stream',
      () =>
        new WritableStream<number>({
          write(n) {
            if (n === 4) throw new Error('refused 4');
          },
        }),
    ],
    ['a function', () => (n) => (n === 4 ? Promise.reject(new Error('refused 4')) : undefined)],
  ])('reports a sink that fails, and closes the source: %s', async (_, create) => {
    const source = counted();
    const run = numbers.execute(source.source);
    const error = (await rejection(run.pipeTo(create()))) as StreamingError;
    expect(error).toMatchObject({ code: 'SINK_FAILED', stepName: 'output', message: 'The sink failed: refused 4' });
    expect(source.closed).toBe(1);
    expect((await run.metadata).outcome).toBe('left');
  });

  it('destroys a Node stream when the run fails', async () => {
    const { stream } = nodeSink();
    stream.on('error', () => undefined);
    await rejection(broken.execute(counted().source).pipeTo(stream));
    expect(stream.destroyed).toBe(true);
  });

  it('refuses what is no sink', async () => {
    await expect(numbers.execute(1).pipeTo({} as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('other ways out and in', () => {
  it('a run is a pull-based web stream', async () => {
    const source = counted(1_000);
    const reader = numbers.execute(source.source).toReadableStream().getReader();
    await settle();
    expect(source.pulls).toBe(0);
    expect(await reader.read()).toEqual({ done: false, value: 0 });
    expect(source.pulls).toBe(1);
    await reader.cancel();
    expect(source.closed).toBe(1);
  });

  it('a web stream of a run ends and fails as the run does', async () => {
    const values: number[] = [];
    const error = await rejection(
      (async () => {
        for await (const n of broken.execute(counted().source).toReadableStream()) values.push(n);
      })(),
    );
    expect(values).toEqual([0, 1]);
    expect(error).toMatchObject({ stepName: 'bad' });
  });

  it('Node streams on both sides', async () => {
    const { stream, seen } = nodeSink();
    await pipe(Readable.from([1, 2, 3]), (source) => numbers.execute(source as AsyncIterable<number>), stream);
    expect(seen).toEqual([2, 4, 6]);
  });

  it('a pipeline over the run of another', async () => {
    const inner = numbers.execute(counted(3).source);
    expect(await numbers.executeToArray(inner)).toEqual([0, 4, 8]);
    const failing = await rejection(numbers.executeToArray(broken.execute(counted().source)));
    expect(failing).toMatchObject({ stepName: 'bad', itemIndex: 2 });
  });
});

describe('executeToStream', () => {
  it('without a run id ends the stream as failed when the run fails', async () => {
    const store = createMemoryStreamStore();
    const { done } = broken.executeToStream(counted().source, { store, streamId: 's' });
    await rejection(done);
    expect((await store.head('s'))?.end?.outcome).toBe('failed');
  });

  it('without a run id ends the stream also when there never was a value', async () => {
    const store = createMemoryStreamStore();
    const failing = StreamingPipeline.start<number>(() => {
      throw new PublicError('NO_DB', 'The database is away.');
    });
    const { done } = failing.executeToStream([1], { store, streamId: 's' });
    await rejection(done);
    expect((await store.head('s'))?.end).toMatchObject({ outcome: 'failed', error: { code: 'NO_DB' } });
  });

  it('with a run id keeps it open for a run that goes on, which stores each value once', async () => {
    const store = createMemoryStreamStore();
    let failing = true;
    const pipeline = StreamingPipeline.start<number>().map('a', (n) => {
      if (failing && n === 3) throw new Error('no');
      return n;
    });
    const first = pipeline.executeToStream([0, 1, 2, 3, 4], { store, streamId: 's', runId: 'r' });
    await rejection(first.done);
    expect(await store.head('s')).toMatchObject({ nextPosition: 3, end: null });
    failing = false;
    const second = pipeline.executeToStream([0, 1, 2, 3, 4], { store, streamId: 's', runId: 'r' });
    expect(await second.done).toMatchObject({ outcome: 'completed' });
    const { records, head } = await store.read('s', { from: 0 });
    expect(records.map((record) => record.kind === 'data' && record.data)).toEqual(['0', '1', '2', '3', '4']);
    expect(head.end).toEqual({ outcome: 'completed' });
  });

  it('with onFailure decides otherwise', async () => {
    const store = createMemoryStreamStore();
    const kept = broken.executeToStream(counted().source, { store, streamId: 'kept', onFailure: 'keep' });
    await rejection(kept.done);
    const ended = broken.executeToStream(counted().source, { store, streamId: 'ended', runId: 'r', onFailure: 'end' });
    await rejection(ended.done);
    expect((await store.head('kept'))?.end).toBeNull();
    expect((await store.head('ended'))?.end?.outcome).toBe('failed');
  });

  it('stops on a cancel request', async () => {
    const store = createMemoryStreamStore();
    const { run, done } = numbers.executeToStream(hanging(1).source, { store, streamId: 's' });
    const failed = rejection(done);
    while ((await store.head('s'))?.nextPosition !== 1) await settle();
    await store.mark('s', { type: 'cancel' });
    expect(await failed).toMatchObject({ code: 'ABORTED' });
    expect((await run.metadata).outcome).toBe('aborted');
    expect((await store.head('s'))?.end?.outcome).toBe('cancelled');
  });

  it('stops when the stream takes no more values', async () => {
    const store = createFaultyStore(createMemoryStreamStore(), {
      plan: [
        { verb: 'append', call: 2, count: Infinity, fault: { kind: 'before', error: new PublicError('GONE', 'gone') } },
      ],
    });
    const source = counted();
    const { done } = numbers.executeToStream(source.source, {
      store,
      streamId: 's',
      highWaterMark: 1,
      retry: { timeoutMs: 0 },
    });
    expect(await rejection(done)).toMatchObject({ name: 'StreamingError', code: 'SINK_FAILED', stepName: 'output' });
    expect(source.closed).toBe(1);
  });
});
