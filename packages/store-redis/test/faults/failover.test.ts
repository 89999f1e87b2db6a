/** A master dies and a replica takes its place, behind one address. */
import { getStreamWriter, isStreamError, type StreamStore } from '@perennial/core';
import { type RedisServer, startRedis } from '@perennial/redis-server';
import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';

import {
  createRedisStreamStore,
  RedisDataLossError,
  RedisReplicationError,
  type RedisStoreWarning,
  type RedisStreamStoreOptions,
} from '../../src/index.ts';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { freshPrefix } from '../support/targets.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface Pair {
  readonly proxy: Proxy;
  readonly master: RedisServer;
  readonly replica: RedisServer;
  /** A client of the replica. */
  readonly onReplica: Redis;
  /** Ends the master and lets the replica take its place. */
  failOver(): Promise<void>;
}

/** Another replica of `port`, in step with it. */
async function replicaOf(port: number): Promise<RedisServer> {
  const server = await startRedis({ config: { replicaof: `127.0.0.1 ${port}`, 'repl-diskless-sync-delay': '0' } });
  cleanups.push(() => server.stop());
  const [replica, master] = [clientOf(server.port), clientOf(port)];
  await expect.poll(() => replica.info('replication'), { timeout: 20_000 }).toContain('master_link_status:up');
  if (!(await master.info('replication')).includes('role:master')) return server;
  // The master counts a replica only from its first report on.
  const confirmed = async (): Promise<number> => {
    await master.set('probe', '1');
    return master.wait(1, 100);
  };
  await expect.poll(confirmed, { timeout: 20_000 }).toBe(1);
  return server;
}

function clientOf(port: number): Redis {
  const client = new Redis({ port });
  client.on('error', () => {});
  cleanups.push(async () => client.disconnect());
  return client;
}

async function startPair(): Promise<Pair> {
  const master = await startRedis({ config: { 'repl-diskless-sync-delay': '0' } });
  cleanups.push(() => master.stop());
  const replica = await replicaOf(master.port);
  const proxy = await startProxy(master.port);
  cleanups.push(() => proxy.close());
  const onReplica = clientOf(replica.port);
  return {
    proxy,
    master,
    replica,
    onReplica,
    async failOver() {
      await master.kill();
      await onReplica.call('REPLICAOF', 'NO', 'ONE');
      proxy.retarget(replica.port);
      proxy.cut();
    },
  };
}

function open(proxy: Proxy, options: Partial<RedisStreamStoreOptions> = {}): StreamStore {
  const client = new Redis({ port: proxy.port, lazyConnect: true, retryStrategy: () => 10 });
  const store = createRedisStreamStore({ client, prefix: freshPrefix(), retry: { maxDelayMs: 50 }, ...options });
  cleanups.push(() => store.close());
  return store;
}

const one = (seq: number) => ({
  segments: [{ records: [{ data: String(seq) }], producer: { id: 'p', epoch: 0, seq } }],
});

/** Appends until there is a definite answer. */
async function appendUntilKnown(store: StreamStore, seq: number): Promise<string> {
  for (;;) {
    try {
      const { segments } = await store.append('s', one(seq));
      return segments[0]?.status ?? '';
    } catch (error) {
      if (!isStreamError(error) || !error.retryable) throw error;
    }
  }
}

test('without waitReplicas, a failover that loses acknowledged records is detected and reported', async () => {
  const { proxy, onReplica, failOver } = await startPair();
  const warnings: RedisStoreWarning[] = [];
  const store = open(proxy, { onWarning: (warning) => warnings.push(warning) });
  await store.create('s');
  for (let seq = 0; seq < 5; seq++) await store.append('s', one(seq));
  await expect.poll(() => onReplica.dbsize()).toBeGreaterThan(0);
  // The link breaks first, so what is acknowledged from here on exists on the master only.
  await onReplica.call('REPLICAOF', 'NO', 'ONE');
  for (let seq = 5; seq < 10; seq++) await store.append('s', one(seq));
  const waiting = store.wait('s', { position: 10 }).catch((error: unknown) => error);
  await failOver();

  const refused = await appendUntilKnown(store, 10).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(RedisDataLossError);
  expect(refused).toMatchObject({ code: 'CORRUPT', retryable: false, acknowledgedPosition: 10 });
  expect(await waiting).toMatchObject({ code: 'CORRUPT' });
  await expect(store.read('s', { from: 10 })).rejects.toMatchObject({ code: 'CORRUPT' });
  expect(warnings.filter(({ code }) => code === 'DATA_LOSS')).toHaveLength(1);
  // Nothing was written over the gap.
  expect(await onReplica.call('XLEN', (await onReplica.keys('*:log'))[0] ?? '')).toBe(5);
}, 30_000);

test('with waitReplicas, nothing that was acknowledged is lost, and the writer goes on', async () => {
  const { proxy, onReplica, replica, failOver } = await startPair();
  const store = open(proxy, { waitReplicas: 1, waitTimeoutMs: 300, onWarning: () => {} });
  await store.create('s');
  for (let seq = 0; seq < 5; seq++) await store.append('s', one(seq));
  await onReplica.call('REPLICAOF', 'NO', 'ONE');

  // Stored on the master, on no replica: not acknowledged.
  const refused = await store.append('s', one(5)).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(RedisReplicationError);
  expect(refused).toMatchObject({ code: 'STORE_ERROR', retryable: true, confirmed: 0, wanted: 1 });
  const again = await store.append('s', one(5)).catch((error: unknown) => error);
  expect(again).toBeInstanceOf(RedisReplicationError);

  await failOver();
  await replicaOf(replica.port);
  for (let seq = 5; seq < 10; seq++) expect(await appendUntilKnown(store, seq)).toMatch(/^(ok|duplicate)$/);
  const { records } = await store.read('s', { from: 0 });
  expect(records.map((record) => record.kind === 'data' && record.data)).toEqual(
    Array.from({ length: 10 }, (_, n) => String(n)),
  );
}, 30_000);

test('readers see only what the replicas have', async () => {
  const { proxy, onReplica, master } = await startPair();
  const prefix = freshPrefix();
  const options = { prefix, waitReplicas: 1, waitTimeoutMs: 100, onWarning: () => {} };
  const store = open(proxy, options);
  await store.create('s');
  await store.append('s', one(0));
  await onReplica.call('REPLICAOF', 'NO', 'ONE');
  await expect(store.append('s', one(1))).rejects.toBeInstanceOf(RedisReplicationError);

  const hasty = open(proxy, { ...options, retry: { timeoutMs: 0 } });
  await expect(hasty.read('s', { from: 0 })).rejects.toBeInstanceOf(RedisReplicationError);
  const patient = open(proxy, options);
  const reading = patient.read('s', { from: 0 });
  await onReplica.call('REPLICAOF', '127.0.0.1', String(master.port));
  expect((await reading).records).toHaveLength(2);
  expect(await store.delete('s')).toBe(true);
}, 30_000);

test('concurrent appends share the wait for the replicas', async () => {
  const { proxy, master } = await startPair();
  const store = open(proxy, { waitReplicas: 1, onWarning: () => {} });
  const admin = clientOf(master.port);
  await Promise.all(Array.from({ length: 20 }, (_, n) => store.create(`many/${n}`)));
  await admin.config('RESETSTAT');
  await Promise.all(
    Array.from({ length: 200 }, (_, n) => store.append(`many/${n % 20}`, { segments: [{ records: [{ data: '1' }] }] })),
  );
  const waits = Number(/cmdstat_wait:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1]);
  expect(waits).toBeGreaterThan(0);
  expect(waits).toBeLessThan(20);
}, 30_000);

test('a writer of core survives a failover with waitReplicas', async () => {
  const { proxy, replica, failOver } = await startPair();
  const spare = await replicaOf(replica.port);
  expect(spare.port).toBeGreaterThan(0);
  const store = open(proxy, { waitReplicas: 1, waitTimeoutMs: 200, onWarning: () => {} });
  const writer = getStreamWriter<number>({ store, streamId: 's', retry: { maxDelayMs: 50 } });
  const flushed: boolean[] = [];
  let failing: Promise<void> | undefined;
  for (let n = 0; n < 200; n++) {
    await writer.write(n);
    if (n % 10 === 9) flushed.push((await writer.flush()).ok);
    if (n === 99) failing = failOver();
  }
  await failing;
  expect(flushed).toEqual(Array.from({ length: 20 }, () => true));
  expect((await writer.close()).ok).toBe(true);
  const { records, head } = await store.read('s', { from: 0 });
  expect(records.map((record) => Number(record.kind === 'data' && record.data))).toEqual(
    Array.from({ length: 200 }, (_, n) => n),
  );
  expect(head.end?.outcome).toBe('completed');
}, 30_000);
