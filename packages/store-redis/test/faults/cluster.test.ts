/** A Cluster that changes under a writer and readers: slots move, a master dies. */
import { getStreamReader, getStreamWriter, type StreamStore } from '@perennial/core';
import { type RedisCluster, type RedisServer, startRedisCluster } from '@perennial/redis-server';
import { Cluster, Redis } from 'ioredis';
import { createCluster } from 'redis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { createRedisStreamStore, type RedisClient, type RedisStreamStoreOptions } from '../../src/index.ts';
import { freshPrefix, QUIET } from '../support/targets.ts';

const RETRY = { maxDelayMs: 50 } as const;
let cluster: RedisCluster;
let stores: StreamStore[] = [];

beforeAll(async () => {
  cluster = await startRedisCluster({
    replicas: 1,
    config: { 'repl-diskless-sync-delay': '0', 'cluster-node-timeout': '1000' },
  });
}, 60_000);
afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()));
  stores = [];
});
afterAll(() => cluster.stop());

const clients: Readonly<Record<string, () => RedisClient>> = {
  ioredis: () => new Cluster([...cluster.nodes], { lazyConnect: true, clusterRetryStrategy: () => 50 }),
  redis: () =>
    createCluster({ rootNodes: cluster.nodes.map(({ host, port }) => ({ url: `redis://${host}:${port}` })) }),
};

function open(client: RedisClient, options: Partial<RedisStreamStoreOptions> = {}): StreamStore {
  const store = createRedisStreamStore({
    client,
    prefix: freshPrefix(),
    retry: RETRY,
    pollMs: 60_000,
    ...QUIET,
    ...options,
  });
  stores.push(store);
  return store;
}

async function withAdmin<T>(server: RedisServer, call: (admin: Redis) => Promise<T>): Promise<T> {
  const admin = new Redis({ port: server.port });
  try {
    return await call(admin);
  } finally {
    admin.disconnect();
  }
}

interface Traffic {
  /** Records acknowledged so far. */
  readonly acknowledged: () => number;
  /** Ends the stream and compares what the readers got with what was written. */
  finish(): Promise<void>;
}

/** A writer, and three readers in what might be another process, that go on until `finish`. */
function startTraffic([store, elsewhere]: readonly [StreamStore, StreamStore], streamId: string): Traffic {
  const writer = getStreamWriter<number>({ store, streamId, retry: RETRY });
  let writing = true;
  let acknowledged = 0;
  const written = (async () => {
    await writer.open();
    while (writing) {
      await writer.write(acknowledged);
      const flushed = await writer.flush();
      if (!flushed.ok) throw flushed.error;
      acknowledged++;
    }
    await writer.close();
  })();
  // Reported by `finish`, which is where the test waits for it.
  written.catch(() => {});
  const readers = Array.from({ length: 3 }, async () => {
    await expect.poll(() => acknowledged, { timeout: 20_000 }).toBeGreaterThan(0);
    const values: number[] = [];
    for await (const value of getStreamReader<number>({ store: elsewhere, streamId })) values.push(value);
    return values;
  });
  return {
    acknowledged: () => acknowledged,
    async finish() {
      writing = false;
      await written;
      const expected = Array.from({ length: acknowledged }, (_, n) => n);
      for (const values of await Promise.all(readers)) expect(values).toEqual(expected);
    },
  };
}

/** Which of the masters holds the stream. */
async function holderOf(
  prefix: string,
  streamId: string,
): Promise<{ readonly slot: number; readonly holder: RedisServer }> {
  const key = `${prefix}:{${streamId}}:meta`;
  for (const server of cluster.masters) {
    const slot = await withAdmin(server, async (admin) => {
      const own = Number(await admin.call('CLUSTER', 'KEYSLOT', key));
      return Number(await admin.call('CLUSTER', 'COUNTKEYSINSLOT', String(own))) > 0 ? own : -1;
    });
    if (slot >= 0) return { slot, holder: server };
  }
  throw new Error(`No master holds ${key}.`);
}

/** Moves a slot with its keys, as resharding does. */
async function moveSlot(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
  await withAdmin(from, (source) =>
    withAdmin(to, async (target) => {
      const [sourceId, targetId] = [
        String(await source.call('CLUSTER', 'MYID')),
        String(await target.call('CLUSTER', 'MYID')),
      ];
      await target.call('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', sourceId);
      await source.call('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', targetId);
      for (;;) {
        const keys = (await source.call('CLUSTER', 'GETKEYSINSLOT', String(slot), '10')) as string[];
        if (keys.length === 0) break;
        // One at a time, so that for a moment a stream's keys lie on two servers.
        await source.call('MIGRATE', to.host, String(to.port), keys[0] ?? '', '0', '5000');
      }
      for (const admin of [target, source]) await admin.call('CLUSTER', 'SETSLOT', String(slot), 'NODE', targetId);
    }),
  );
}

describe.each(Object.entries(clients))('through %s', (_name, clientOf) => {
  test('MOVED and ASK: a slot moves away and back under a writer and readers', async () => {
    const prefix = freshPrefix();
    const store = open(clientOf(), { prefix });
    const traffic = startTraffic([store, open(clientOf(), { prefix })], 's');
    await expect.poll(traffic.acknowledged, { timeout: 20_000 }).toBeGreaterThan(50);
    const { slot, holder } = await holderOf(prefix, 's');
    const other = cluster.masters.find((server) => server !== holder) as RedisServer;
    for (const [from, to] of [
      [holder, other],
      [other, holder],
    ] as const) {
      await moveSlot(slot, from, to);
      const moved = traffic.acknowledged();
      await expect.poll(traffic.acknowledged, { timeout: 20_000 }).toBeGreaterThan(moved + 50);
    }
    await traffic.finish();
  }, 60_000);

  test('has at most three connections per node, with readers, and replicas waited for', async () => {
    const ids = (server: RedisServer): Promise<readonly string[]> =>
      withAdmin(server, async (admin) => {
        const own = String(await admin.client('ID'));
        const all = [...String(await admin.client('LIST')).matchAll(/^id=(\d+)/gm)].map(([, id]) => id ?? '');
        return all.filter((id) => id !== own);
      });
    const before = await Promise.all(cluster.masters.map(ids));
    const count = async (): Promise<number> => {
      const now = await Promise.all(cluster.masters.map(ids));
      return Math.max(...now.map((some, node) => some.filter((id) => !before[node]?.includes(id)).length));
    };
    const store = open(clientOf(), { waitReplicas: 1 });
    const controller = new AbortController();
    const waits: Promise<unknown>[] = [];
    for (let n = 0; n < 30; n++) {
      await store.create(`s/${n}`, { records: [{ data: '1' }] });
      for (let reader = 0; reader < 10; reader++)
        waits.push(store.wait(`s/${n}`, { position: 1, signal: controller.signal }).catch(() => {}));
    }
    await store.append('s/0', { segments: [{ records: [{ data: '1' }] }] });
    expect(await count()).toBeLessThanOrEqual(3);
    expect(await count()).toBeGreaterThanOrEqual(2);
    controller.abort();
    await Promise.all(waits);
  }, 60_000);
});

/** Creates a stream that the first master holds. */
async function onFirstMaster(store: StreamStore, prefix: string): Promise<string> {
  for (let n = 0; ; n++) {
    const id = `s/${n}`;
    await store.create(id);
    if ((await holderOf(prefix, id)).holder === cluster.masters[0]) return id;
  }
}

test('a master dies: its replica takes over, and writers and readers go on by themselves', async () => {
  const [dying] = cluster.masters;
  const [successor] = cluster.replicas;
  if (!dying || !successor) throw new Error('The Cluster has no first master with a replica.');
  const traffics = await Promise.all(
    Object.values(clients).map(async (clientOf) => {
      const prefix = freshPrefix();
      const options = { prefix, waitReplicas: 1, waitTimeoutMs: 200, commandTimeoutMs: 2_000 };
      const store = open(clientOf(), options);
      return startTraffic([store, open(clientOf(), options)], await onFirstMaster(store, prefix));
    }),
  );
  for (const { acknowledged } of traffics) await expect.poll(acknowledged, { timeout: 20_000 }).toBeGreaterThan(20);
  await dying.kill();
  const role = (): Promise<string> => withAdmin(successor, (admin) => admin.info('replication'));
  await expect.poll(role, { timeout: 20_000 }).toContain('role:master');
  // Back as a replica of its successor, so that there is one to wait for.
  await dying.restart();
  for (const { acknowledged } of traffics) {
    const atCrash = acknowledged();
    await expect.poll(acknowledged, { timeout: 30_000 }).toBeGreaterThan(atCrash + 20);
  }
  for (const traffic of traffics) await traffic.finish();
}, 90_000);
