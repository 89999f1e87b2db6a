import type { LogFiles } from './log-files.ts';
import { type FollowCare, type FollowedLog, type FollowNews, openFollowed, refreshFollowed } from './log-follower.ts';
import type { DurableLog } from './log-state.ts';
import type { StoreContext } from './store-context.ts';

/** A stream that this process only reads. */
export class FollowedStream {
  readonly kind = 'following';
  readonly log: DurableLog;
  readonly files: LogFiles;
  readonly #context: StoreContext;
  readonly #followed: FollowedLog;

  constructor(context: StoreContext, followed: FollowedLog) {
    this.#context = context;
    this.#followed = followed;
    this.log = followed.log;
    this.files = followed.files;
  }

  /** Opens the stream; null when there is none. */
  static async open(
    context: StoreContext,
    place: { readonly id: string; readonly folder: string },
  ): Promise<{ readonly stream: FollowedStream; readonly touchedAt: number } | null> {
    const followed = await openFollowed(context, place);
    return followed && { stream: new FollowedStream(context, followed), touchedAt: followed.touchedAt };
  }

  /** Takes in what its writer has published since. */
  refresh(care: FollowCare): Promise<FollowNews> {
    return refreshFollowed(this.#context, this.#followed, care);
  }

  async close(): Promise<void> {
    this.log.cache.close();
    this.log.pages.close();
    await this.files.close();
  }
}
