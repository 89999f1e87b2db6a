import { type Result, type StreamEnd, type StreamFailure, toStreamFailure } from '@perennial/core';

import { StepFailedError, WorkflowError } from '../errors.ts';
import type { SettledNote } from '../journal/notes.ts';
import { recordError, recordValue, restoreError } from '../journal/recorded.ts';

/** Why a run stops. The first reason stands. */
export type Verdict =
  | { readonly kind: 'returned'; readonly result: Result<unknown, unknown> }
  | { readonly kind: 'threw'; readonly error: unknown }
  /** The body, or what it wrote, cannot be trusted any more. */
  | { readonly kind: 'fault'; readonly error: Error }
  | { readonly kind: 'timeout'; readonly timeoutMs: number }
  | { readonly kind: 'cancelled'; readonly reason?: string }
  | { readonly kind: 'lost'; readonly error: WorkflowError };

/** How a run ended: what its journal says, and what its caller gets. */
export interface RunOutcome {
  readonly note: SettledNote;
  readonly result: Result<unknown, unknown>;
}

/** The outcome of a verdict. `isDurable`: the returned value must be one that the journal can keep. */
export function toOutcome(verdict: Exclude<Verdict, { kind: 'lost' }>, isDurable: boolean): RunOutcome {
  switch (verdict.kind) {
    case 'returned':
      return verdict.result.ok
        ? returned(verdict.result.value, isDurable)
        : failed(verdict.result.error, verdict.result.error);
    case 'threw':
      return failed(verdict.error, asRunError(verdict.error));
    case 'fault':
      return failed(verdict.error, verdict.error);
    case 'timeout': {
      const { timeoutMs } = verdict;
      const error = new WorkflowError('TIMEOUT', `The run took longer than ${timeoutMs} ms.`);
      return { note: { t: 'settled', end: timedOut(error) }, result: { ok: false, error } };
    }
    case 'cancelled': {
      const { reason } = verdict;
      const end: StreamEnd = { outcome: 'cancelled', ...(reason !== undefined && { reason }) };
      return { note: { t: 'settled', end }, result: { ok: false, error: cancelledError(reason) } };
    }
  }
}

/** What a caller gets of a run that ended, by its journal. */
export function resultOf({ end, value, error }: SettledNote): Result<unknown, unknown> {
  switch (end.outcome) {
    case 'completed':
      return { ok: true, value };
    case 'cancelled':
      return { ok: false, error: cancelledError(end.reason) };
    case 'failed': {
      if (error) return { ok: false, error: restoreError(error) };
      const isTimeout = end.error?.code === 'TIMEOUT';
      return {
        ok: false,
        error: new WorkflowError(isTimeout ? 'TIMEOUT' : 'FAILED', end.error?.message ?? 'The run failed.'),
      };
    }
  }
}

/** The error of a run that was cancelled. */
function cancelledError(reason: string | undefined): WorkflowError<'CANCELLED'> {
  return new WorkflowError('CANCELLED', `The run was cancelled${reason === undefined ? '' : `: ${reason}`}.`, {
    cause: reason,
  });
}

function returned(value: unknown, isDurable: boolean): RunOutcome {
  const end: StreamEnd = { outcome: 'completed' };
  try {
    const kept = recordValue(value, 'The result of the run');
    return { note: { t: 'settled', end, value: kept }, result: { ok: true, value: isDurable ? kept : value } };
  } catch (error) {
    return isDurable ? failed(error, error) : { note: { t: 'settled', end }, result: { ok: true, value } };
  }
}

function failed(thrown: unknown, error: unknown): RunOutcome {
  return {
    note: { t: 'settled', end: { outcome: 'failed', error: failureOf(thrown) }, error: recordError(error) },
    result: { ok: false, error },
  };
}

/** The failure that readers of the run's streams see: of a step, what the step itself failed with. */
function failureOf(thrown: unknown): StreamFailure {
  return toStreamFailure(thrown instanceof StepFailedError && thrown.error instanceof Error ? thrown.error : thrown);
}

function asRunError(thrown: unknown): unknown {
  if (thrown instanceof WorkflowError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new WorkflowError('FAILED', `The body of the run threw: ${message}`, { cause: thrown });
}

function timedOut(error: WorkflowError): StreamEnd {
  // The message is ours, so readers may see it.
  return { outcome: 'failed', error: { ...toStreamFailure(error), public: true } };
}
