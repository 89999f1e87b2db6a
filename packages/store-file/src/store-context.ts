import type { RemovedStream } from '@perennial/core';

import type { FileSystem } from './file-system.ts';
import type { HandlePool } from './handle-pool.ts';
import type { StoreLayout } from './layout.ts';
import type { ResolvedOptions } from './options.ts';
import type { PageBudget } from './page-cache.ts';
import type { CacheBudget } from './record-cache.ts';
import type { StoreLock } from './store-lock.ts';

/** Bytes that callers have handed over and that are not stored yet, over all streams. */
export interface PendingBudget {
  used: number;
  readonly maxBytes: number;
}

/** What all streams of one directory share in this process. */
export interface StoreContext {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly options: ResolvedOptions;
  readonly lock: StoreLock;
  readonly handles: HandlePool;
  readonly cache: CacheBudget;
  readonly pages: PageBudget;
  readonly pending: PendingBudget;
}

/** What the engine does for its streams. */
export interface StreamHost {
  readonly context: StoreContext;
  /** Makes the names in the folder of streams durable. */
  readonly syncNames: () => Promise<void>;
  /**
   * Renames a stream's folder out of the way, which deletes the stream for good: to the retained streams when forks read it (then true), else
   * to the trash, whose files are removed at leisure.
   */
  readonly discard: (stream: { readonly id: string; readonly folder: string }) => Promise<boolean>;
  /** True when the stream of this id was deleted and is kept for its forks. */
  readonly isRetained: (id: string) => Promise<boolean>;
  /** Takes note that a fork is gone, so that its source may go too. */
  readonly released: (removed: RemovedStream) => void;
}
