import type { StreamStore } from '@perennial/core';
import { createFileStreamStore } from '@perennial/store-file';
import { createRedisStreamStore } from '@perennial/store-redis';

import type { DemoConfig } from './config.ts';

/** Opens where the streams are kept. Conversations stay until somebody deletes them, on either store. */
export function openStore({ redisUrl, dataFolder }: Pick<DemoConfig, 'redisUrl' | 'dataFolder'>): StreamStore {
  if (redisUrl === null) return createFileStreamStore({ directory: dataFolder });
  return createRedisStreamStore({ url: redisUrl, prefix: 'perennial:demo', ttl: Infinity });
}
