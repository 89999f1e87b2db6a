import { collect, createMemoryStreamStore, getStreamReader, PublicError, type StreamStore } from '@perennial/core';
import { type PublishedChunk, publishProgress, publishRun, StreamingPipeline } from '@perennial/pipeline';
import { describe, expect, it } from 'vitest';

import { counted, hanging, settle } from '../support/sources.ts';

const numbers = StreamingPipeline.start<number>().map(
  'odd',
  (n) => {
    if (n === 1) throw new Error('a secret');
    if (n === 3) throw new PublicError('TOO_ODD', 'Three is too odd.');
    return n;
  },
  { errorStrategy: 'SPLIT_ERRORS' },
);

async function chunksOf(store: StreamStore): Promise<PublishedChunk<number>[]> {
  const { records } = await store.read('live', { from: 0 });
  return records.map((record) => JSON.parse(String(record.kind === 'data' && record.data)) as PublishedChunk<number>);
}

describe('publishRun', () => {
  it('writes values, errors and progress into a stream that ends with the run', async () => {
    const store = createMemoryStreamStore();
    const run = numbers.execute(counted(5).source, { total: 5 });
    const { streamId, done } = publishRun(run, { store, streamId: 'live', intervalMs: 1 });
    const read = collect(getStreamReader<PublishedChunk<number>>({ store, streamId }));
    expect(await done).toEqual({ outcome: 'completed' });
    const chunks = await read;
    expect(chunks.flatMap((chunk) => (chunk.type === 'item' ? [chunk.item] : []))).toEqual([0, 2, 4]);
    expect(chunks.flatMap((chunk) => (chunk.type === 'error' ? [chunk.error] : []))).toEqual([
      { code: 'STEP_FAILED', message: 'The step failed.', stepName: 'odd', itemIndex: 1 },
      { code: 'TOO_ODD', message: 'Three is too odd.', stepName: 'odd', itemIndex: 3 },
    ]);
    expect(chunks.at(-1)).toMatchObject({
      type: 'progress',
      progress: { state: 'completed', inputCount: 5, outputCount: 3, errorCount: 2, total: 5 },
    });
  });

  it('can leave the values out', async () => {
    const store = createMemoryStreamStore();
    await publishRun(numbers.execute(counted(3).source), { store, streamId: 'live', items: false }).done;
    expect((await chunksOf(store)).map(({ type }) => type)).not.toContain('item');
  });

  it('fails with the run, and tells nothing that is not public', async () => {
    const store = createMemoryStreamStore();
    const failing = StreamingPipeline.start<number>().map('bad', () =>
      Promise.reject(new Error('the password is 1234')),
    );
    const end = await publishRun(failing.execute(1), { store, streamId: 'live' }).done;
    expect(end.outcome).toBe('failed');
    const chunks = await chunksOf(store);
    expect(chunks.at(-1)).toMatchObject({
      progress: { state: 'failed', error: { code: 'STEP_FAILED', message: 'The step failed.', stepName: 'bad' } },
    });
    expect(JSON.stringify(chunks)).not.toContain('1234');
  });

  it('aborts the run on a cancel request', async () => {
    const store = createMemoryStreamStore();
    const source = hanging(2);
    const run = numbers.execute(source.source);
    const { done } = publishRun(run, { store, streamId: 'live', intervalMs: 60_000 });
    while ((await store.head('live'))?.nextPosition !== 2) await settle();
    await store.mark('live', { type: 'cancel', reason: 'stop' });
    expect(await done).toEqual({ outcome: 'cancelled', reason: 'stop' });
    expect((await run.metadata).outcome).toBe('aborted');
    expect(source.closed).toBe(1);
  });
});

describe('publishProgress', () => {
  it('follows a run that somebody else consumes', async () => {
    const store = createMemoryStreamStore();
    const run = numbers.execute(counted(5).source);
    const { done } = publishProgress(run, { store, streamId: 'live', intervalMs: 60_000 });
    const values: number[] = [];
    for await (const value of run) values.push(value);
    expect(await done).toEqual({ outcome: 'completed' });
    expect(values).toEqual([0, 2, 4]);
    const chunks = await chunksOf(store);
    expect(chunks.map(({ type }) => type)).toEqual(['progress', 'progress']);
    expect(chunks.at(-1)).toMatchObject({ progress: { state: 'completed', outputCount: 3 } });
  });

  it('writes the errors that steps split off, where it is told to', async () => {
    const store = createMemoryStreamStore();
    const run = numbers.execute(counted(5).source);
    const { done } = publishProgress(run, { store, streamId: 'live', intervalMs: 60_000, errors: true });
    for await (const _ of run);
    expect(await done).toEqual({ outcome: 'completed' });
    const chunks = await chunksOf(store);
    expect(chunks.flatMap((chunk) => (chunk.type === 'error' ? [chunk.error.code] : []))).toEqual([
      'STEP_FAILED',
      'TOO_ODD',
    ]);
    expect(chunks.at(-1)).toMatchObject({ progress: { state: 'completed', errorCount: 2 } });
  });

  it('stops the run when somebody asks for it', async () => {
    const store = createMemoryStreamStore();
    const source = hanging(2);
    const run = numbers.execute(source.source);
    const { opened, done } = publishProgress(run, { store, streamId: 'live', intervalMs: 60_000 });
    await opened;
    await run.next();
    const pending = run.next().then(() => run.next());
    await store.mark('live', { type: 'cancel', reason: 'stop' });
    await expect(pending).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await done).toEqual({ outcome: 'cancelled', reason: 'stop' });
  });

  it('does not stop the run when it loses its stream', async () => {
    const memory = createMemoryStreamStore();
    let fenced = false;
    const refused = Promise.withResolvers<void>();
    const store = new Proxy(memory, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (key !== 'mark') return typeof value === 'function' ? value.bind(target) : value;
        return async (...args: Parameters<StreamStore['mark']>) => {
          try {
            return await target.mark(...args);
          } finally {
            if (fenced) refused.resolve();
          }
        };
      },
    });
    const gate = Promise.withResolvers<void>();
    const run = StreamingPipeline.start<number>()
      .map('late', (n) => gate.promise.then(() => n))
      .execute(counted(3).source);
    const { opened, done } = publishProgress(run, { store, streamId: 'live', intervalMs: 1, leaseMs: 60 });
    await opened;
    const first = run.next();
    fenced = true;
    await memory.mark('live', { type: 'fence', token: 7, nonce: 'a reader that took it for lost' });
    await refused.promise;
    // The renewal of its lease was refused: the writer knows now, and has turns enough to do the wrong thing.
    for (let i = 0; i < 20; i++) await settle();
    gate.resolve();
    expect(await first).toEqual({ done: false, value: 0 });
    expect(await collect(run)).toEqual([1, 2]);
    expect((await run.metadata).outcome).toBe('completed');
    expect((await done).outcome).toBe('failed');
  });
});
