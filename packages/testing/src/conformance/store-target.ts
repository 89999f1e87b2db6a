import type { StreamStore } from '@perennial/core';

import type { ManualClock } from '../clock/manual-clock.ts';

/**
 * Behaviour that a store may honestly lack. Cases that need it are left out for a target that says so in `without`; nothing is left out
 * by itself.
 *
 * - `clock`: timestamps and expiry follow the clock given to `open`.
 * - `reopen`: what was acknowledged survives {@link OpenedStore.reopen}.
 * - `fencing`: tokens in create, append, `mark` fence.
 * - `lease`: `leaseMs` and `mark` lease.
 * - `owner`: `owner` of create.
 * - `supersede`: supersede records.
 * - `steps`: `step` and `attempt` of data records.
 * - `segments`: several segments in one append.
 * - `record-sequences`: sequences number records (`sequencing: 'record'`); without it producers number whole segments.
 * - `failure-detail`: `name`, `stack` and non-public failures of an end are kept, not only what readers may see.
 * - `forks`: `fork` of create, and what is kept for forks.
 * - `list`: listing by prefix.
 * - `producer`: reading a producer's state.
 */
export type StoreFeature =
  | 'clock'
  | 'reopen'
  | 'fencing'
  | 'lease'
  | 'owner'
  | 'supersede'
  | 'steps'
  | 'segments'
  | 'record-sequences'
  | 'failure-detail'
  | 'forks'
  | 'list'
  | 'producer';

/** Every {@link StoreFeature}. */
export const STORE_FEATURES: readonly StoreFeature[] = [
  'clock',
  'reopen',
  'fencing',
  'lease',
  'owner',
  'supersede',
  'steps',
  'segments',
  'record-sequences',
  'failure-detail',
  'forks',
  'list',
  'producer',
];

/** A store as a {@link StoreConformanceTarget} hands it to one case. */
export interface OpenedStore {
  readonly store: StreamStore;
  /**
   * Gives a store over the same data as after a restart of the process: nothing may be carried over in memory. The case uses only the
   * new store from then on. Required unless the target is `without: ['reopen']`.
   */
  reopen?(): Promise<StreamStore>;
  /** Releases everything, also what `reopen` opened. The case may have closed the store already. @default store.close() */
  close?(): Promise<void>;
}

/** What `open` gets for one case. */
export interface OpenContext {
  /** The clock the store should use as its `now`, unless the target is `without: ['clock']`. */
  readonly clock: ManualClock;
}

/** A store under test. */
export interface StoreConformanceTarget {
  /** Names the store in reports. */
  readonly name: string;
  /** Opens an empty store. Called once per case, and by several cases at once under a concurrent runner. */
  open(context: OpenContext): Promise<OpenedStore>;
  /** What the store does not offer. @default [] */
  readonly without?: readonly StoreFeature[];
  /** Longest time in ms that any single answer may take. @default 5000 */
  readonly timeoutMs?: number;
  /** Longest median time in ms from an append to the wake-up of a waiting reader; above it the store is held to poll. @default 50 */
  readonly wakeUpMs?: number;
}
