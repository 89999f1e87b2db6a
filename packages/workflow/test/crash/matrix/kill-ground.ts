import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startRedis } from '@perennial/redis-server';

import type { KillGround } from './kill-case.ts';

/** Leases of processes that are killed: long enough for a busy machine, short enough to wait for. */
const REDIS_LEASE_MS = 600;

/** Where processes are killed: a fresh folder or server. */
export async function openGround(
  store: 'file' | 'redis',
): Promise<{ readonly ground: KillGround; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-crash-'));
  const cache = join(folder, 'compiled');
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  let stores = 0;
  if (store === 'file') {
    const newStore = async () => ({ kind: store, directory: join(folder, `store-${stores++}`) });
    return { ground: { leaseMs: 10_000, cache, newStore }, close: remove };
  }
  const redis = await startRedis({ config: { appendonly: 'yes', appendfsync: 'everysec' } });
  return {
    ground: {
      leaseMs: REDIS_LEASE_MS,
      cache,
      newStore: async () => ({ kind: store, url: redis.url, prefix: `p${stores++}` }),
    },
    async close() {
      await redis.stop();
      await remove();
    },
  };
}
