import type { StreamStore } from '@perennial/core';
import { createFileStreamStore } from '@perennial/store-file';
import { createRedisStreamStore } from '@perennial/store-redis';

/** A store that several processes can open. */
export type StoreSpec =
  | { readonly kind: 'file'; readonly directory: string }
  | { readonly kind: 'redis'; readonly url: string; readonly prefix: string };

/** Opens it. */
export function openStore(spec: StoreSpec): StreamStore {
  if (spec.kind === 'file') return createFileStreamStore({ directory: spec.directory, onRecovery: () => undefined });
  const { url, prefix } = spec;
  // Looks by itself soon, because a killed process may take its notification with it.
  return createRedisStreamStore({ url, prefix, pollMs: 1_000, onWarning: () => undefined });
}
