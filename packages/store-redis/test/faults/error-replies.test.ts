/** What the server may answer instead of doing its work, each from a real server, and what becomes of it. */
import { getStreamWriter } from '@perennial/core';
import { startRedis } from '@perennial/redis-server';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterEach, describe, expect, test } from 'vitest';

import { createRedisStreamStore, type RedisClient } from '../../src/index.ts';
import { startProxy } from '../support/proxy.ts';
import { singleServer } from '../support/single-server.ts';
import { freshPrefix, QUIET } from '../support/targets.ts';

const redis = singleServer({ config: { 'repl-diskless-sync-delay': '0' } });
const ONE = [{ records: [{ data: '1' }] }] as const;
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

test('NOSCRIPT: scripts that the server forgot are sent again, under load', async () => {
  const store = redis.open();
  await store.create('s');
  let writing = true;
  const flushing = (async () => {
    while (writing) await redis.admin.script('FLUSH');
  })();
  const results = await Promise.all(
    Array.from({ length: 20 }, async (_, producer) => {
      const statuses: string[] = [];
      for (let seq = 0; seq < 20; seq++) {
        const segments = [{ records: [{ data: '1' }], producer: { id: `p${producer}`, epoch: 0, seq } }];
        statuses.push((await store.append('s', { segments })).segments[0]?.status ?? '');
      }
      return statuses;
    }),
  );
  writing = false;
  await flushing;
  expect(new Set(results.flat())).toEqual(new Set(['ok']));
  expect((await store.read('s', { from: 0 })).records).toHaveLength(400);
});

test('OOM: the store is full, nothing is half written, and there is room again after some was made', async () => {
  const store = redis.open();
  await store.create('s');
  await store.append('s', { segments: ONE });
  const before = await store.head('s');
  await redis.admin.config('SET', 'maxmemory', '1mb');
  try {
    const segments = [
      { records: Array.from({ length: 50 }, () => ({ data: '"x"' })), producer: { id: 'p', epoch: 0, seq: 0 } },
    ];
    await expect(store.append('s', { segments })).rejects.toMatchObject({ code: 'STORE_FULL', retryable: true });
    await expect(store.create('other')).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(await store.head('s')).toEqual(before);
    expect((await store.read('s', { from: 0 })).records).toHaveLength(1);
  } finally {
    await redis.admin.config('SET', 'maxmemory', '0');
  }
  expect((await store.append('s', { segments: ONE })).segments[0]?.status).toBe('ok');
});

test('READONLY: a replica refuses writes, and a writer goes on once it became a master', async () => {
  const replica = await startRedis({ config: { replicaof: `127.0.0.1 ${redis.server.port}` } });
  cleanups.push(() => replica.stop());
  const admin = new Redis({ port: replica.port });
  cleanups.push(async () => admin.disconnect());
  await expect.poll(() => admin.info('replication'), { timeout: 20_000 }).toContain('master_link_status:up');
  const store = redis.open({ client: admin });
  const refused = await store.create('s').catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'STORE_ERROR', retryable: true, message: expect.stringContaining('replica') });
  const writer = getStreamWriter<number>({ store, streamId: 's', retry: { maxDelayMs: 50 } });
  await writer.write(1);
  const closed = writer.close();
  await admin.call('REPLICAOF', 'NO', 'ONE');
  expect((await closed).ok).toBe(true);
});

test('WRONGTYPE: something else under the key of a stream is not touched', async () => {
  const store = redis.open({ prefix: 'taken' });
  await redis.admin.set('taken:{s}:meta', 'mine');
  await expect(store.create('s')).rejects.toMatchObject({ code: 'CORRUPT' });
  expect(await redis.admin.get('taken:{s}:meta')).toBe('mine');
});

test('NOPERM: a user without rights gets a definite error', async () => {
  await redis.admin.call('ACL', 'SETUSER', 'guest', 'on', '>secret', '~guest:*', '&*', '+@all');
  const url = `redis://guest:secret@127.0.0.1:${redis.server.port}`;
  const allowed = redis.open({ url, prefix: 'guest' });
  await allowed.create('s', { records: [{ data: '1' }] });
  const store = redis.open({ url, prefix: 'private' });
  const refused = await store.create('s').catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'FORBIDDEN', retryable: false });
});

test('NOPERM: a user who may not listen is told, instead of being left to wait', async () => {
  await redis.admin.call('ACL', 'SETUSER', 'deaf', 'on', '>secret', '~*', 'resetchannels', '+@all');
  const reader = redis.open({ url: `redis://deaf:secret@127.0.0.1:${redis.server.port}`, prefix: 'deaf' });
  await redis.open({ prefix: 'deaf' }).create('s');
  await expect(reader.wait('s', { position: 0 })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(reader.wait('s', { position: 0 })).rejects.toMatchObject({ code: 'FORBIDDEN' });
});

test('a user with the rights that the README names can do everything', async () => {
  const rights = [
    '~perennial:*',
    '&perennial:*',
    '+@read',
    '+@write',
    '+@pubsub',
    '+@scripting',
    '+@connection',
    '+time',
    '+info',
  ];
  await redis.admin.call('ACL', 'SETUSER', 'app', 'on', '>secret', ...rights);
  const store = redis.open({ url: `redis://app:secret@127.0.0.1:${redis.server.port}`, prefix: 'perennial' });
  await store.create('s', { ttlMs: 60_000, records: [{ data: '1' }] });
  const wait = store.wait('s', { position: 1 });
  await store.append('s', { segments: ONE });
  expect((await wait).nextPosition).toBe(2);
  await store.mark('s', { type: 'fence', token: 1, nonce: 'n' });
  await store.append('s', { token: 1, segments: [{ records: [], end: { outcome: 'completed' } }] });
  expect((await store.list()).streams).toHaveLength(1);
  expect(await store.delete('s')).toBe(true);
});

test('a log that vanished is reported, not papered over', async () => {
  const store = redis.open({ prefix: 'evicted' });
  await store.create('s', { records: [{ data: '1' }, { data: '2' }] });
  await redis.admin.del('evicted:{s}:log');
  await expect(store.append('s', { segments: ONE })).rejects.toMatchObject({ code: 'CORRUPT' });
  await expect(store.read('s', { from: 0 })).rejects.toMatchObject({ code: 'CORRUPT' });
  expect(await redis.admin.xlen('evicted:{s}:log')).toBe(0);
  expect(await store.delete('s')).toBe(true);
  expect((await store.create('s', { records: [{ data: '3' }] })).head.nextPosition).toBe(1);
});

test('a server that does not answer is an error in time, and a read goes on when it does', async () => {
  const store = redis.open({ commandTimeoutMs: 100, retry: { maxDelayMs: 20 } });
  await store.create('s', { records: [{ data: '1' }] });
  await redis.admin.client('PAUSE', '400', 'ALL');
  const append = store.append('s', { segments: ONE }).catch((error: unknown) => error);
  const read = store.read('s', { from: 0 });
  expect(await append).toMatchObject({ code: 'STORE_ERROR', retryable: true });
  expect((await read).records.length).toBeGreaterThan(0);
});

const clients: Readonly<Record<string, (port: number) => RedisClient>> = {
  ioredis: (port) => new Redis({ port, lazyConnect: true, retryStrategy: () => 10 }),
  redis: (port) => createClient({ url: `redis://127.0.0.1:${port}`, socket: { reconnectStrategy: () => 10 } }),
};

describe.each(Object.entries(clients))('through %s', (_name, clientOf) => {
  test('LOADING: a server that reads its data back is waited for', async () => {
    const slow = { 'key-load-delay': '3000', 'loading-process-events-interval-bytes': '1024' };
    const server = await startRedis({
      config: { appendonly: 'yes', appendfsync: 'always', 'aof-use-rdb-preamble': 'no', ...slow },
    });
    cleanups.push(() => server.stop());
    const store = createRedisStreamStore({
      client: clientOf(server.port),
      prefix: freshPrefix(),
      retry: { maxDelayMs: 20 },
      ...QUIET,
    });
    cleanups.push(() => store.close());
    await store.create('s', { records: Array.from({ length: 200 }, () => ({ data: '"x"'.padEnd(2_000) })) });
    const waiting = store.wait('s', { position: 200 });
    const restarted = server.restart();
    const writer = getStreamWriter<number>({ store, streamId: 's', retry: { maxDelayMs: 20 } });
    await writer.write(1);
    const closed = writer.close();
    expect((await store.read('s', { from: 0, limit: 1 })).records).toHaveLength(1);
    await restarted;
    expect((await closed).ok).toBe(true);
    expect((await waiting).nextPosition).toBe(201);
  }, 30_000);

  test('replies of a loading, busy or full server are typed and may be tried again', async () => {
    const proxy = await startProxy(redis.server.port);
    cleanups.push(() => proxy.close());
    const store = createRedisStreamStore({ client: clientOf(proxy.port), prefix: freshPrefix(), ...QUIET });
    cleanups.push(() => store.close());
    await store.create('s');
    for (const [reply, code] of [
      ['-LOADING Redis is loading the dataset in memory', 'STORE_ERROR'],
      ['-BUSY Redis is busy running a script.', 'STORE_ERROR'],
      ['-MISCONF Errors writing to the AOF file', 'STORE_ERROR'],
      ['-NOREPLICAS Not enough good replicas to write.', 'STORE_ERROR'],
      ["-OOM command not allowed when used memory > 'maxmemory'.", 'STORE_FULL'],
    ] as const) {
      proxy.onRequest = (piece) => (piece.includes('evalsha') ? Buffer.from(`${reply}\r\n`) : null);
      const refused = await store.append('s', { segments: ONE }).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code, retryable: true, message: expect.stringContaining(reply.slice(1)) });
      proxy.onRequest = () => null;
      expect((await store.append('s', { segments: ONE })).segments[0]?.status).toBe('ok');
    }
  });

  test('a server that cannot be reached is an error, not a hang', async () => {
    const server = await startRedis();
    const { port } = server;
    await server.stop();
    const store = createRedisStreamStore({
      client: clientOf(port),
      commandTimeoutMs: 200,
      retry: { timeoutMs: 0 },
      ...QUIET,
    });
    cleanups.push(() => store.close());
    await expect(store.create('s')).rejects.toMatchObject({ code: 'STORE_ERROR', retryable: true });
    await expect(store.read('s', { from: 0 })).rejects.toMatchObject({ code: 'STORE_ERROR' });
    await expect(store.wait('s', { position: 0 })).rejects.toMatchObject({ code: 'STORE_ERROR' });
  });
});
