import type { ReadResult } from '../log/store.ts';

/** Fetches the pages of a reader that goes from position to position. */
export interface ReadAhead {
  /** The page at a position, from the store or fetched before. */
  page(from: number): Promise<ReadResult>;
}

/** Options of {@link createReadAhead}. */
export interface ReadAheadOptions {
  readonly read: (from: number, limit: number) => Promise<ReadResult>;
  /** Records of the first page. */
  readonly pageSize: number;
  /** Records that a page may grow to. */
  readonly maxPageSize: number;
  /** Fetch the next page before it is asked for. */
  readonly enabled: boolean;
}

interface FetchedPage {
  readonly from: number;
  readonly page: Promise<ReadResult>;
}

/**
 * Creates a read-ahead. A reader that asks for a second page is catching up: from then on the next page is fetched while the current one is
 * consumed, at most one at a time, and pages double in size. A reader of a few records costs one read of one page, and so does each wake-up
 * at the tail.
 */
export function createReadAhead({ read, pageSize, maxPageSize, enabled }: ReadAheadOptions): ReadAhead {
  let limit = pageSize;
  let next: FetchedPage | null = null;
  /** Where the last page stopped, with more behind it; null at the tail. */
  let stoppedAt: number | null = null;

  return {
    async page(from) {
      const isCatchingUp = from === stoppedAt;
      limit = isCatchingUp ? Math.min(limit * 2, Math.max(pageSize, maxPageSize)) : pageSize;
      const fetched = next?.from === from ? next.page : read(from, limit);
      next = null;
      const result = await fetched;
      const { records, head } = result;
      const end = from + records.length;
      stoppedAt = records.length > 0 && end < head.nextPosition ? end : null;
      if (enabled && isCatchingUp && stoppedAt !== null) {
        next = { from: end, page: read(end, Math.min(limit * 2, Math.max(pageSize, maxPageSize))) };
        // Whoever asks for the page gets the error; a reader that stops here has no use for it.
        next.page.catch(() => undefined);
      }
      return result;
    },
  };
}
