import type { StreamHead } from '../log/head.ts';
import type { StreamStore } from '../log/store.ts';
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

/** Creates an empty set of feeds. */
export function createLiveFeeds(options: LiveFeedsOptions): LiveFeeds {
  const feeds = new Map<string, LiveFeed>();
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
