import { createPullIterator, type Source, toPull } from '@perennial/core/engine';

import { assertFunction } from '../errors/arguments.ts';

/** A source that can be opened at any position, so that a resumed run reads nothing twice. Made by {@link positionedSource}. */
export interface PositionedSource<T> extends AsyncIterable<T> {
  /** Opens the source so that the first value is the one at `position`. */
  openAt(position: number): Source<T>;
  [Symbol.asyncIterator](): AsyncIterableIterator<T>;
}

/**
 * Makes a resumable source of a function that opens one. Values are counted from `position`; where the opened source has a `position` of
 * its own, as a stream reader has, that one counts.
 *
 * @example
 * positionedSource((startIndex) => getStreamReader<Order>({ store, streamId: 'orders', startIndex }));
 * positionedSource((position) => paths.slice(position));
 */
export function positionedSource<T>(open: (position: number) => Source<T>): PositionedSource<T> {
  assertFunction('open', open);
  return { openAt: open, [Symbol.asyncIterator]: () => createPullIterator(toPull(open(0))) };
}

/** True for what {@link positionedSource} makes. */
export function isPositioned(source: object): source is PositionedSource<unknown> {
  return 'openAt' in source && typeof source.openAt === 'function';
}
