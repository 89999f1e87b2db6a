import type { StreamStore } from '@perennial/core';
import { createFileStreamStore } from '@perennial/store-file';
import { createRedisStreamStore } from '@perennial/store-redis';
import { Redis } from 'ioredis';

import type { DemoConfig } from './config.ts';

/** Opens where the streams are kept. Conversations stay until somebody deletes them, on either store. */
export function openStore({ redisUrl, dataFolder }: Pick<DemoConfig, 'redisUrl' | 'dataFolder'>): StreamStore {
  if (redisUrl === null) return createFileStreamStore({ directory: dataFolder });
  // A client and no URL: the package that a URL needs is looked up at run time, which Next's bundler cannot follow.
  const client = new Redis(redisUrl, { lazyConnect: true });
  return createRedisStreamStore({ client, prefix: 'perennial:demo', ttl: Infinity });
}
