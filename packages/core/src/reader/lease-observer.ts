import type { StreamEnd } from '../log/end.ts';
import type { StreamHead } from '../log/head.ts';
import type { StreamStore } from '../log/store.ts';

/** What an observer knows about a producer's lease. */
export interface LeaseObservation {
  /** `none`: the stream has no lease, or has ended. */
  readonly state: 'none' | 'alive' | 'lapsed';
  /** Time until the lease lapses unless it is renewed, in ms; Infinity without a lease. */
  readonly remainingMs: number;
}

/** Watches one stream's lease on this process's own monotonic clock (PROTOCOL.md, "Leases"). */
export interface LeaseObserver {
  /** Takes note of a head; call it with each fresh one. */
  observe(head: StreamHead): LeaseObservation;
}

const NO_LEASE: LeaseObservation = { state: 'none', remainingMs: Infinity };

/**
 * Creates an observer. A lease counts from the moment this observer saw its current beat, so clocks of other machines do not matter.
 *
 * @param monotonic Milliseconds that never run backwards. Defaults to `performance.now`.
 */
export function createLeaseObserver(monotonic: () => number = () => performance.now()): LeaseObserver {
  let seen: { readonly incarnation: string; readonly beat: number; readonly since: number } | null = null;
  return {
    observe({ lease, end, incarnation }) {
      if (!lease || end) return NO_LEASE;
      const now = monotonic();
      if (seen?.beat !== lease.beat || seen.incarnation !== incarnation)
        seen = { incarnation, beat: lease.beat, since: now };
      const remainingMs = Math.max(0, lease.durationMs - (now - seen.since));
      return { state: remainingMs > 0 ? 'alive' : 'lapsed', remainingMs };
    },
  };
}

/** The end of a stream whose producer stopped renewing its lease. */
export const PRODUCER_LOST: StreamEnd = {
  outcome: 'failed',
  error: { code: 'PRODUCER_LOST', message: 'The producer of this stream stopped without finishing it.', public: true },
};

/**
 * Ends a standalone stream whose lease lapsed: fences its producer, then ends it as failed `PRODUCER_LOST`. Whoever observes the lapse
 * may do so; several at once are harmless.
 *
 * @param observed The head whose lease lapsed. Nothing happens when the stream has been renewed, ended or taken over since.
 * @returns True when the stream has ended, by this call or another.
 */
export async function endLapsed(store: StreamStore, observed: StreamHead): Promise<boolean> {
  const { id } = observed;
  const head = await store.head(id);
  if (!head || head.incarnation !== observed.incarnation) return false;
  if (head.end) return true;
  const renewed = head.lease?.beat !== observed.lease?.beat || head.token !== observed.token;
  if (!head.lease || head.owner !== null || renewed) return false;
  const token = head.token + 1;
  await store.mark(id, { type: 'fence', token, nonce: crypto.randomUUID() });
  const { head: after } = await store.append(id, {
    token,
    segments: [{ records: [], producer: { id: 'lease', epoch: token, seq: 0 }, end: PRODUCER_LOST }],
  });
  return after.end !== null;
}
