import { assertCounter, assertObject } from './arguments.ts';
import { InvalidArgumentError, quote, StreamError } from './errors.ts';
import type { StreamHead } from './head.ts';
import type { WaitOptions } from './store.ts';

interface Waiter {
  readonly position: number;
  readonly cancel: boolean;
  readonly resolve: (head: StreamHead) => void;
  readonly reject: (error: StreamError) => void;
}

/** The waiting readers of one stream: the bookkeeping behind {@link StreamStore.wait} that every store shares. */
export interface StreamWaiters {
  /** Waiters at present. A stream without waiters costs its writers nothing. */
  readonly size: number;
  /** Resolves with the first head that satisfies `options`, starting with `head` itself. */
  wait(head: StreamHead, options: WaitOptions): Promise<StreamHead>;
  /** Wakes those that the new head satisfies. */
  notify(head: StreamHead): void;
  /** Rejects all: the stream is gone, or the store closes. */
  fail(error: StreamError): void;
}

/** Creates an empty set of waiters. `latest` supplies the head that a wait which timed out resolves with. */
export function createStreamWaiters(latest: () => StreamHead): StreamWaiters {
  const waiting = new Set<Waiter>();
  return {
    get size() {
      return waiting.size;
    },
    wait(head, { position, cancel = false, signal, timeoutMs }) {
      if (signal?.aborted) return Promise.reject(aborted(signal));
      if (isSatisfied(head, position, cancel)) return Promise.resolve(head);
      return new Promise((resolve, reject) => {
        let timer: ReturnType<typeof setTimeout> | undefined;
        const release = (): void => {
          waiting.delete(waiter);
          if (timer !== undefined) clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
        };
        const waiter: Waiter = {
          position,
          cancel,
          resolve(settled) {
            release();
            resolve(settled);
          },
          reject(error) {
            release();
            reject(error);
          },
        };
        const onAbort = (): void => waiter.reject(aborted(signal));
        if (timeoutMs !== undefined)
          timer = setTimeout(() => waiter.resolve(latest()), Math.min(timeoutMs, MAX_TIMER_MS));
        signal?.addEventListener('abort', onAbort, { once: true });
        waiting.add(waiter);
      });
    },
    notify(head) {
      if (waiting.size === 0) return;
      for (const waiter of waiting) if (isSatisfied(head, waiter.position, waiter.cancel)) waiter.resolve(head);
    },
    fail(error) {
      for (const waiter of waiting) waiter.reject(error);
    },
  };
}

/** The longest delay that timers honour; a larger one would fire at once. */
export const MAX_TIMER_MS = 2_147_483_647;

/** @throws {@link InvalidArgumentError} unless the options can be waited with. */
export function assertWaitOptions(options: WaitOptions): void {
  assertObject('options', options);
  const { position, timeoutMs } = options;
  if (position !== Infinity) assertCounter('position', position);
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0)) {
    throw new InvalidArgumentError(
      'timeoutMs',
      `\`timeoutMs\` must be a number of milliseconds; got ${quote(timeoutMs)}.`,
    );
  }
}

function isSatisfied(head: StreamHead, position: number, cancel: boolean): boolean {
  return head.nextPosition > position || head.end !== null || (cancel && head.cancel !== null);
}

/** The error of a wait or read that its caller's signal stopped. */
export function aborted(signal: AbortSignal | undefined): StreamError<'ABORTED'> {
  return new StreamError('ABORTED', 'The operation was aborted by its signal.', { cause: signal?.reason });
}
