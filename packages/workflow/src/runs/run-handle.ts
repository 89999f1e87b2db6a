import {
  type AsyncResult,
  getStreamReader,
  isStreamNotFound,
  runJournalId,
  runStreamId,
  type StreamEnd,
  type StreamReader,
  type StreamReaderOptions,
  type StreamStore,
} from '@perennial/core';

import type { WorkflowError } from '../errors.ts';
import { notFound } from './drive-run.ts';

/** What is known of a run from its journal. */
export interface RunStatus {
  readonly runId: string;
  /** Null while the run is open. */
  readonly end: StreamEnd | null;
  readonly isCancelRequested: boolean;
  /** Times the run was taken over by another worker. */
  readonly takeovers: number;
}

/** A run, wherever it is advanced. */
export interface RunHandle<T = unknown, E = unknown> {
  readonly runId: string;
  /** Resolves with the outcome of the run; never rejects. `CLOSED` when the workflow object is closed before. */
  readonly result: AsyncResult<T, E | WorkflowError>;
  /** The store the run lives in. */
  readonly store: StreamStore;
  /** Id of the stream of a namespace. */
  streamId(namespace?: string): string;
  /** Reads a namespace; waits for one that the run has not opened yet. */
  reader<V = unknown>(options?: { readonly namespace?: string } & Omit<StreamReaderOptions, 'store'>): StreamReader<V>;
  /** Asks the run to stop, from any process. A run that has ended stays as it is. */
  cancel(reason?: string): Promise<void>;
  status(): Promise<RunStatus>;
}

/** Makes a handle; `result` is called with the first use of its result. */
export function createRunHandle<T, E>(
  store: StreamStore,
  runId: string,
  result: () => AsyncResult<T, E | WorkflowError>,
): RunHandle<T, E> {
  let awaited: AsyncResult<T, E | WorkflowError> | null = null;
  return {
    runId,
    get result() {
      return (awaited ??= result());
    },
    store,
    streamId: (namespace = 'default') => runStreamId(runId, namespace),
    reader: ({ namespace = 'default', ...options } = {}) =>
      getStreamReader({ ...options, store, workflowId: runId, namespace }),
    cancel: (reason) => cancelRun(store, runId, reason),
    async status() {
      const head = await store.head(runJournalId(runId));
      if (!head) throw notFound(runId);
      return { runId, end: head.end, isCancelRequested: head.cancel !== null, takeovers: Math.max(0, head.token - 1) };
    },
  };
}

/**
 * Asks a run to stop, from any process that reaches the store. The run ends as cancelled, unless it ends otherwise first.
 *
 * @throws {@link WorkflowError} `RUN_NOT_FOUND`.
 */
export async function cancelRun(store: StreamStore, runId: string, reason?: string): Promise<void> {
  try {
    await store.mark(runJournalId(runId), { type: 'cancel', ...(reason !== undefined && { reason }) });
  } catch (error) {
    throw isStreamNotFound(error) ? notFound(runId) : error;
  }
}
