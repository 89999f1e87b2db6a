import { randomUUID } from 'node:crypto';

import { type RedisCluster, sharedRedis, startRedisCluster } from '@perennial/redis-server';
import { describeStore, type StoreConformanceTarget } from '@perennial/testing';
import { Cluster, Redis } from 'ioredis';
import { createClient, createCluster } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createRedisStreamStore, type RedisClient, type RedisStreamStoreOptions } from '../../src/index.ts';

/** A server or Cluster of this test file, and a client for it. */
export interface RedisTarget {
  readonly name: string;
  /** The server is ours alone, so that its settings are known. */
  readonly own: boolean;
  readonly start: () => Promise<{ readonly client: RedisClient; readonly stop: () => Promise<void> }>;
}

/** A prefix that no other store uses. */
export const freshPrefix = (): string => `t:${randomUUID()}`;

/** Without warnings about the missing persistence of test servers. */
export const QUIET = { onWarning: () => {} } satisfies Partial<RedisStreamStoreOptions>;

const single = (name: string, clientOf: (url: string) => RedisClient): RedisTarget => ({
  name,
  own: !process.env['REDIS_URL'],
  async start() {
    const { url, stop } = await sharedRedis();
    return { client: clientOf(url), stop };
  },
});
const cluster = (name: string, clientOf: (nodes: RedisCluster['nodes']) => RedisClient): RedisTarget => ({
  name,
  own: true,
  async start() {
    const servers = await startRedisCluster();
    return { client: clientOf(servers.nodes), stop: () => servers.stop() };
  },
});

/** A single server through each client library, and a Cluster through each. */
export const TARGETS = {
  ioredis: single('Redis through ioredis', (url) => new Redis(url, { lazyConnect: true })),
  nodeRedis: single('Redis through redis', (url) => createClient({ url })),
  ioredisCluster: cluster('Redis Cluster through ioredis', (nodes) => new Cluster([...nodes], { lazyConnect: true })),
  nodeRedisCluster: cluster('Redis Cluster through redis', (nodes) =>
    createCluster({ rootNodes: nodes.map(({ host, port }) => ({ url: `redis://${host}:${port}` })) }),
  ),
} as const;

/** Runs the store conformance kit against a target. */
export function describeRedisStore({ name, own, start }: RedisTarget): void {
  let client: RedisClient;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    ({ client, stop } = await start());
  }, 60_000);
  afterAll(() => stop());
  const open: StoreConformanceTarget['open'] = async ({ clock }) => {
    const options = { client, prefix: freshPrefix(), now: clock.now, ...QUIET };
    const stores = [createRedisStreamStore(options)];
    return {
      store: stores[0] as (typeof stores)[number],
      async reopen() {
        await stores[0]?.close();
        const again = createRedisStreamStore(options);
        stores.push(again);
        return again;
      },
      close: async () => {
        await Promise.all(stores.map((store) => store.close()));
      },
    };
  };
  describeStore({ name, open }, { describe, it });

  it('warns of a server that keeps nothing', async () => {
    const codes: string[] = [];
    const store = createRedisStreamStore({ client, prefix: freshPrefix(), onWarning: ({ code }) => codes.push(code) });
    await store.head('s');
    // A server that is not ours may keep what it gets.
    await expect.poll(() => codes).toEqual(own ? ['NOT_PERSISTENT'] : codes);
    await store.close();
  });
}
