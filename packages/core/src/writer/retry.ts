import type { StreamError } from '../log/errors.ts';
import { toStoreError } from '../log/errors.ts';

/** How store calls are repeated after a failure that may pass. */
export interface RetryPolicy {
  /** Give up when this much time has passed since the first failure, in ms. 0 = never retry. @default 30_000 */
  readonly timeoutMs?: number;
  /** Longest wait between two tries, in ms. Waits double from 25 ms and are jittered between half and all. @default 2_000 */
  readonly maxDelayMs?: number;
  /** @default a timer */
  readonly sleep?: (ms: number) => Promise<void>;
  /** Monotonic milliseconds. @default performance.now */
  readonly monotonic?: () => number;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
}

const FIRST_DELAY_MS = 25;
const timer = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Calls a store until it answers, fails for good, or the policy gives up.
 *
 * Only safe for calls that may be applied twice: reads, and appends that carry a producer.
 *
 * @throws A {@link StreamError}; a `retryable` one means that the policy gave up.
 */
export async function retryStoreCall<T>(doing: string, call: () => Promise<T>, policy: RetryPolicy = {}): Promise<T> {
  const {
    timeoutMs = 30_000,
    maxDelayMs = 2_000,
    sleep = timer,
    monotonic = () => performance.now(),
    random = Math.random,
  } = policy;
  let deadline: number | undefined;
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, maxDelayMs)) {
    let failure: StreamError;
    try {
      return await call();
    } catch (error) {
      failure = toStoreError(error, doing);
    }
    const now = monotonic();
    deadline ??= now + timeoutMs;
    if (!failure.retryable || now >= deadline) throw failure;
    await sleep(Math.min(delayMs * (0.5 + random() / 2), deadline - now));
  }
}
