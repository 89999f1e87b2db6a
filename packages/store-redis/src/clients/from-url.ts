import { InvalidArgumentError, quote, StreamError } from '@perennial/core';

import { fromIoredis, type IoredisLike } from './ioredis.ts';
import { fromNodeRedis, type NodeRedisLike } from './node-redis.ts';
import type { RedisPort } from './port.ts';

/** What a client package exports, as far as it is used here. */
interface IoredisModule {
  readonly Redis: new (url: string, options: object) => IoredisLike;
}

interface NodeRedisModule {
  readonly createClient: (options: object) => NodeRedisLike;
}

/** @throws {@link InvalidArgumentError} unless `url` names a server. */
export function assertRedisUrl(url: unknown): asserts url is string {
  // The value may hold a password: it is not repeated.
  if (typeof url !== 'string' || !/^rediss?:\/\/[^/]/.test(url)) {
    throw new InvalidArgumentError(
      'url',
      "`url` must look like 'redis://host:6379' or 'rediss://host:6379' (with TLS).",
    );
  }
}

/** A port to the server at `url`, through `ioredis` or `redis`, whichever is installed. */
export async function portFromUrl(url: string): Promise<RedisPort> {
  const ioredis = await importOptional<IoredisModule>(
    'ioredis',
    () => import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ 'ioredis'),
  );
  // The client itself never connects: the port opens connections like it.
  if (ioredis) return fromIoredis(new ioredis.Redis(url, { lazyConnect: true }));
  const redis = await importOptional<NodeRedisModule>(
    'redis',
    () => import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ 'redis'),
  );
  if (redis) return fromNodeRedis(redis.createClient({ url }));
  throw new StreamError(
    'UNSUPPORTED',
    'A store with a `url` needs the package `ioredis` or `redis`: install one of them, or pass a `client`.',
  );
}

/**
 * The imports tell bundlers to leave them alone, so that none insists on a package which its user chose not to install. Their specifiers are
 * literals: the compiler wraps others in a call, in which the bundlers' comments are lost.
 */
async function importOptional<Module>(name: string, load: () => Promise<unknown>): Promise<Module | null> {
  try {
    return (await load()) as Module;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return null;
    throw new StreamError('STORE_ERROR', `The package ${quote(name)} cannot be loaded.`, { cause: error });
  }
}
