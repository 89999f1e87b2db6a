import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';

import { findRedis, type RedisServer, startRedis, startRedisCluster } from '../src/index.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function clientOf({ port }: RedisServer): Redis {
  const client = new Redis({ port });
  client.on('error', () => {});
  cleanups.push(async () => client.disconnect());
  return client;
}

test('finds a server that is new enough', async () => {
  expect(Number.parseInt((await findRedis()).version, 10)).toBeGreaterThanOrEqual(7);
});

test('a server keeps its data over a crash when told to, and is gone once stopped', async () => {
  const server = await startRedis({ config: { appendonly: 'yes', appendfsync: 'always' } });
  cleanups.push(() => server.stop());
  const { pid } = server;
  const client = clientOf(server);
  await client.set('key', 'value');
  await server.kill();
  await server.restart();
  expect(await client.get('key')).toBe('value');
  expect(server.pid).not.toBe(pid);
  await server.stop();
  await server.stop();
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('a Cluster covers all slots with three masters, each with its replica', async () => {
  const cluster = await startRedisCluster({ replicas: 1 });
  cleanups.push(() => cluster.stop());
  expect([cluster.masters.length, cluster.replicas.length]).toEqual([3, 3]);
  const [first] = cluster.replicas;
  const role = await clientOf(first as RedisServer).info('replication');
  expect(role).toContain(`master_port:${cluster.masters[0]?.port}`);
}, 60_000);

test('a server that does not start is named in the error', async () => {
  const script = `import { findRedis } from ${JSON.stringify(fileURLToPath(new URL('../src/index.ts', import.meta.url)))};
    await findRedis().catch((error) => console.log(error.message));`;
  const env = { ...process.env, REDIS_SERVER_PATH: '/nonexistent/redis-server' };
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
  expect(stdout).toContain('REDIS_SERVER_PATH names /nonexistent/redis-server');
});
