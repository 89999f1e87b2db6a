/** What both queues have to do, and what each refuses. */
import { type RedisServer, startRedis } from '@perennial/redis-server';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { createBullMessageQueue } from '../../src/bullmq/index.ts';
import { type ActorMessage, createMemoryQueue, type MessageQueue } from '../../src/index.ts';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
}, 120_000);
afterAll(() => redis.stop());

const message = (id: string): ActorMessage => ({ action: 'stream', streamId: id, actorType: 'a', input: { id } });

const kinds: Record<string, () => MessageQueue> = {
  'in memory': () => createMemoryQueue({ retryDelayMs: 1 }),
  'on BullMQ': () => createBullMessageQueue({ url: redis.url, prefix: crypto.randomUUID() }),
  'on BullMQ, with a client of `redis`': () => {
    const client = createClient({ url: redis.url });
    // Registered before the queue's own, and so run after it.
    onTestFinished(() => client.destroy());
    void client.connect();
    return createBullMessageQueue({ client, prefix: crypto.randomUUID() });
  },
  'on BullMQ, with a client of `ioredis`': () => {
    const client = new Redis(redis.url);
    onTestFinished(() => client.disconnect());
    return createBullMessageQueue({ client, prefix: crypto.randomUUID() });
  },
};

describe.each(Object.entries(kinds))('a queue %s', (_name, create) => {
  function open(): MessageQueue {
    const queue = create();
    onTestFinished(() => queue.close());
    return queue;
  }

  it('delivers each message once, and keeps addresses apart', async () => {
    const queue = open();
    const got: unknown[] = [];
    const other: unknown[] = [];
    let all = (): void => {};
    const done = new Promise<void>((resolve) => (all = resolve));
    queue.consume('jobs/a:1', async (delivery) => {
      if (got.push(delivery.message) === 20) all();
    });
    queue.consume('jobs/b', async (delivery) => void other.push(delivery));
    for (let i = 0; i < 20; i++) await queue.send('jobs/a:1', message(`s${i}`));
    await done;
    expect(got).toEqual(Array.from({ length: 20 }, (_, i) => message(`s${i}`)));
    expect(other).toEqual([]);
  });

  it('delivers again what a handler rejects', async () => {
    const queue = open();
    let tries = 0;
    let finished = (): void => {};
    const done = new Promise<void>((resolve) => (finished = resolve));
    queue.consume('jobs', async () => {
      if (++tries < 3) throw new Error('not yet');
      finished();
    });
    await queue.send('jobs', message('s'));
    await done;
    expect(tries).toBe(3);
  });

  it('waits for work at close, and takes no more', async () => {
    const queue = open();
    let begun = (): void => {};
    const started = new Promise<void>((resolve) => (begun = resolve));
    let goOn = (): void => {};
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    const handled: unknown[] = [];
    const consumer = queue.consume('jobs', async (delivery) => {
      begun();
      await gate;
      handled.push(delivery.message);
    });
    await queue.send('jobs', message('first'));
    await started;
    const closed = consumer.close();
    await queue.send('jobs', message('second'));
    goOn();
    await closed;
    expect(handled).toEqual([message('first')]);
  });

  it('fires the signal of work that does not finish in time', async () => {
    const queue = open();
    let begun = (): void => {};
    const started = new Promise<void>((resolve) => (begun = resolve));
    let fired = false;
    const consumer = queue.consume('jobs', ({ signal }) => {
      begun();
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          fired = true;
          reject(new Error('handed back'));
        });
      });
    });
    await queue.send('jobs', message('s'));
    await started;
    await consumer.close({ drainMs: 1 });
    expect(fired).toBe(true);
  });

  it('refuses to be used after close', async () => {
    const queue = open();
    await queue.close();
    await expect(queue.send('jobs', message('s'))).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
    expect(() => queue.consume('jobs', async () => {})).toThrow(/closed/);
  });
});

describe('limits', () => {
  it('of a queue in memory', async () => {
    const queue = createMemoryQueue({ maxPending: 2 });
    await queue.send('jobs', message('1'));
    await queue.send('jobs', message('2'));
    await expect(queue.send('jobs', message('3'))).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    expect(() => createMemoryQueue({ maxPending: 0 })).toThrow(/`maxPending`/);
  });

  it('of a queue on Redis', async () => {
    expect(() => createBullMessageQueue({})).toThrow(/`url` or `client`/);
  });

  it('reports a Redis that is away, and closes all the same', async () => {
    const server = await startRedis();
    const queue = createBullMessageQueue({ url: server.url, sendTimeoutMs: 300 });
    await queue.send('jobs', message('before'));
    await server.stop();
    await expect(queue.send('jobs', message('after'))).rejects.toMatchObject({
      code: 'QUEUE_ERROR',
      message: expect.stringContaining('300 ms'),
    });
    await queue.close();
  });

  it('stores a message once that is sent twice', async () => {
    const queue = createBullMessageQueue({ url: redis.url, prefix: crypto.randomUUID() });
    onTestFinished(() => queue.close());
    await queue.send('jobs', message('same'));
    await queue.send('jobs', message('same'));
    await queue.send('jobs', message('last'));
    const got: unknown[] = [];
    await new Promise<void>((resolve) => {
      queue.consume('jobs', async (delivery) => {
        got.push(delivery.message);
        if (got.length === 2) resolve();
      });
    });
    expect(got).toEqual([message('same'), message('last')]);
  });
});
