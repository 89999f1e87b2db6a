/** Collects items and says when something is complete. Times are those of the run's clock, in ms. */
export interface Accumulator {
  /** Items held. At 0 a resumed run could start with a new accumulator. */
  readonly size: number;
  /** Takes an item; returns what is complete now. */
  add(item: unknown, index: number, now: number): readonly unknown[];
  /** When something becomes complete without a further item; null for never. */
  due(): number | null;
  /** What is complete at this time. */
  expire(now: number): readonly unknown[];
  /** What is left at the end. */
  end(): readonly unknown[];
}

const NOTHING: readonly never[] = [];

/** Arrays of `size` items, or of fewer once the first of them has waited for `maxWaitMs`. */
export function createTimedBatches(size: number, maxWaitMs: number): Accumulator {
  let batch: unknown[] = [];
  let firstAt = 0;
  const complete = (): readonly unknown[] => {
    if (batch.length === 0) return NOTHING;
    const full = batch;
    batch = [];
    return [full];
  };
  return {
    get size() {
      return batch.length;
    },
    add(item, _, now) {
      if (batch.length === 0) firstAt = now;
      batch.push(item);
      return batch.length === size ? complete() : NOTHING;
    },
    due: () => (batch.length === 0 ? null : firstAt + maxWaitMs),
    expire: (now) => (now >= firstAt + maxWaitMs ? complete() : NOTHING),
    end: complete,
  };
}

/** One array of all items, at the end; also when there are none. `overflow` makes the error for more items than the limit. */
export function createCollector(limit: number, overflow: (limit: number) => Error): Accumulator {
  const items: unknown[] = [];
  return {
    get size() {
      return items.length;
    },
    add(item) {
      if (items.length === limit) throw overflow(limit);
      items.push(item);
      return NOTHING;
    },
    due: () => null,
    expire: () => NOTHING,
    end: () => [items],
  };
}
