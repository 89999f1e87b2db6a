import { assertNumber, assertWhole } from '../errors/arguments.ts';
import { codeOf } from '../errors/streaming-error.ts';

/** How a step repeats a failed item. */
export interface RetryOptions {
  /** Tries in all, the first one included. */
  readonly maxAttempts: number;
  /** Wait before the second try, in ms; it doubles with every further one. */
  readonly backoffMs: number;
  /** Codes worth a retry: an error's `code`, else its `name`. @default everything but aborts and errors with `retryable: false` */
  readonly retryableErrors?: readonly string[];
  /** Longest wait, in ms. @default 30_000 */
  readonly maxBackoffMs?: number;
  /** Share of a wait that is random, from 0 to 1, so that parallel items do not come back all at once. @default 0.2 */
  readonly jitter?: number;
}

const DEFAULT_MAX_BACKOFF_MS = 30_000;
const DEFAULT_JITTER = 0.2;

/** @throws `INVALID_ARGUMENT` naming the first option that cannot be followed. */
export function assertRetry(retry: RetryOptions | undefined): void {
  if (retry === undefined) return;
  assertWhole('retry.maxAttempts', retry.maxAttempts, 1);
  assertNumber('retry.backoffMs', retry.backoffMs);
  assertNumber('retry.maxBackoffMs', retry.maxBackoffMs);
  assertNumber('retry.jitter', retry.jitter, 1);
}

/** True when trying again may help. */
export function isRetryable(thrown: unknown, { retryableErrors }: Pick<RetryOptions, 'retryableErrors'> = {}): boolean {
  if (retryableErrors) return retryableErrors.includes(codeOf(thrown) ?? '');
  if (isAbort(thrown)) return false;
  return !(typeof thrown === 'object' && thrown !== null && 'retryable' in thrown && thrown.retryable === false);
}

/** How long to wait after the `failures`th failure of an item, in ms. */
export function backoffDelay(retry: RetryOptions, failures: number, random: () => number): number {
  const { backoffMs, maxBackoffMs = DEFAULT_MAX_BACKOFF_MS, jitter = DEFAULT_JITTER } = retry;
  const whole = Math.min(backoffMs * 2 ** (failures - 1), maxBackoffMs);
  return whole * (1 - jitter * random());
}

function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown.name === 'AbortError' || codeOf(thrown) === 'ABORTED');
}
