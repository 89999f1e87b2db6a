import type { CreateResult, StreamStore } from '../log/store.ts';
import { limitExceeded } from './problem.ts';

/** Keeps the number of streams within a limit. */
export interface StreamQuota {
  /**
   * Runs a creation if there is room for one more stream, or if the stream is there already.
   *
   * @throws HttpProblem 429 when there is none.
   */
  create(streamId: string, create: () => Promise<CreateResult>): Promise<CreateResult>;
  /** Notes that a stream was deleted. */
  removed(): void;
}

/** Options of {@link createStreamQuota}. */
export interface StreamQuotaOptions {
  readonly store: StreamStore;
  readonly maxStreams: number;
  /** Milliseconds. */
  readonly now: () => number;
}

/** How long a count is believed: other processes create streams too. */
const RECOUNT_MS = 60_000;
/** How long a full server is believed to be full: streams expire. */
const RECOUNT_FULL_MS = 1_000;
const PAGE = 1_000;
const RETRY_AFTER = { 'Retry-After': '60' };

/**
 * Creates the quota. Streams are counted by listing them with the first creation, and again when the count is old or the limit reached; what
 * this handler creates and deletes in between is added and taken off. Creations that run at the same time are counted before they are done,
 * so that one handler never passes the limit.
 */
export function createStreamQuota({ store, maxStreams, now }: StreamQuotaOptions): StreamQuota {
  if (maxStreams === Infinity) return { create: (_id, create) => create(), removed: () => undefined };
  let count = 0;
  let running = 0;
  /** Created by this handler so far. */
  let created = 0;
  let countedAt = -Infinity;
  let counting: Promise<void> | undefined;

  const recount = async (): Promise<void> => {
    const startedAt = now();
    const before = created;
    const listed = await countStreams(store, maxStreams);
    // What was created meanwhile may not have been listed. Counting it twice is corrected by the next count.
    count = listed + created - before;
    countedAt = startedAt;
  };
  const counted = (): Promise<void> => (counting ??= recount().finally(() => (counting = undefined)));
  const isFull = (): boolean => count + running >= maxStreams;

  return {
    async create(streamId, create) {
      if (now() - countedAt >= (isFull() ? RECOUNT_FULL_MS : RECOUNT_MS)) await counted();
      if (isFull() && (await store.head(streamId)) === null) {
        throw limitExceeded(
          'maxStreams',
          `The server has ${maxStreams} streams, its limit. Try again when some have been deleted or have expired.`,
          429,
          RETRY_AFTER,
        );
      }
      running++;
      try {
        const result = await create();
        if (result.created) {
          count++;
          created++;
        }
        return result;
      } finally {
        running--;
      }
    },
    removed() {
      if (count > 0) count--;
    },
  };
}

/** Counts no further than to `enough`. */
async function countStreams(store: StreamStore, enough: number): Promise<number> {
  let count = 0;
  for (let after: string | undefined; ;) {
    const { streams, next } = await store.list({ limit: PAGE, ...(after !== undefined && { after }) });
    count += streams.length;
    if (next === undefined || count >= enough) return count;
    after = next;
  }
}
