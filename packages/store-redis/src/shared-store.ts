import type { StreamStore } from '@perennial/core';

import type { RedisClient } from '../clients/resolve-port.ts';
import { createRedisStreamStore } from '../redis-store.ts';

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
const stores = new WeakMap<object, Map<string, Shared>>();

/** The target's store. All publishers and consumers of one client and the same options share one, and with it its connections. */
export function leaseStore(target: ChunkTarget, options: SharedStoreOptions): StoreLease {
  if ('capabilities' in target) return { store: target, release: async () => {} };
  const { prefix = 'perennial', ttl = DEFAULT_TTL_MS } = options;
  const key = `${ttl} ${prefix}`;
  const ofClient = stores.get(target) ?? new Map<string, Shared>();
  stores.set(target, ofClient);
  const shared = ofClient.get(key) ?? { store: createRedisStreamStore({ client: target, prefix, ttl }), uses: 0 };
  ofClient.set(key, shared);
  shared.uses++;
  let released = false;
  return {
    store: shared.store,
    async release() {
      if (released) return;
      released = true;
      if (--shared.uses > 0) return;
      ofClient.delete(key);
      await shared.store.close();
    },
  };
}
