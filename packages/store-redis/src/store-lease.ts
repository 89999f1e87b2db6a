import type { StreamStore } from '@perennial/core';

import type { RedisClient } from './clients/resolve-port.ts';
import { createRedisStreamStore } from './redis-store.ts';

/** Where chunks go: a store of yours, or a client to open one with. */
export type ChunkTarget = StreamStore | RedisClient;

/** Options of a store that is opened for a client. */
export interface SharedStoreOptions {
  /** See the store's option. @default 'perennial' */
  readonly prefix?: string;
  /** How long a stream is kept after its end, in ms. @default 1 hour */
  readonly ttl?: number;
}

/** A store in use. */
export interface StoreLease {
  readonly store: StreamStore;
  /** Idempotent. A store that was opened for a client is closed with its last use. */
  release(): Promise<void>;
}

interface Shared {
  readonly store: StreamStore;
  uses: number;
}

const DEFAULT_TTL_MS = 3_600_000;
const byClient = new WeakMap<object, Map<string, Shared>>();
const byUrl = new Map<string, Map<string, Shared>>();

/**
 * The store of a client, or of an address. All that ask for the same client or address with the same options share one, and with it its
 * connections; a store of yours is handed back.
 *
 * @param target See the options `client` and `url` of `createRedisStreamStore`.
 * @throws `INVALID_ARGUMENT` for a target that is none of these, and for options that cannot be used.
 */
export function leaseRedisStore(target: ChunkTarget | string, options: SharedStoreOptions = {}): StoreLease {
  if (typeof target === 'object' && 'capabilities' in target) return { store: target, release: async () => {} };
  const { prefix = 'perennial', ttl = DEFAULT_TTL_MS } = options;
  const key = `${ttl} ${prefix}`;
  const siblings = (typeof target === 'string' ? byUrl.get(target) : byClient.get(target)) ?? new Map<string, Shared>();
  const source = typeof target === 'string' ? { url: target } : { client: target };
  const shared = siblings.get(key) ?? { store: createRedisStreamStore({ ...source, prefix, ttl }), uses: 0 };
  siblings.set(key, shared);
  if (typeof target === 'string') byUrl.set(target, siblings);
  else byClient.set(target, siblings);
  shared.uses++;
  let released = false;
  return {
    store: shared.store,
    async release() {
      if (released) return;
      released = true;
      if (--shared.uses > 0) return;
      siblings.delete(key);
      await shared.store.close();
    },
  };
}
