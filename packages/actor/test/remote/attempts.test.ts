/** Several attempts at one job: what a consumer sees of it, whenever it reads. */
import { createMemoryStreamStore, liveView, type StreamChunk } from '@perennial/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  ActorWorker,
  createActorRegistry,
  createMemoryQueue,
  defineActor,
  readChunks,
  RemoteStreamingActor,
} from '../../src/index.ts';
import { JobAttempt } from '../../src/remote/job-attempt.ts';

const NEVER = { signal: new AbortController().signal };

/** A job that worker after worker begins, without the one before being gone: what stalled detection does to a process that hangs. */
function job(attempts: readonly { readonly say: readonly unknown[]; readonly dies: boolean }[], maxAttempts = 10) {
  const store = createMemoryStreamStore();
  const queue = createMemoryQueue();
  /** Lets the zombies of earlier attempts go on. */
  let wake = (): void => {};
  const woken = new Promise<void>((resolve) => (wake = resolve));
  const actor = defineActor(async function* (_input: unknown, { attempt }) {
    const { say = [], dies = false } = attempts[attempt - 1] ?? {};
    for (const data of say) yield { type: 'data', data };
    if (dies) {
      await woken;
      yield { type: 'data', data: 'from the grave' };
    }
    yield { type: 'complete', data: say.length };
  });
  const registry = createActorRegistry({ actors: { job: actor } });
  const worker = new ActorWorker({ store, queue, registry, maxAttempts });
  const remote = new RemoteStreamingActor({ store, queue, actorType: 'job' });
  return { store, worker, remote, wake };
}

/** Resolves once the stream has at least so many records. */
async function reach(
  store: ReturnType<typeof createMemoryStreamStore>,
  streamId: string,
  count: number,
): Promise<void> {
  if (count > 0) await store.wait(streamId, { position: count - 1 });
}

async function dataOf(stream: AsyncIterable<StreamChunk>): Promise<unknown[]> {
  const data: unknown[] = [];
  for await (const chunk of stream) if (chunk.type === 'data') data.push(chunk.data);
  return data;
}

describe('a job whose worker died', () => {
  it('gives its consumer each datum once, and one end', async () => {
    const all = ['a', 'b', 'c', 'd'];
    const { store, worker, remote, wake } = job([
      { say: all.slice(0, 2), dies: true },
      { say: all.slice(0, 3), dies: true },
      { say: all, dies: false },
    ]);
    const { streamId } = await remote.start({});
    const message = { action: 'stream', streamId, actorType: 'job', input: {} };
    const consumed = dataOf(remote.read(streamId));
    const zombies = [];
    for (const count of [2, 6]) {
      zombies.push(worker.processStreamRequest(message, NEVER));
      await reach(store, streamId, count);
    }
    await worker.processStreamRequest(message, NEVER);
    wake();
    // Nothing of what the zombies say later is stored, and they need not be tried again.
    await Promise.all(zombies);
    expect(await consumed).toEqual(all);
    expect(await dataOf(remote.read(streamId))).toEqual(all);
    const { records, head } = await store.read(streamId, { from: 0 });
    expect(liveView(records).map(({ data }) => JSON.parse(String(data)))).toEqual([
      ...all.map((data) => ({ type: 'data', data })),
      { type: 'complete', data: 4 },
    ]);
    expect(head.end).toEqual({ outcome: 'completed' });
  });

  it('refuses what the worker before writes later, which need not be tried again', async () => {
    const { store, worker, remote, wake } = job([
      { say: ['a'], dies: true },
      { say: ['a'], dies: true },
    ]);
    const { streamId } = await remote.start({});
    const message = { action: 'stream', streamId, actorType: 'job', input: {} };
    const zombie = worker.processStreamRequest(message, NEVER);
    await reach(store, streamId, 1);
    const taken = await JobAttempt.take(store, streamId);
    wake();
    // The stream is open, and the zombie has something to say.
    await expect(zombie).resolves.toBeUndefined();
    expect((await store.head(streamId))?.nextPosition).toBe(1);
    await taken?.fail(new Error('over'));
  });

  it('tells the consumer to start over when the second attempt says something else', async () => {
    const { store, worker, remote } = job([
      { say: ['a', 'b'], dies: true },
      { say: ['a', 'x'], dies: false },
    ]);
    const { streamId } = await remote.start({});
    const message = { action: 'stream', streamId, actorType: 'job', input: {} };
    let seen: unknown[] = [];
    const listened = (async () => {
      for await (const chunk of remote.read(streamId, { onRestart: () => (seen = []) }))
        if (chunk.type === 'data') seen.push(chunk.data);
    })();
    const strict = dataOf(remote.read(streamId));
    const refused = strict.then(
      () => null,
      (error: unknown) => error,
    );
    void worker.processStreamRequest(message, NEVER);
    await reach(store, streamId, 2);
    // Both readers have what the first attempt said before the second begins.
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    await worker.processStreamRequest(message, NEVER);
    await listened;
    expect(seen).toEqual(['a', 'x']);
    expect(await refused).toMatchObject({ code: 'RESTARTED' });
    // Who comes late has nothing to forget.
    expect(await dataOf(remote.read(streamId))).toEqual(['a', 'x']);
  });

  it('fails for good when no worker lives to finish it', async () => {
    const { store, worker, remote } = job(
      [
        { say: ['a'], dies: true },
        { say: ['a'], dies: true },
      ],
      2,
    );
    const { streamId } = await remote.start({});
    const message = { action: 'stream', streamId, actorType: 'job', input: {} };
    for (const count of [1, 3]) {
      void worker.processStreamRequest(message, NEVER);
      await reach(store, streamId, count);
    }
    await worker.processStreamRequest(message, NEVER);
    const chunks: StreamChunk[] = [];
    for await (const chunk of remote.read(streamId)) chunks.push(chunk);
    expect(chunks).toMatchObject([{ data: 'a' }, { type: 'error', error: { code: 'WORKER_LOST' } }]);
    expect((await store.head(streamId))?.end).toMatchObject({ outcome: 'failed', error: { code: 'WORKER_LOST' } });
  });

  it('is left alone once its stream is gone or has ended', async () => {
    const { store, worker, remote } = job([{ say: ['a'], dies: false }]);
    const { streamId } = await remote.start({});
    const message = { action: 'stream', streamId, actorType: 'job', input: {} };
    await worker.processStreamRequest(message, NEVER);
    await worker.processStreamRequest(message, NEVER);
    expect(await dataOf(remote.read(streamId))).toEqual(['a']);
    await store.delete(streamId);
    await expect(worker.processStreamRequest(message, NEVER)).resolves.toBeUndefined();
  });
});

describe('whatever is interrupted when, and wherever a consumer goes on', () => {
  const says = fc.array(fc.constantFrom('a', 'b'), { maxLength: 5 });
  const programs = fc.record({
    dying: fc.array(says, { maxLength: 3 }),
    final: says,
    /** After how many chunks the consumer goes away and comes back with its cursor, again and again. */
    pauses: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }),
    /** Whether the consumer reads along, or comes when all is over. */
    late: fc.boolean(),
  });

  it('has the data of the last attempt, each once', async () => {
    await fc.assert(
      fc.asyncProperty(programs, async ({ dying, final, pauses, late }) => {
        const { store, worker, remote, wake } = job([
          ...dying.map((say) => ({ say, dies: true })),
          { say: final, dies: false },
        ]);
        const { streamId } = await remote.start({});
        const message = { action: 'stream', streamId, actorType: 'job', input: {} };
        const work = async (): Promise<void> => {
          let records = 0;
          for (const [index, say] of dying.entries()) {
            void worker.processStreamRequest(message, NEVER);
            // A supersede record is written before the data of a repeated attempt, unless there is nothing yet.
            records += say.length + (index > 0 && records > 0 ? 1 : 0);
            await reach(store, streamId, records);
            for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
          }
          await worker.processStreamRequest(message, NEVER);
        };
        const working = work();
        if (late) await working;
        expect(await consume({ store, streamId, pauses })).toEqual(final);
        await working;
        wake();
      }),
      { numRuns: 300 },
    );
  });

  async function consume(options: {
    readonly store: ReturnType<typeof createMemoryStreamStore>;
    readonly streamId: string;
    readonly pauses: readonly number[];
  }): Promise<unknown[]> {
    const { store, streamId } = options;
    let data: unknown[] = [];
    let cursor: string | undefined;
    for (const pause of [...options.pauses, Infinity]) {
      let left = pause;
      const at = cursor === undefined ? {} : { cursor };
      for await (const next of readChunks({ store, streamId, ...at, onRestart: () => (data = []) })) {
        cursor = next.cursor;
        if (next.chunk.type === 'data') data.push(next.chunk.data);
        if (next.chunk.type === 'complete') return data;
        if (--left === 0) break;
      }
    }
    throw new Error('The job did not end.');
  }
});
