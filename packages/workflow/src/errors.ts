import type { StreamFailure } from '@perennial/core';

/** What went wrong with a run or a step. */
export type WorkflowErrorCode =
  /** A step gave up; see {@link StepFailedError}. */
  | 'STEP_FAILED'
  /** The body of a run threw. */
  | 'FAILED'
  /** A run or an attempt took longer than its `timeout`. */
  | 'TIMEOUT'
  /** A cancel was requested. */
  | 'CANCELLED'
  /** A replayed body did something else than it did before. */
  | 'NONDETERMINISTIC'
  /** Another worker advances the run now, or its store was closed. */
  | 'RUN_LOST'
  /** The run id belongs to a run of another workflow. */
  | 'RUN_EXISTS'
  | 'RUN_NOT_FOUND'
  | 'STEP_NOT_FOUND'
  /** Several runs without an id have the namespace open. */
  | 'AMBIGUOUS_STREAM'
  /** A step was started inside a step. */
  | 'NESTED_STEP'
  /** A function that needs a run was called outside of one. */
  | 'NO_RUN'
  /** JSON cannot carry an input, a result or an error. */
  | 'UNSERIALISABLE'
  | 'INVALID_ARGUMENT'
  /** The workflow object was closed. */
  | 'CLOSED';

/** Base class of the errors of this package. Recognise errors by `code`, which survives copies of the package. */
export class WorkflowError<C extends WorkflowErrorCode = WorkflowErrorCode> extends Error {
  readonly type = 'WORKFLOW_ERROR' as const;
  readonly code: C;

  constructor(code: C, message: string, options?: { readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'WorkflowError';
    this.code = code;
  }
}

/** A step failed for good. Thrown by `step(…)` in the body; the same after a crash and replay, because it comes from the journal. */
export class StepFailedError extends WorkflowError<'STEP_FAILED'> {
  /** Key of the step. */
  readonly step: string;
  /** Number of the attempt that was the last. */
  readonly attempt: number;
  /** Code of the failure: the error's own code, else its name. */
  readonly failureCode: string;
  /** What the last attempt threw, or the error of the `Result` it returned, as the journal keeps it. */
  readonly error: unknown;

  constructor(
    step: string,
    attempt: number,
    { error, failure }: { readonly error: unknown; readonly failure: StreamFailure },
  ) {
    super('STEP_FAILED', `Step ${JSON.stringify(step)} failed in attempt ${attempt}: ${failure.message}`, {
      cause: error,
    });
    this.step = step;
    this.attempt = attempt;
    this.failureCode = failure.code;
    this.error = error;
  }
}

/** True for a {@link WorkflowError}, also of another copy of the package; with `code`, only for one with this code. */
export function isWorkflowError(error: unknown, code?: WorkflowErrorCode): error is WorkflowError {
  return (
    error instanceof Error &&
    'type' in error &&
    error.type === 'WORKFLOW_ERROR' &&
    'code' in error &&
    (code === undefined || error.code === code)
  );
}
