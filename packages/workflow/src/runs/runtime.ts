import type { RetryPolicy, StreamStore } from '@perennial/core';

import type { WorkflowEvent } from '../events.ts';

/** What all runs of a workflow object share. */
export interface Runtime {
  readonly name: string;
  readonly store: StreamStore;
  readonly leaseMs: number;
  readonly replayTimeoutMs: number;
  readonly ttlMs?: number;
  readonly retry?: RetryPolicy;
  /** Fires when the workflow object is closed. */
  readonly signal: AbortSignal;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Ids of runs, and nonces. */
  readonly randomId: () => string;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Milliseconds that never run backwards. */
  readonly monotonic: () => number;
  emit(event: WorkflowEvent): void;
}
