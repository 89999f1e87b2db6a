import { InvalidArgumentError } from '@perennial/core';
import { leaseRedisStore, type StoreLease } from '@perennial/store-redis';

import type { ResumableStreamContextOptions } from './options.ts';

/** The store of a context; where it was opened for a client or an address, all contexts of the process share it. */
export function leaseStoreOf({ store, publisher }: ResumableStreamContextOptions, ttlMs: number): StoreLease {
  const target = store ?? publisher ?? (process.env['REDIS_URL'] || process.env['KV_URL']);
  if (!target)
    throw new InvalidArgumentError(
      'store',
      'Pass a `store`, or a client of `ioredis` or `redis` as `publisher`, or set the environment variable REDIS_URL.',
    );
  return leaseRedisStore(target, { ttl: ttlMs });
}
