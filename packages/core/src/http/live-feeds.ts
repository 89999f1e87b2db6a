import type { StreamHead } from '../log/head.ts';
import type { StreamStore } from '../log/store.ts';
import { createLeaseObserver, type LeaseObserver } from '../reader/lease-observer.ts';
import { LiveFeed } from './live-feed.ts';

/** The feeds of the streams that have live readers. */
export interface LiveFeeds {
  /** The feed of a stream, started if need be. Subscribe to it at once: a feed without subscribers is dropped. */
  open(head: StreamHead): LiveFeed;
  /** What is known of a stream's lease without looking: true when its feed found that it has lapsed. */
  isStalled(head: StreamHead): boolean;
  /** Ends all feeds. */
  close(error: unknown): void;
}

/** Options of {@link createLiveFeeds}. */
export interface LiveFeedsOptions {
  readonly store: StreamStore;
  readonly heartbeatMs: number;
  readonly cursor: () => string;
  readonly onError: (error: unknown) => void;
}

/** Leases remembered after their last reader has left. */
const MAX_LEASES = 1_000;

/** Creates an empty set of feeds. */
export function createLiveFeeds(options: LiveFeedsOptions): LiveFeeds {
  const feeds = new Map<string, LiveFeed>();
  // A lease may be longer than a poll: without a memory, a reader that polls would count it from the start each time.
  const leases = new Map<string, LeaseObserver>();
  const leaseOf = (id: string): LeaseObserver => {
    const lease = leases.get(id) ?? createLeaseObserver();
    leases.delete(id);
    leases.set(id, lease);
    const [oldest] = leases.keys();
    if (leases.size > MAX_LEASES && oldest !== undefined) leases.delete(oldest);
    return lease;
  };
  const current = ({ id, incarnation }: StreamHead): LiveFeed | undefined => {
    const feed = feeds.get(id);
    return feed?.state.head.incarnation === incarnation ? feed : undefined;
  };
  return {
    open(head) {
      const known = current(head);
      if (known) return known;
      const feed: LiveFeed = new LiveFeed({
        ...options,
        head,
        lease: leaseOf(head.id),
        // A deleted stream's feed may still be winding up when its successor of the same id has one already.
        onStopped: () => feeds.get(head.id) === feed && feeds.delete(head.id),
      });
      feeds.set(head.id, feed);
      return feed;
    },
    isStalled: (head) => current(head)?.state.stalled ?? false,
    close(error) {
      for (const feed of feeds.values()) feed.close(error);
    },
  };
}
