import { assertFunction, assertNumber, assertWhole, invalid, show } from '../errors/arguments.ts';
import type { Accumulator } from './accumulator.ts';

/** Windows of a number of items. */
export interface CountWindowOptions {
  /** Items in a window. */
  readonly size: number;
  /** Items from the start of one window to that of the next. Less than `size`: windows overlap; more: items between are dropped. @default size */
  readonly step?: number;
}

/** Windows of a stretch of time. Windows without items are not emitted. */
export interface TimeWindowOptions<T> {
  /** Length of a window in ms. */
  readonly durationMs: number;
  /** Time from the start of one window to that of the next, in ms. @default durationMs */
  readonly everyMs?: number;
  /**
   * Time of an item in ms; then windows follow the items' own time, start at multiples of `everyMs` and end when a later item is seen.
   * Items that are late for every open window are put into the oldest one. Without it, windows follow the clock, and end on time on a
   * quiet stream too.
   */
  readonly timestamp?: (item: T) => number;
  /** Items that may wait in open windows. @default 100_000 */
  readonly limit?: number;
}

/** Options of `window`. */
export type WindowOptions<T> = CountWindowOptions | TimeWindowOptions<T>;

interface Timed {
  readonly at: number;
  readonly item: unknown;
}

const DEFAULT_LIMIT = 100_000;
const NOTHING: readonly never[] = [];

/** @throws `INVALID_ARGUMENT` naming the first option that makes no window. */
export function assertWindowOptions<T>(options: WindowOptions<T>): void {
  if ('size' in options === 'durationMs' in options) {
    throw invalid(`A window has a \`size\` in items or a \`durationMs\`, one of them; got ${show(options)}.`);
  }
  if ('size' in options) {
    assertWhole('size', options.size, 1);
    if (options.step !== undefined) assertWhole('step', options.step, 1);
    return;
  }
  const { durationMs, everyMs = durationMs, timestamp, limit } = options;
  assertNumber('durationMs', durationMs);
  assertNumber('everyMs', everyMs);
  if (durationMs === 0 || everyMs === 0) throw invalid('`durationMs` and `everyMs` must be above 0.');
  if (timestamp !== undefined) assertFunction('timestamp', timestamp);
  if (limit !== undefined) assertWhole('limit', limit, 1);
}

/** Windows by number of items. At the end, a window that was begun and shows an item for the first time is emitted as it is. */
export function createCountWindows({ size, step = size }: CountWindowOptions): Accumulator {
  let items: unknown[] = [];
  /** Items to drop before the next window starts. */
  let gap = 0;
  /** Items in `items` that no window has shown. */
  let unseen = 0;
  return {
    get size() {
      return items.length + gap;
    },
    add(item) {
      if (gap > 0) {
        gap--;
        return NOTHING;
      }
      items.push(item);
      unseen++;
      if (items.length < size) return NOTHING;
      const window = items;
      items = window.slice(step);
      gap = Math.max(step - size, 0);
      unseen = 0;
      return [window];
    },
    due: () => null,
    expire: () => NOTHING,
    end: () => (unseen > 0 ? [items] : NOTHING),
  };
}

/** Windows by time. `overflow` makes the error for more waiting items than the limit. */
export function createTimeWindows(
  options: TimeWindowOptions<unknown>,
  overflow: (limit: number) => Error,
): Accumulator {
  const { durationMs, everyMs = durationMs, timestamp, limit = DEFAULT_LIMIT } = options;
  let items: Timed[] = [];
  /** Start of the oldest open window. */
  let start = NaN;
  const closeUntil = (now: number): unknown[] => {
    const complete: unknown[] = [];
    while (items.length > 0 && start + durationMs <= now) {
      const window = items.filter(({ at }) => at < start + durationMs).map(({ item }) => item);
      if (window.length > 0) complete.push(window);
      start += everyMs;
      items = items.filter(({ at }) => at >= start);
      const first = items[0];
      // Nothing happened for long: the windows between are empty.
      if (first && first.at >= start + durationMs) start = firstWindow(first.at, start, options);
    }
    return complete;
  };
  return {
    get size() {
      return items.length;
    },
    add(item, _, now) {
      const at = timestamp ? timestamp(item) : now;
      if (!Number.isFinite(at)) throw new TypeError(`the time of an item has to be a number of ms, not ${show(at)}`);
      const complete = closeUntil(at);
      if (items.length === 0) start = timestamp ? firstWindow(at, 0, options) : at;
      if (items.length >= limit) throw overflow(limit);
      insert(items, { at: Math.max(at, start), item });
      return complete;
    },
    due: () => (timestamp || items.length === 0 ? null : start + durationMs),
    expire: closeUntil,
    end: () => closeUntil(Infinity),
  };
}

/** Start of the earliest window that holds `at`; windows start at `origin` and every `everyMs` from there. */
function firstWindow(
  at: number,
  origin: number,
  { durationMs, everyMs = durationMs }: TimeWindowOptions<unknown>,
): number {
  const last = origin + Math.floor((at - origin) / everyMs) * everyMs;
  // Of the windows that overlap here, the earliest one.
  const earlier = Math.max(Math.ceil((durationMs - (at - last)) / everyMs) - 1, 0);
  return last - earlier * everyMs;
}

/** Keeps items in the order of their time; nearly all come in it. */
function insert(items: Timed[], item: Timed): void {
  let place = items.length;
  while (place > 0 && (items[place - 1]?.at ?? 0) > item.at) place--;
  items.splice(place, 0, item);
}
