import { type StreamError, toStoreError } from '../log/errors.ts';
import type { StreamHead } from '../log/head.ts';
import type { StreamStore } from '../log/store.ts';

/** Options of {@link keepLease}. */
export interface LeaseKeeperOptions {
  readonly store: StreamStore;
  readonly streamId: string;
  readonly leaseMs: number;
  readonly token?: number;
  readonly onHead: (head: StreamHead) => void;
  /** The stream was fenced, ended or deleted by somebody else. */
  readonly onLost: (error: StreamError) => void;
}

/**
 * Renews a stream's lease three times per period until stopped (PROTOCOL.md, "Leases").
 *
 * A renewal that fails for a reason that may pass is left to the next one: a missed beat costs nothing until the lease lapses.
 *
 * @returns Stops the renewals.
 */
export function keepLease({ store, streamId, leaseMs, token, onHead, onLost }: LeaseKeeperOptions): () => void {
  let stopped = false;
  const renew = async (): Promise<void> => {
    try {
      const head = await store.mark(streamId, { type: 'lease', ...(token !== undefined && { token }) });
      if (!stopped) onHead(head);
    } catch (error) {
      const failure = toStoreError(error, `renewing the lease of stream ${streamId}`);
      if (stopped || failure.retryable) return;
      stop();
      onLost(failure);
    }
  };
  const timer: unknown = setInterval(() => void renew(), Math.max(1, Math.floor(leaseMs / 3)));
  // A forgotten writer must not keep a Node process alive; browsers number their timers and have nothing to unref.
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function')
    timer.unref();
  const stop = (): void => {
    stopped = true;
    clearInterval(timer as ReturnType<typeof setInterval>);
  };
  return stop;
}
