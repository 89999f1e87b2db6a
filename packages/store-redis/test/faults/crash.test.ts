/** `kill -9` of the server, again and again, under a writer and readers that go on by themselves. */
import { getStreamReader, getStreamWriter, type StreamStore } from '@perennial/core';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { describe, expect, test } from 'vitest';

import type { RedisClient } from '../../src/index.ts';
import { singleServer } from '../support/single-server.ts';
import { freshPrefix } from '../support/targets.ts';

const redis = singleServer({ config: { appendonly: 'yes', appendfsync: 'always' } });
const RECORDS = 3_000;
const READERS = 10;
const CRASHES = 3;
/** Quicker than in production, so that the test is. */
const RETRY = { maxDelayMs: 50 } as const;

const clients: Readonly<Record<string, () => RedisClient>> = {
  ioredis: () => new Redis({ port: redis.server.port, lazyConnect: true, retryStrategy: () => 20 }),
  redis: () => createClient({ url: redis.server.url, socket: { reconnectStrategy: () => 20 } }),
};

async function readAll(store: StreamStore): Promise<readonly number[]> {
  const values: number[] = [];
  for await (const value of getStreamReader<number>({ store, streamId: 's' })) values.push(value);
  return values;
}

describe.each(Object.entries(clients))('through %s', (_name, clientOf) => {
  test('every acknowledged record is there once, in order, and readers resume by themselves', async () => {
    const prefix = freshPrefix();
    const store = redis.open({ client: clientOf(), prefix, retry: RETRY });
    await store.create('s');
    const readers = Array.from({ length: READERS }, () => readAll(store));

    const writer = getStreamWriter<number>({ store, streamId: 's', retry: RETRY });
    let acknowledged = 0;
    const crashes = (async () => {
      for (let crash = 1; crash <= CRASHES; crash++) {
        // In the middle of the work, wherever that is on this machine.
        await expect.poll(() => acknowledged, { timeout: 20_000, interval: 1 }).toBeGreaterThan((RECORDS * crash) / 5);
        await redis.server.kill();
        const atCrash = acknowledged;
        await redis.server.restart();
        const { nextPosition = 0 } = (await store.head('s')) ?? {};
        expect(nextPosition).toBeGreaterThanOrEqual(atCrash);
      }
    })();
    for (let n = 0; n < RECORDS; n++) {
      await writer.write(n);
      if (n % 10 !== 9) continue;
      const flushed = await writer.flush();
      expect(flushed.ok).toBe(true);
      acknowledged = n + 1;
    }
    expect((await writer.close()).ok).toBe(true);
    await crashes;

    const expected = Array.from({ length: RECORDS }, (_, n) => n);
    for (const values of await Promise.all(readers)) expect(values).toEqual(expected);
    expect(await readAll(redis.open({ prefix }))).toEqual(expected);
  }, 60_000);
});
