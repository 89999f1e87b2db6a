import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { expect, test } from 'vitest';

import {
  createRedisStreamStore,
  type RedisClient,
  type RedisStoreWarning,
  type RedisStreamStoreOptions,
} from '../src/index.ts';
import { singleServer } from './support/single-server.ts';

const redis = singleServer();
const client = new Redis({ lazyConnect: true });

test.each<[string, unknown]>([
  ['client', { client: undefined }],
  ['client', { client: {} }],
  ['client', { client: 'redis://localhost' }],
  ['client', { client: null }],
  ['client', { client, url: 'redis://localhost' }],
  ['url', { client: undefined, url: 'localhost:6379' }],
  ['url', { client: undefined, url: 5 }],
  ['prefix', { prefix: '{x}' }],
  ['prefix', { prefix: '' }],
  ['ttl', { ttl: 0 }],
  ['ttl', { ttl: -1 }],
  ['ttl', { ttl: 1.5 }],
  ['ttl', { ttl: '1h' }],
  ['maxRecords', { maxRecords: 0 }],
  ['waitReplicas', { waitReplicas: -1 }],
  ['waitReplicas', { waitReplicas: Infinity }],
  ['waitTimeoutMs', { waitTimeoutMs: 0 }],
  ['commandTimeoutMs', { commandTimeoutMs: Number.NaN }],
  ['pollMs', { pollMs: 0 }],
])('refuses %s: %j', (argument, options) => {
  const given = { client, ...(options as object) } as RedisStreamStoreOptions;
  expect(() => createRedisStreamStore(given)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', argument }));
});

test('an error about the url does not repeat its password', () => {
  expect(() => createRedisStreamStore({ url: 'http://user:hunter2@host' })).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
  );
});

test('a url opens a store by itself', async () => {
  const store = redis.open({ url: redis.server.url });
  await store.create('s', { records: [{ data: '1' }] });
  expect((await store.wait('s', { position: 0 })).nextPosition).toBe(1);
});

test('a clock may tell fractions of a millisecond, which do not count', async () => {
  const store = redis.open({ now: () => 1_764_000_000_000.75 });
  const { head } = await store.create('s', { records: [{ data: '1' }, { data: '2' }], ttlMs: 60_000 });
  expect(head.createdAt).toBe(1_764_000_000_000);
  await store.append('s', { segments: [{ records: [{ data: '3' }, { data: '4' }] }] });
  await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
  const { records } = await store.read('s', { from: 3 });
  expect(records).toMatchObject([{ data: '4', timestamp: 1_764_000_000_000 }]);
});

test('creating a store touches nothing, and so does closing it', async () => {
  await expect.poll(clients).toBe(1);
  const store = redis.open();
  expect(await clients()).toBe(1);
  await store.close();
  expect(await clients()).toBe(1);
});

async function useAndClose(given: RedisClient): Promise<void> {
  const store = redis.open({ client: given });
  await store.create('s');
  await store.close();
}

test('a client that was handed in is neither used nor closed', async () => {
  const idle = new Redis({ port: redis.server.port, lazyConnect: true });
  await useAndClose(idle);
  expect(idle.status).toBe('wait');
  const closed = createClient({ url: redis.server.url });
  await useAndClose(closed);
  expect(closed.isOpen).toBe(false);
  await useAndClose(redis.admin);
  expect(await redis.admin.ping()).toBe('PONG');
  const open = await createClient({ url: redis.server.url }).connect();
  await useAndClose(open);
  expect(await open.ping()).toBe('PONG');
  open.destroy();
});

test('the key prefix of an ioredis client comes before the prefix of the store', async () => {
  const given = new Redis({ port: redis.server.port, keyPrefix: 'tenant:', lazyConnect: true });
  const store = redis.open({ client: given, prefix: 'app' });
  await store.create('s');
  const wait = store.wait('s', { position: 0 });
  await store.append('s', { segments: [{ records: [{ data: '1' }] }] });
  expect((await wait).nextPosition).toBe(1);
  expect((await redis.admin.keys('tenant:*')).toSorted()).toEqual([
    expect.stringMatching(/^tenant:app:index:\{\d+\}$/),
    'tenant:app:{s}:log',
    'tenant:app:{s}:meta',
  ]);
});

test('the store says what the server would lose, once', async () => {
  const warnings: RedisStoreWarning[] = [];
  await redis.admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const store = redis.open({ onWarning: (warning) => warnings.push(warning) });
  await Promise.all([store.create('s'), store.create('t')]);
  await expect.poll(() => warnings.map(({ code }) => code)).toEqual(['NOT_PERSISTENT', 'EVICTION']);
  await redis.admin.config('SET', 'maxmemory-policy', 'noeviction');
  await store.create('u');
  expect(warnings).toHaveLength(2);
});

test('a server that keeps what it acknowledged is not warned about', async () => {
  const warnings: RedisStoreWarning[] = [];
  const codes = async (): Promise<readonly string[]> => {
    warnings.length = 0;
    const store = redis.open({ onWarning: (warning) => warnings.push(warning) });
    await store.create('s');
    // The answers to the check come before that to a later command of the same connection.
    await store.head('s');
    return warnings.map(({ code }) => code);
  };
  await redis.admin.config('SET', 'appendonly', 'yes');
  await redis.admin.config('SET', 'appendfsync', 'no');
  expect(await codes()).toEqual(['NOT_SYNCED']);
  await redis.admin.config('SET', 'appendfsync', 'always');
  expect(await codes()).toEqual([]);
  await redis.admin.config('SET', 'appendonly', 'no');
});

test('a server that forbids to look at its configuration is judged by the rest', async () => {
  await redis.admin.call('ACL', 'SETUSER', 'plain', 'on', '>secret', '~*', '&*', '+@all', '-config');
  const warnings: RedisStoreWarning[] = [];
  const store = redis.open({
    url: `redis://plain:secret@127.0.0.1:${redis.server.port}`,
    onWarning: (warning) => warnings.push(warning),
  });
  await store.create('s');
  await store.head('s');
  expect(warnings.map(({ code }) => code)).toEqual(['NOT_PERSISTENT']);
});

async function clients(): Promise<number> {
  return String(await redis.admin.client('LIST'))
    .trim()
    .split('\n').length;
}
