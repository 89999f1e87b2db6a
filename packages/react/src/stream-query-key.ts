import { assertSource, sourceName, type StreamSource } from '@perennial/core/client';
import type { QueryKey } from '@tanstack/react-query';

/** The options that make a different cache entry. */
export interface StreamQueryKeyOptions {
  readonly reduce?: unknown;
  readonly maxItems?: number | undefined;
  readonly from?: number | 'now' | { readonly last: number } | undefined;
}

/**
 * The key of a stream's cache entry, for `invalidateQueries`, `removeQueries` and the like. A prefix of it, such as `['perennial']`, covers
 * all streams.
 *
 * The position of a numeric `from` is not part of it: the position is inside the entry, and the entry takes precedence.
 *
 * @throws `INVALID_ARGUMENT` unless `source` leads to a stream.
 */
export function streamQueryKey(source: StreamSource, { reduce, maxItems, from }: StreamQueryKeyOptions = {}): QueryKey {
  assertSource(source);
  const variant = {
    ...(reduce !== undefined && { reduced: true }),
    ...(maxItems !== undefined && { maxItems }),
    ...(from !== undefined && typeof from !== 'number' && { from }),
    ...(typeof source === 'object' && 'store' in source && { store: storeNumber(source.store) }),
  };
  return ['perennial', 'stream', sourceName(source), variant];
}

const numbers = new WeakMap<object, number>();
let lastNumber = 0;

/** Stores have no name; each gets a number of its own. */
function storeNumber(store: object): number {
  const known = numbers.get(store);
  if (known !== undefined) return known;
  numbers.set(store, ++lastNumber);
  return lastNumber;
}
