import { readCancel } from './cancel-file.ts';
import { CANCEL_FILE } from './layout.ts';
import type { FollowCare } from './log-follower.ts';
import type { StoreContext } from './store-context.ts';
import type { OpenStream } from './stream-loading.ts';
import { watchStream } from './stream-watch.ts';

/** What {@link createStreamNews} needs from its stream. */
export interface StreamNewsOptions {
  readonly context: StoreContext;
  readonly folder: string;
  /** The stream as it is loaded. */
  readonly loaded: () => OpenStream | null;
  /** True while anybody waits for news. */
  readonly isAwaited: () => boolean;
  /** Called when nobody does any more. */
  readonly onIdle: () => void;
  /** Takes in what the writer has published, or loads the stream. */
  readonly refresh: (care: FollowCare) => Promise<void>;
  /** Removes the stream if it has expired. */
  readonly expire: () => Promise<void>;
}

/** Brings what other processes do to a stream to those who wait. */
export interface StreamNews {
  /** Begins to watch. */
  watch(): { stop(): void };
  /** Looks at everything, now. */
  look(): void;
}

/** Creates the {@link StreamNews} of a stream. */
export function createStreamNews(options: StreamNewsOptions): StreamNews {
  const { context, folder, loaded, isAwaited, onIdle, refresh, expire } = options;

  async function take(care: FollowCare): Promise<void> {
    const stream = loaded();
    if (stream?.kind === 'owned') {
      // Of an own stream, others can only change this.
      const { head } = stream.log.state;
      const cancel = head.cancel || head.end ? null : await readCancel(context.fs, folder, head.incarnation);
      if (cancel) await stream.queue.noteCancel(cancel);
    } else await refresh(care);
    await expire();
  }

  function onNews(file: string | null): void {
    if (!isAwaited()) return onIdle();
    const isOwned = loaded()?.kind === 'owned';
    if (file !== null && file !== CANCEL_FILE && (isOwned || !file.endsWith('.tail'))) return;
    // A look that fails is repeated by the next poll; a caller who reads gets the error itself.
    void take(file === null ? 'polled' : 'notified').catch(() => undefined);
  }

  return {
    watch() {
      const watch = watchStream({
        fs: context.fs,
        folder,
        pollIntervalMs: context.options.pollIntervalMs,
        onNews,
      });
      // Something may have changed between the last look and the first notification.
      onNews(null);
      return watch;
    },
    look: () => onNews(null),
  };
}
