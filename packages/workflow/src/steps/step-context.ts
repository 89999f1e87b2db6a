import type { DataRecord, StreamRecord } from '@perennial/core';
import { DEFAULT_NAMESPACE, Retractions } from '@perennial/core';

import type { RunExecution } from '../runs/run-execution.ts';
import { createRunWriter, type RunWriter, type WritableOptions } from '../streams/run-writer.ts';
import { type Attempt, stepProducer } from './attempt.ts';

/** What the function of a step is given. */
export interface StepContext {
  readonly runId: string;
  /** Key of the step. */
  readonly key: string;
  /** Number of this attempt, 1 for the first. Grows with each retry, and with each recovery after the step had written something. */
  readonly attempt: number;
  /** Fires when the attempt's time is up, or the run stops. */
  readonly signal: AbortSignal;
  /** A writer bound to this attempt: works also where the asynchronous context is lost, as in callbacks of native libraries. */
  writable<T>(options?: WritableOptions): RunWriter<T>;
  /**
   * What this step's earlier attempts wrote and nobody took back, in order: on a namespace opened with `onRetry: 'continue'`, what the
   * attempt can go on from. Empty for the first attempt.
   */
  emitted<T>(options?: { readonly namespace?: string }): Promise<T[]>;
}

/** Makes what the function of a step is given. */
export function createStepContext(run: RunExecution, attempt: Attempt): StepContext {
  return {
    runId: run.runId,
    key: attempt.step,
    attempt: attempt.n,
    signal: attempt.signal,
    writable: ({ namespace = DEFAULT_NAMESPACE, commit = 'write', ...options } = {}) =>
      createRunWriter({ run, stream: run.streams.get(namespace, options), commit, attempt }),
    emitted: <T>({ namespace = DEFAULT_NAMESPACE }: { readonly namespace?: string } = {}) =>
      readEmitted(run, attempt, namespace) as Promise<T[]>,
  };
}

const PAGE = 1_000;

async function readEmitted(run: RunExecution, attempt: Attempt, namespace: string): Promise<unknown[]> {
  if (!run.state.opened.has(namespace)) return [];
  const { streamId } = run.streams.get(namespace);
  if (!(await run.store.producer(streamId, stepProducer(attempt.key)))) return [];
  const retractions = new Retractions();
  const mine: DataRecord[] = [];
  for (let from = 0; ;) {
    const { records, head } = await run.store.read(streamId, { from, limit: PAGE });
    for (const record of records) {
      retractions.note(record);
      if (isOfStep(record, attempt)) mine.push(record);
    }
    from = (records.at(-1)?.position ?? from - 1) + 1;
    if (from >= head.nextPosition) break;
  }
  return mine
    .filter((record) => !retractions.hides(record))
    .map(({ data }) => (typeof data === 'string' ? JSON.parse(data) : data));
}

function isOfStep(record: StreamRecord, { key, n }: Attempt): record is DataRecord {
  return record.kind === 'data' && record.step === key && (record.attempt ?? 1) < n;
}
