import type { LogFiles } from './log-files.ts';
import { type FollowNews, openFollowed, refreshFollowed } from './log-follower.ts';
import type { LoadedLog } from './log-loader.ts';
import type { DurableLog } from './log-state.ts';
import type { StoreContext } from './store-context.ts';

/** A stream that this process only reads. */
export class FollowedStream {
  readonly kind = 'following';
  readonly log: DurableLog;
  readonly files: LogFiles;
  readonly #context: StoreContext;
  readonly #loaded: LoadedLog;

  constructor(context: StoreContext, loaded: LoadedLog) {
    this.#context = context;
    this.#loaded = loaded;
    this.log = loaded.log;
    this.files = loaded.files;
  }

  /** Opens the stream; null when there is none. */
  static async open(
    context: StoreContext,
    place: { readonly id: string; readonly folder: string },
  ): Promise<{ readonly stream: FollowedStream; readonly touchedAt: number } | null> {
    const loaded = await openFollowed(context, place);
    return loaded && { stream: new FollowedStream(context, loaded), touchedAt: loaded.touchedAt };
  }

  /** Takes in what its writer has published since. */
  refresh(): Promise<{ readonly news: FollowNews; readonly touchedAt: number }> {
    return refreshFollowed(this.#context, this.#loaded);
  }

  async close(): Promise<void> {
    this.log.cache.clear();
    await this.files.close();
  }
}
