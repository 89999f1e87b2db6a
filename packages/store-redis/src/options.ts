import { InvalidArgumentError, quote, type RetryPolicy } from '@perennial/core';

import { assertRedisUrl } from './clients/from-url.ts';
import type { RedisClient } from './clients/resolve-port.ts';
import { assertPrefix } from './keys.ts';
import type { RedisStoreWarning } from './server-check.ts';

/** Options of `createRedisStreamStore`: a `client` or a `url`, and what may differ from the defaults. */
export interface RedisStreamStoreOptions {
  /**
   * A client of `ioredis` or `redis`, single or Cluster. The store opens connections of its own with the client's options; the client
   * itself is neither used nor closed, and need not be connected.
   */
  readonly client?: RedisClient;
  /** Address of a single server, such as `redis://localhost:6379`; needs `ioredis` or `redis` installed. Instead of `client`. */
  readonly url?: string;
  /** In front of every key. Stores with different prefixes do not see each other. @default 'perennial' */
  readonly prefix?: string;
  /** How long a stream is kept after its end, in ms; Infinity = for ever. Open streams stay. @default 7 days */
  readonly ttl?: number;
  /**
   * Records a stream retains; older ones are dropped by later appends, and reading them is a `GAP` error. Not for streams that somebody
   * reads from the start, such as the journals of workflow runs.
   * @default Infinity
   */
  readonly maxRecords?: number;
  /** Replicas that must have a write before it is acknowledged, and before a reader sees it. @default 0 */
  readonly waitReplicas?: number;
  /** How long a write waits for `waitReplicas`, in ms; then it rejects with a `RedisReplicationError`. @default 1000 */
  readonly waitTimeoutMs?: number;
  /** How long one command may take, in ms; then it rejects with a retryable `STORE_ERROR`. @default 10000 */
  readonly commandTimeoutMs?: number;
  /** How reads, waits and listings are repeated while the server is away. Writes are never repeated by the store. */
  readonly retry?: RetryPolicy;
  /** Mean time in ms between two looks at a stream that somebody waits for, in case a notification got lost. @default 15000 */
  readonly pollMs?: number;
  /** Is told once what the server would lose, and once per stream that it did lose something. @default process.emitWarning */
  readonly onWarning?: (warning: RedisStoreWarning) => void;
  /** Milliseconds since the Unix epoch. @default the server's clock, so that all processes agree */
  readonly now?: () => number;
  /** A fresh unguessable string. @default crypto.randomUUID */
  readonly randomId?: () => string;
  /** Uniform in [0, 1), for jitter. @default Math.random */
  readonly random?: () => number;
}

const DEFAULT_TTL_MS = 7 * 24 * 3_600_000;

/** Options with their defaults. */
export type ResolvedOptions = Required<Omit<RedisStreamStoreOptions, 'client' | 'url' | 'onWarning' | 'now'>> &
  Pick<RedisStreamStoreOptions, 'now'>;

/** @throws `INVALID_ARGUMENT` naming the first option that cannot be used. */
export function resolveOptions(options: RedisStreamStoreOptions): ResolvedOptions {
  const { client, url, prefix = 'perennial' } = options;
  if ((client === undefined) === (url === undefined)) {
    throw new InvalidArgumentError('client', 'Pass either a `client` or a `url`.');
  }
  if (url !== undefined) assertRedisUrl(url);
  assertPrefix(prefix);
  const { now, randomId = () => crypto.randomUUID(), random = Math.random, retry = {} } = options;
  return {
    prefix,
    ttl: amount(options, 'ttl', DEFAULT_TTL_MS),
    maxRecords: amount(options, 'maxRecords', Infinity),
    waitReplicas: amount(options, 'waitReplicas', 0, 0),
    waitTimeoutMs: amount(options, 'waitTimeoutMs', 1_000),
    commandTimeoutMs: amount(options, 'commandTimeoutMs', 10_000),
    pollMs: amount(options, 'pollMs', 15_000),
    retry,
    randomId,
    random,
    ...(now && { now }),
  };
}

type Amount = 'ttl' | 'maxRecords' | 'waitReplicas' | 'waitTimeoutMs' | 'commandTimeoutMs' | 'pollMs';

function amount(options: RedisStreamStoreOptions, name: Amount, fallback: number, least = 1): number {
  const value = options[name] ?? fallback;
  const endless = value === Infinity && (name === 'ttl' || name === 'maxRecords');
  if (!endless && !(Number.isSafeInteger(value) && value >= least)) {
    throw new InvalidArgumentError(
      name,
      `\`${name}\` must be a whole number from ${least}; got ${typeof value === 'number' ? value : quote(value)}.`,
    );
  }
  return value;
}
