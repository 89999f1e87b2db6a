import { InvalidArgumentError, quote } from '@perennial/core';

import { MAX_TIMER_MS } from '../assert-duration.ts';
import { isWorkflowError } from '../errors.ts';

/** How a step is repeated when it fails. */
export interface StepRetry {
  /** Attempts in all, the first included. A crash of the process does not count as one. @default 3 */
  readonly attempts?: number;
  /** How waits grow. @default 'exponential' */
  readonly backoff?: 'exponential' | 'linear' | 'fixed';
  /** First wait, in ms. @default 250 */
  readonly delayMs?: number;
  /** Longest wait, in ms. @default 30_000 */
  readonly maxDelayMs?: number;
  /** Share of each wait that is random, 0 to 1. @default 0.5 */
  readonly jitter?: number;
  /** False: the step fails at once. `error` is what was thrown, or the error of a `Result`. @default every error */
  readonly retryIf?: (error: unknown, attempt: number) => boolean;
}

const DEFAULTS = { attempts: 3, backoff: 'exponential', delayMs: 250, maxDelayMs: 30_000, jitter: 0.5 } as const;

const BACKOFFS: readonly unknown[] = ['exponential', 'linear', 'fixed'];

/** @throws {@link InvalidArgumentError} naming the first option that makes no sense. */
export function assertRetry(retry: StepRetry): void {
  const { attempts = 1, delayMs = 0, maxDelayMs = 0, jitter = 0, backoff = 'exponential' } = retry;
  const check = (name: string, value: unknown, isFit: boolean): void => {
    if (!isFit) throw new InvalidArgumentError(`retry.${name}`, `\`retry.${name}\` makes no sense as ${quote(value)}.`);
  };
  check('backoff', backoff, BACKOFFS.includes(backoff));
  check('attempts', attempts, Number.isInteger(attempts) && attempts >= 1);
  check('delayMs', delayMs, delayMs >= 0 && delayMs <= MAX_TIMER_MS);
  check('maxDelayMs', maxDelayMs, maxDelayMs >= 0 && maxDelayMs <= MAX_TIMER_MS);
  check('jitter', jitter, jitter >= 0 && jitter <= 1);
}

/**
 * The wait before the next attempt, in ms; null when there is none.
 *
 * @param failures Attempts that failed in this process, this one included.
 */
export function retryDelay(
  retry: StepRetry | undefined,
  { failures, error, random }: { readonly failures: number; readonly error: unknown; readonly random: () => number },
): number | null {
  if (!retry || isWorkflowError(error, 'UNSERIALISABLE') || isWorkflowError(error, 'NESTED_STEP')) return null;
  const { attempts, backoff, delayMs, maxDelayMs, jitter } = { ...DEFAULTS, ...retry };
  if (failures >= attempts) return null;
  if (retry.retryIf && !retry.retryIf(error, failures)) return null;
  const factor = backoff === 'exponential' ? 2 ** (failures - 1) : backoff === 'linear' ? failures : 1;
  const wait = Math.min(delayMs * factor, maxDelayMs);
  return wait * (1 - jitter + jitter * random());
}
