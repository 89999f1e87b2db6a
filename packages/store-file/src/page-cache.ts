import type { StreamRecord } from '@perennial/core';

import type { PageRequest } from './page-reader.ts';
import { RECORD_OVERHEAD } from './record-cache.ts';
import { GROUP_BYTES } from './text-cutter.ts';

/** A page that was read from the file, and its records once it has been read again. */
interface Place {
  readonly owner: Map<string, Place>;
  readonly key: string;
  readonly records: readonly StreamRecord[] | null;
  /** Memory it takes. */
  readonly bytes: number;
}

/** What a place costs besides the records. */
const PLACE_OVERHEAD = 200;

/** Memory shared by the page caches of all streams of a store; the pages not used for longest make room. */
export class PageBudget {
  readonly #maxBytes: number;
  /** Those not used for longest first. */
  readonly #places = new Set<Place>();
  #used = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes in use. */
  get used(): number {
    return this.#used;
  }

  add(place: Place): void {
    this.remove(place.owner.get(place.key));
    place.owner.set(place.key, place);
    this.#places.add(place);
    this.#used += place.bytes;
    for (const oldest of this.#places) {
      if (this.#used <= this.#maxBytes) return;
      this.remove(oldest);
    }
  }

  /** The place is used now. */
  touch(place: Place): void {
    this.#places.delete(place);
    this.#places.add(place);
  }

  remove(place: Place | undefined): void {
    if (!place || !this.#places.delete(place)) return;
    place.owner.delete(place.key);
    this.#used -= place.bytes;
  }
}

/**
 * Pages of a stream that one reader after the other reads from the file, on the way to the recent records. Readers that begin at the same
 * place with the same limits read the same pages; with other limits they soon begin at other places, so there is little to share. Pages are
 * decoded twice: a page is kept when it is read for the second time, so that a single reader of a long stream neither fills the memory nor
 * drives out what others need.
 *
 * Only for full pages: what is durable never changes, so neither does a page that something follows.
 */
export class PageCache {
  readonly #budget: PageBudget;
  readonly #places = new Map<string, Place>();
  #isClosed = false;

  constructor(budget: PageBudget) {
    this.#budget = budget;
  }

  /** A page in memory, or null. */
  find(request: PageRequest): readonly StreamRecord[] | null {
    const place = this.#places.get(keyOf(request));
    if (!place?.records) return null;
    this.#budget.touch(place);
    return place.records.slice();
  }

  /** Takes note of a full page that was read from the file, of so many payload bytes. Its last text keeps others behind it in memory. */
  note(request: PageRequest, records: readonly StreamRecord[], payloadBytes: number): void {
    if (this.#isClosed) return;
    const key = keyOf(request);
    const isAgain = this.#places.has(key);
    const recordBytes = isAgain ? payloadBytes + GROUP_BYTES + records.length * RECORD_OVERHEAD : 0;
    this.#budget.add({
      owner: this.#places,
      key,
      records: isAgain ? records.slice() : null,
      bytes: PLACE_OVERHEAD + recordBytes,
    });
  }

  /** Gives up everything, for good: a read that is under way may end after its stream was let go. */
  close(): void {
    this.#isClosed = true;
    for (const place of this.#places.values()) this.#budget.remove(place);
  }
}

function keyOf({ from, limit, maxBytes }: PageRequest): string {
  return `${from}/${limit}/${maxBytes}`;
}
