/** Workers in processes of their own, on a real Redis, killed without warning. */
import { type RedisServer, startRedis } from '@perennial/redis-server';
import { createRedisStreamStore } from '@perennial/store-redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { createBullMessageQueue } from '../../src/bullmq/index.ts';
import { type MessageQueue, RemoteStreamingActor } from '../../src/index.ts';
import { startWorker, type WorkerProcess } from '../processes/start-worker.ts';

const JOBS = 100;
/** Jobs that say something else in each attempt. */
const RESTLESS_JOBS = 20;
const DATA = 30;
const KILLS = 8;

let redis: RedisServer;
let prefix: string;
let store: ReturnType<typeof createRedisStreamStore>;
let queue: MessageQueue;
let workers: WorkerProcess[];
beforeAll(async () => {
  redis = await startRedis();
}, 120_000);
afterAll(() => redis.stop());

beforeEach(() => {
  prefix = `test-${crypto.randomUUID()}`;
  store = createRedisStreamStore({ url: redis.url, prefix, onWarning: () => {} });
  queue = createBullMessageQueue({ url: redis.url, prefix: `${prefix}-queue` });
  workers = [];
});
afterEach(async () => {
  for (const worker of workers) worker.signal('SIGKILL');
  await Promise.all(workers.map(({ exited }) => exited));
  await queue.close();
  await store.close();
});

/** Reads a job whose attempts differ: starts over when it is told to. */
async function consumeRestless(
  input: unknown,
): Promise<{ readonly data: readonly string[]; readonly attempt: unknown }> {
  const data: string[] = [];
  const actor = new RemoteStreamingActor<unknown, unknown, string>({
    store,
    queue,
    actorType: 'restless',
    onRestart: () => data.splice(0),
  });
  for await (const chunk of actor.stream(input)) {
    if (chunk.type === 'data') data.push(chunk.data);
    if (chunk.type === 'complete') return { data, attempt: chunk.data };
  }
  throw new Error('The job did not end.');
}

const remote = (actorType: string) => new RemoteStreamingActor({ store, queue, actorType });

async function start(count: number, maxAttempts?: number): Promise<void> {
  const started = Array.from({ length: count }, () => startWorker(redis.url, prefix, maxAttempts));
  workers.push(...started);
  await Promise.all(started.map((worker) => worker.printed('ready')));
}

/** Kills a random worker and starts another one in its place. */
function replaceOne(): void {
  const [victim] = workers.splice(Math.floor(Math.random() * workers.length), 1);
  victim?.signal('SIGKILL');
  workers.push(startWorker(redis.url, prefix));
}

describe('three workers, a hundred jobs and kill -9', () => {
  it('gives each consumer each datum once, and one end', async () => {
    await start(3);
    let total = 0;
    const consume = async (): Promise<{ data: unknown[]; ends: unknown[] }> => {
      const seen = { data: [] as unknown[], ends: [] as unknown[] };
      for await (const chunk of remote('count').stream({ to: DATA, everyMs: 5 })) {
        if (chunk.type === 'data') {
          seen.data.push(chunk.data);
          if (++total % Math.floor((JOBS * DATA) / (KILLS + 1)) === 0) replaceOne();
        } else if (chunk.type !== 'start') seen.ends.push(chunk);
      }
      return seen;
    };
    const restless = Promise.all(
      Array.from({ length: RESTLESS_JOBS }, () => consumeRestless({ to: DATA, everyMs: 10 })),
    );
    const all = await Promise.all(Array.from({ length: JOBS }, consume));
    const expected = Array.from({ length: DATA }, (_, i) => i + 1);
    for (const { data, ends } of all) {
      expect(data).toEqual(expected);
      expect(ends).toEqual([{ type: 'complete', data: DATA }]);
    }
    for (const { data, attempt } of await restless)
      expect(data).toEqual(expected.map((value) => `${String(attempt)}:${value}`));
    const { streams } = await store.list({ prefix: 'actors/' });
    expect(streams).toHaveLength(JOBS + RESTLESS_JOBS);
    expect(streams.every(({ end }) => end?.outcome === 'completed')).toBe(true);
    // The kills hit jobs in the middle: these were begun more than once.
    expect(streams.filter(({ token }) => token > 1).length).toBeGreaterThan(0);
  }, 240_000);
});

describe('a Redis that is killed and comes back', () => {
  it('costs time, and nothing else', async () => {
    const server = await startRedis({ config: { appendonly: 'yes', appendfsync: 'always' } });
    onTestFinished(() => server.stop());
    const here = createRedisStreamStore({ url: server.url, prefix });
    const jobs = createBullMessageQueue({ url: server.url, prefix: `${prefix}-queue` });
    onTestFinished(async () => {
      await jobs.close();
      await here.close();
    });
    const worker = startWorker(server.url, prefix);
    workers.push(worker);
    await worker.printed('ready');
    let crash: Promise<void> | null = null;
    const consume = async (): Promise<unknown[]> => {
      const data: unknown[] = [];
      const actor = new RemoteStreamingActor({ store: here, queue: jobs, actorType: 'count' });
      for await (const chunk of actor.stream({ to: 50, everyMs: 10 })) {
        if (chunk.type === 'data') data.push(chunk.data);
        if (data.length === 20) crash ??= server.kill().then(() => server.restart());
      }
      return data;
    };
    const all = await Promise.all(Array.from({ length: 5 }, consume));
    expect(crash).not.toBeNull();
    for (const data of all) expect(data).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  }, 120_000);
});

describe('a worker process', () => {
  it('hands nothing over when it is asked to stop and may drain', async () => {
    await start(1);
    const stream = remote('count').stream({ to: 40, everyMs: 5 });
    await stream.next();
    workers[0]?.signal('SIGTERM');
    const data: unknown[] = [];
    for await (const chunk of stream) if (chunk.type === 'data') data.push(chunk.data);
    expect(data).toHaveLength(40);
    await workers[0]?.printed('drained');
    expect(await workers[0]?.exited).toBe(0);
    const [head] = (await store.list({ prefix: 'actors/count/' })).streams;
    expect(head?.token).toBe(1);
  }, 120_000);

  it('is told when the consumer leaves', async () => {
    await start(1);
    for await (const chunk of remote('patient').stream({})) if (chunk.type === 'data') break;
    const [head] = (await store.list({ prefix: 'actors/patient/' })).streams;
    const ended = await store.wait(head?.id ?? '', { position: Infinity });
    expect(ended.end).toEqual({ outcome: 'cancelled', reason: 'The consumer left.' });
  }, 120_000);

  it('that a job kills again and again ends the job in a typed failure', async () => {
    await start(1, 3);
    let over = false;
    const supervise = async (): Promise<void> => {
      while (!over) {
        await workers[0]?.exited;
        if (!over) workers[0] = startWorker(redis.url, prefix, 3);
      }
    };
    void supervise();
    const chunks: unknown[] = [];
    const stream = new RemoteStreamingActor({ store, queue, actorType: 'poison', onRestart: () => chunks.splice(0) });
    for await (const chunk of stream.stream({})) chunks.push(chunk);
    over = true;
    expect(chunks.at(-1)).toMatchObject({ type: 'error', error: { code: 'WORKER_LOST' } });
    expect(await remote('count').execute({ to: 1, everyMs: 1 })).toBe(1);
  }, 240_000);
});
