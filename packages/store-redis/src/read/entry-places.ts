/** Where a reader that was given a page finds the next one in the log. */
export interface EntryPlace {
  readonly incarnation: string;
  /** Position of the first record of the entry that holds the next page's first record. */
  readonly entry: number;
  /** Records, and bytes, of an entry of the page before. */
  readonly recordsPerEntry: number;
  readonly bytesPerEntry: number;
}

/**
 * Remembers where pages ended that have more behind them. What it says stays true as long as the incarnation lives, because a log only grows
 * at its end and is trimmed at its beginning.
 */
export interface EntryPlaces {
  get(id: string, position: number): EntryPlace | undefined;
  note(id: string, position: number, place: EntryPlace): void;
}

/** Creates an empty memory of at most `capacity` places, the latest. */
export function createEntryPlaces(capacity: number): EntryPlaces {
  const places = new Map<string, EntryPlace>();
  const keyOf = (id: string, position: number): string => `${position} ${id}`;
  return {
    get: (id, position) => places.get(keyOf(id, position)),
    note(id, position, place) {
      const key = keyOf(id, position);
      places.delete(key);
      places.set(key, place);
      if (places.size <= capacity) return;
      for (const oldest of places.keys()) {
        places.delete(oldest);
        break;
      }
    },
  };
}
