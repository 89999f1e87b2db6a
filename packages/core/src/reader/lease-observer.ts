import type { StreamHead } from '../log/head.ts';

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
