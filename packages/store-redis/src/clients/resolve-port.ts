import { InvalidArgumentError } from '@perennial/core';

import { fromIoredis, type IoredisLike } from './ioredis.ts';
import { fromNodeRedis, type NodeRedisLike } from './node-redis.ts';
import type { RedisPort } from './port.ts';

/** A client of `ioredis` or `redis`, single or Cluster, or a {@link RedisPort} of your own. */
export type RedisClient = IoredisLike | NodeRedisLike | RedisPort;

/** The port of a client that was handed in. */
export function portFromClient(client: RedisClient): RedisPort {
  if (typeof client !== 'object' || client === null) throw unknownClient();
  if ('batch' in client && 'subscriber' in client) return client;
  if ('callBuffer' in client) return fromIoredis(client);
  if ('sendCommand' in client && 'isOpen' in client) return fromNodeRedis(client);
  throw unknownClient();
}

function unknownClient(): InvalidArgumentError {
  return new InvalidArgumentError(
    'client',
    '`client` must be a client of the packages `ioredis` or `redis`, or implement `RedisPort`.',
  );
}
