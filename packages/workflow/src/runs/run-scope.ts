import type { CancelRequest, RetryPolicy, StreamError, StreamStore } from '@perennial/core';

import type { BodyScheduler } from '../body/scheduler.ts';
import type { RunEventDetails } from '../events.ts';
import type { JournalState } from '../journal/journal-state.ts';
import type { Journal } from '../journal/journal.ts';
import type { Attempt } from '../steps/attempt.ts';
import type { RunStreams } from '../streams/run-streams.ts';

/** Who calls a writer or reader of a run. */
export type Caller =
  | { readonly kind: 'body' }
  | { readonly kind: 'attempt'; readonly attempt: Attempt }
  /** The call came without context, and no attempt or several are running. */
  | { readonly kind: 'unknown' };

/** What the parts of one run on one worker share. */
export interface RunScope {
  readonly store: StreamStore;
  readonly runId: string;
  readonly journalId: string;
  /** Fencing token under which this worker holds the run. */
  readonly token: number;
  /** Names this worker's hold of the run. */
  readonly nonce: string;
  readonly journal: Journal;
  readonly state: JournalState;
  readonly streams: RunStreams;
  readonly scheduler: BodyScheduler;
  /** Sliding time to live of the run's streams, in ms. */
  readonly ttlMs?: number;
  readonly retry?: RetryPolicy;
  /** Fires when the run stops, for whatever reason. */
  readonly signal: AbortSignal;
  emit(event: RunEventDetails): void;
  caller(): Caller;
  /** Keys of the steps that the body has called so far. */
  startedSteps(): ReadonlySet<string>;
  /** Resolves with true once all these steps have settled or the run is finishing what it began; with false when it stops short. */
  settled(keys: ReadonlySet<string>): Promise<boolean>;
  /** The body cannot go on as it did: the run fails with this. */
  fault(error: Error): void;
  /** A stream of the run cannot be written by this worker any more. */
  broken(error: StreamError): void;
  cancelled(request: CancelRequest): void;
}
