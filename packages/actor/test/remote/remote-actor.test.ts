/** A remote actor is called like a local one. Store and queue are in memory; the tests beside this one use Redis and processes. */
import type { StreamChunk } from '@perennial/core';
import { afterEach, describe, expect, it } from 'vitest';

import {
  type ActorContext,
  ActorWorker,
  type ActorWorkerOptions,
  type AnyActor,
  collectChunks,
  collectResult,
  createActorRegistry,
  defineActor,
  RemoteStreamingActor,
  type RemoteStreamingActorOptions,
  throwOnError,
} from '../../src/index.ts';
import { type RemoteRig, startRig } from '../support/remote-rig.ts';

let rig: RemoteRig | null = null;
afterEach(async () => {
  await rig?.close();
  rig = null;
});
function start(actors: Record<string, AnyActor>, options: Partial<ActorWorkerOptions> = {}, started = true): RemoteRig {
  rig = startRig(actors, options, started);
  return rig;
}

const count = defineActor(async function* (input: { to: number }) {
  yield { type: 'start' };
  for (let i = 1; i <= input.to; i++) yield { type: 'data', data: i };
  yield { type: 'progress', progress: { current: input.to, total: input.to } };
  yield { type: 'complete', data: { sum: (input.to * (input.to + 1)) / 2 } };
});

describe('local and remote are the same code', () => {
  it('gives the same chunks and the same result', async () => {
    const { remote } = start({ count });
    const local = createActorRegistry({ actors: { count } }).get('count');
    for (const actor of [local, remote('count')]) {
      const chunks: StreamChunk[] = [];
      for await (const chunk of actor.stream({ to: 3 })) chunks.push(chunk);
      expect(chunks).toEqual([
        { type: 'start' },
        { type: 'data', data: 1 },
        { type: 'data', data: 2 },
        { type: 'data', data: 3 },
        { type: 'progress', progress: { current: 3, total: 3 } },
        { type: 'complete', data: { sum: 6 } },
      ]);
      expect(await actor.execute({ to: 4 })).toEqual({ sum: 10 });
    }
  });

  it('can be registered like a local one', async () => {
    const { remote } = start({ count });
    const registry = createActorRegistry({ actors: { 'far-count': remote('count') } });
    expect(await registry.get('far-count').execute({ to: 2 })).toEqual({ sum: 3 });
  });

  it('brings what the actor throws as an error chunk, with its details and without its stack', async () => {
    const broken = defineActor(async function* () {
      yield { type: 'data', data: 1 };
      throw Object.assign(new RangeError('out of tokens'), { code: 'E_TOKENS' });
    });
    const { remote } = start({ broken });
    expect(await collectChunks(remote('broken').stream({}))).toEqual([
      { type: 'data', data: 1 },
      { type: 'error', error: { code: 'E_TOKENS', message: 'out of tokens', name: 'RangeError' } },
    ]);
    await expect(remote('broken').execute({})).rejects.toMatchObject({ failureCode: 'E_TOKENS' });
    await expect(collectChunks(throwOnError(remote('broken').stream({})))).rejects.toMatchObject({ code: 'FAILED' });
  });

  it('does not take an error of a stream that the actor uses for one of its own stream', async () => {
    const broken = defineActor(async () => {
      throw Object.assign(new Error('no such stream'), { code: 'CLOSED', type: 'STREAM_CLOSED' });
    });
    const { remote } = start({ broken });
    expect(await collectChunks(remote('broken').stream({}))).toMatchObject([{ error: { code: 'CLOSED' } }]);
  });

  it('fails in a typed way when nobody knows the actor, or its data is no JSON', async () => {
    const odd = defineActor(async function* () {
      yield { type: 'data', data: 10n };
    });
    const { remote } = start({ odd });
    expect(await collectChunks(remote('nobody').stream({}))).toMatchObject([
      { type: 'error', error: { code: 'UNKNOWN_ACTOR', message: expect.stringContaining('"odd"') } },
    ]);
    expect(await collectChunks(remote('odd').stream({}))).toMatchObject([{ error: { code: 'UNSERIALISABLE' } }]);
    await expect(remote('odd').execute(10n)).rejects.toMatchObject({ code: 'UNSERIALISABLE' });
  });
});

/** Says one thing and waits for its signal; tells when it fired. */
function patient(): { readonly actor: AnyActor; readonly fired: Promise<unknown> } {
  let report: (reason: unknown) => void;
  const fired = new Promise<unknown>((resolve) => (report = resolve));
  const actor = defineActor(async function* (_input: unknown, context: ActorContext) {
    context.signal.addEventListener('abort', () => report(context.signal.reason));
    yield { type: 'data', data: context.attempt };
    await new Promise(() => {});
  });
  return { actor, fired };
}

describe('cancelling', () => {
  it('reaches the actor when the consumer leaves', async () => {
    const { actor, fired } = patient();
    const { remote, store } = start({ patient: actor });
    for await (const chunk of remote('patient').stream({})) if (chunk.type === 'data') break;
    expect(await fired).toMatchObject({ code: 'CANCELLED' });
    const [head] = (await store.list({ prefix: 'actors/patient/' })).streams;
    const ended = await store.wait(head?.id ?? '', { position: Infinity });
    expect(ended.end).toEqual({ outcome: 'cancelled', reason: 'The consumer left.' });
  });

  it('reaches the actor when somebody else asks for it, and every reader sees the end', async () => {
    const { actor, fired } = patient();
    const { remote } = start({ patient: actor });
    const { streamId } = await remote('patient').start({});
    const seen: StreamChunk[] = [];
    for await (const chunk of remote('patient').read(streamId)) {
      seen.push(chunk);
      if (chunk.type === 'data') await remote('patient').cancel(streamId, 'stop button');
    }
    await fired;
    expect(seen.at(-1)).toEqual({ type: 'error', error: { code: 'CANCELLED', message: 'stop button' } });
  });

  it('ends work that nobody has begun at once, and no worker begins it later', async () => {
    let ran = false;
    const actor = defineActor(async () => (ran = true));
    const { remote, worker } = start({ never: actor, count }, { concurrency: 1 }, false);
    const { streamId } = await remote('never').start({});
    await remote('never').cancel(streamId);
    expect(await collectChunks(remote('never').read(streamId))).toMatchObject([{ error: { code: 'CANCELLED' } }]);
    worker.start();
    await remote('count').execute({ to: 1 });
    expect(ran).toBe(false);
  });

  it('is not done by a reader that leaves', async () => {
    let goOn = (): void => {};
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    const actor = defineActor(async function* () {
      yield { type: 'data', data: 'a' };
      await gate;
      yield { type: 'complete', data: 'done' };
    });
    const { remote } = start({ gated: actor });
    const { streamId } = await remote('gated').start({});
    for await (const chunk of remote('gated').read(streamId)) if (chunk.type === 'data') break;
    goOn();
    expect(await collectResult(remote('gated').read(streamId))).toBe('done');
  });

  it('gives up on silence', async () => {
    const { remote } = start({ count }, {}, false);
    await expect(remote('count', { silenceMs: 30 }).execute({ to: 1 })).rejects.toMatchObject({ code: 'TIMEOUT' });
  });
});

describe('a worker', () => {
  it('pauses actors whose chunks the store does not take', async () => {
    let made = 0;
    const eager = defineActor(async function* () {
      while (made < 10_000) yield { type: 'data', data: ++made };
    });
    const { remote, store } = start({ eager }, { highWaterMark: 16 });
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const append = store.append.bind(store);
    store.append = async (...args) => gate.then(() => append(...args));
    const { streamId } = await remote('eager').start({});
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(made).toBeLessThan(40);
    release();
    expect((await collectChunks(remote('eager').read(streamId))).length).toBe(10_001);
  });

  it('works on no more jobs at a time than it may', async () => {
    let running = 0;
    let most = 0;
    const busy = defineActor(async () => {
      most = Math.max(most, ++running);
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
      running--;
    });
    const { remote } = start({ busy }, { concurrency: 3 });
    await Promise.all(Array.from({ length: 20 }, () => remote('busy').execute({})));
    expect(most).toBe(3);
  });

  it('drains at shutdown', async () => {
    let goOn = (): void => {};
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    let begun = (): void => {};
    const started = new Promise<void>((resolve) => (begun = resolve));
    const slow = defineActor(async () => {
      begun();
      await gate;
      return 'finished';
    });
    const { remote, worker } = start({ slow });
    const result = remote('slow').execute({});
    await started;
    const closed = worker.close();
    goOn();
    await closed;
    expect(await result).toBe('finished');
  });

  it('hands over what takes too long to drain', async () => {
    const { actor } = patient();
    const { remote, worker, store, queue } = start({ patient: actor });
    const { streamId } = await remote('patient').start({});
    const stream = remote('patient', { onRestart: () => {} }).read(streamId);
    expect(await stream.next()).toMatchObject({ value: { data: 1 } });
    await worker.close({ drainMs: 1 });
    const next = new ActorWorker({ store, queue, registry: createActorRegistry({ actors: { patient: actor } }) });
    next.start();
    expect(await stream.next()).toMatchObject({ value: { data: 2 } });
    await remote('patient').cancel(streamId);
    await next.close();
    await stream.return();
  });

  it("tries again what is worth it, and then gives up with the actor's own error", async () => {
    let tries = 0;
    const flaky = defineActor(async (input: { until: number }) => {
      if (++tries < input.until) throw Object.assign(new Error('busy'), { code: 'E_BUSY' });
      return tries;
    });
    const { remote } = start({ flaky }, { isRetryable: () => true, maxAttempts: 3 });
    expect(await remote('flaky').execute({ until: 3 })).toBe(3);
    tries = 0;
    await expect(remote('flaky').execute({ until: 9 })).rejects.toMatchObject({ failureCode: 'E_BUSY' });
    expect(tries).toBe(3);
  });

  it('that died with its queue is noticed by readers', async () => {
    const { actor } = patient();
    const { remote, store, worker } = start({ patient: actor }, { leaseMs: 30 });
    const { streamId } = await remote('patient').start({});
    const stream = remote('patient').read(streamId);
    await stream.next();
    // From here on the worker is silent, as a dead one is.
    const mark = store.mark.bind(store);
    store.mark = (id, change) => (change.type === 'lease' ? new Promise(() => {}) : mark(id, change));
    expect(await stream.next()).toMatchObject({ value: { type: 'error', error: { code: 'PRODUCER_LOST' } } });
    await worker.close({ drainMs: 0 });
  });

  it('names what it lacks, and what a caller lacks', () => {
    const { store, queue } = start({});
    const registry = createActorRegistry();
    expect(() => new ActorWorker({ store, registry } as unknown as ActorWorkerOptions)).toThrow(/`queue` is needed/);
    expect(() => new ActorWorker({ store, queue, registry, maxAttempts: 0 })).toThrow(/`maxAttempts`/);
    const lacking = { queue, actorType: 'a' } as unknown as RemoteStreamingActorOptions;
    expect(() => new RemoteStreamingActor(lacking)).toThrow(/`store` is needed/);
    expect(() => new RemoteStreamingActor({ store, queue, actorType: '' })).toThrow(/`actorType`/);
  });

  it('tells of jobs that have to be handed out again', async () => {
    const errors: unknown[] = [];
    const { remote, store } = start({ count }, { onError: (error) => errors.push(error) });
    const mark = store.mark.bind(store);
    let broken = 2;
    store.mark = async (...args) => {
      if (broken-- > 0) throw new Error('disk on fire');
      return mark(...args);
    };
    expect(await remote('count').execute({ to: 1 })).toEqual({ sum: 1 });
    expect(errors).toMatchObject([{ message: 'disk on fire' }, { message: 'disk on fire' }]);
  });

  it('reports a message that is none, and goes on', async () => {
    const errors: unknown[] = [];
    const { remote, queue } = start({ count }, { onError: (error) => errors.push(error) });
    await queue.send('actors', { action: 'dance' } as never);
    expect(await remote('count').execute({ to: 1 })).toEqual({ sum: 1 });
    expect(errors).toMatchObject([{ code: 'INVALID_ARGUMENT', message: expect.stringContaining('dance') }]);
  });
});
