/**
 * Lets readers that ask for the same page in the same turn share one command: a thousand readers of one stream wake together and ask for
 * the same position.
 *
 * Only requests that were made before the command is sent share it, so that each sees everything acknowledged before it asked.
 */
import type { ReadResult } from '@perennial/core';

/** A page to read. */
export interface PageRequest {
  readonly id: string;
  readonly from: number;
  readonly limit: number;
  readonly maxBytes: number;
  /** Reads this incarnation for a fork of it. @default none */
  readonly forFork?: string;
}

/** Wraps `read` so that equal requests of one turn share a call. Each caller gets a page array of its own. */
export function createReadCoalescer(
  read: (request: PageRequest) => Promise<ReadResult>,
): (request: PageRequest) => Promise<ReadResult> {
  const gathering = new Map<string, Promise<ReadResult>>();
  return async (request) => {
    const key = `${request.from} ${request.limit} ${request.maxBytes} ${request.id}`;
    let page = gathering.get(key);
    if (!page) {
      page = new Promise((resolve) => {
        // After all microtasks: readers woken together reach this point in different ones.
        process.nextTick(() => {
          gathering.delete(key);
          resolve(read(request));
        });
      });
      gathering.set(key, page);
    }
    const { records, head } = await page;
    return { records: records.slice(), head };
  };
}
