import { isThenable } from '@perennial/core/engine';

import type { StepRuntime } from '../run/step-runtime.ts';
import { backoffDelay, isRetryable } from '../step/retry.ts';

/** One item on its way through a user's function. */
export interface Try {
  readonly item: unknown;
  readonly index: number;
  /** Calls the function. */
  readonly call: () => unknown;
}

/**
 * Calls a user's function for an item, with the step's timing, retries and error strategy.
 *
 * @returns The value or a promise of it; `SKIP` stands for an item that was given up.
 * @throws The `StreamingError` of a `FAIL_FAST` step.
 */
export function tryItem(step: StepRuntime, attempt: Try): unknown {
  let out: unknown;
  try {
    out = --step.untilSample === 0 ? timed(step, attempt.call) : attempt.call();
  } catch (cause) {
    return retryItem(step, attempt, cause);
  }
  return isThenable(out) ? Promise.resolve(out).catch((cause: unknown) => retryItem(step, attempt, cause)) : out;
}

/** Tries an item again that failed with `cause`, as the step's retry options say; then its strategy decides. See {@link tryItem}. */
export function retryItem(step: StepRuntime, attempt: Try, cause: unknown): unknown {
  if (mayRetry(step, cause, 1)) return retryLoop(step, attempt, cause);
  return step.failItem(cause, { index: attempt.index, item: attempt.item });
}

/** True when the step's options allow another try after `failures` of them. */
export function mayRetry({ description: { retry } }: StepRuntime, cause: unknown, failures: number): boolean {
  return retry !== undefined && failures < retry.maxAttempts && isRetryable(cause, retry);
}

/** Waits as long as the step's options want after `failures` of them. Rejects when the run is over. */
export async function backoff({ run, description: { retry } }: StepRuntime, failures: number): Promise<void> {
  if (retry) await run.clock.sleep(backoffDelay(retry, failures, run.random), run.signal);
}

/** Calls a function and notes how long it, or its promise, took. */
export function timed(step: StepRuntime, call: () => unknown): unknown {
  if (!step.timed) {
    step.skipSample();
    return call();
  }
  const { clock } = step.run;
  const started = clock.now();
  const stop = (): void => {
    const now = clock.now();
    step.sampled(now - started, now);
  };
  let out: unknown;
  try {
    out = call();
  } catch (error) {
    stop();
    throw error;
  }
  if (!isThenable(out)) {
    stop();
    return out;
  }
  const promise = Promise.resolve(out);
  void promise.then(stop, stop);
  return promise;
}

async function retryLoop(step: StepRuntime, { item, index, call }: Try, first: unknown): Promise<unknown> {
  let cause = first;
  let attempts = 1;
  for (; mayRetry(step, cause, attempts); attempts++) {
    await backoff(step, attempts);
    try {
      return await call();
    } catch (error) {
      cause = error;
    }
  }
  return step.failItem(cause, { index, item, attempts });
}
