import { assertWhole } from '../errors/arguments.ts';
import type { Accumulator } from './accumulator.ts';

/** Items that share a key. */
export interface Group<TKey, T> {
  readonly key: TKey;
  readonly items: readonly T[];
}

/** Options of `groupBy`. */
export interface GroupOptions {
  /** Emit a group as soon as it has this many items; the next item of its key starts another. @default none */
  readonly maxSize?: number;
  /** Input is sorted by key: emit a group when the key changes. Then only one group is held. @default false */
  readonly consecutive?: boolean;
  /** Items that may wait in open groups. @default 100_000 */
  readonly limit?: number;
}

const DEFAULT_LIMIT = 100_000;
const NOTHING: readonly never[] = [];

/** @throws `INVALID_ARGUMENT` naming the first option that cannot be followed. */
export function assertGroupOptions({ maxSize, limit }: GroupOptions): void {
  if (maxSize !== undefined) assertWhole('maxSize', maxSize, 1);
  if (limit !== undefined) assertWhole('limit', limit, 1);
}

/** Groups by key, in the order in which keys were first seen. `overflow` makes the error for more waiting items than the limit. */
export function createGroups(
  keyOf: (item: unknown, index: number) => unknown,
  { maxSize = Infinity, consecutive = false, limit = DEFAULT_LIMIT }: GroupOptions,
  overflow: (limit: number) => Error,
): Accumulator {
  const open = new Map<unknown, unknown[]>();
  let held = 0;
  const complete = (key: unknown, items: readonly unknown[]): Group<unknown, unknown> => {
    open.delete(key);
    held -= items.length;
    return { key, items };
  };
  const completeAll = (): Group<unknown, unknown>[] => [...open].map(([key, items]) => complete(key, items));
  return {
    get size() {
      return held;
    },
    add(item, index) {
      const key = keyOf(item, index);
      const before = consecutive && !open.has(key) ? completeAll() : NOTHING;
      if (held >= limit) throw overflow(limit);
      const items = open.get(key) ?? [];
      items.push(item);
      held++;
      open.set(key, items);
      return items.length >= maxSize ? [...before, complete(key, items)] : before;
    },
    due: () => null,
    expire: () => NOTHING,
    end: completeAll,
  };
}
