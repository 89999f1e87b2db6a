import { toPull } from '@perennial/core/engine';

import { invalid, show } from '../errors/arguments.ts';
import { isPositioned } from '../stages/positioned-source.ts';
import { once, type PipelineSource } from '../stages/source-link.ts';

/** What a run reads. */
export interface RunInput {
  readonly source: PipelineSource<unknown>;
  /** The item, when the run was started with one. */
  readonly single: { readonly item: unknown } | null;
}

/** An async iterable, a stream of the web or a reader is a stream of items; anything else is one item, arrays and strings too. */
export function inputOf(input: unknown): RunInput {
  if (typeof input === 'object' && input !== null) {
    // Not every browser has made web streams iterable.
    if (Symbol.asyncIterator in input || input instanceof ReadableStream)
      return streamOf(input as AsyncIterable<unknown>);
  }
  return itemOf(input);
}

/**
 * A source, whatever it looks like.
 *
 * @throws `INVALID_ARGUMENT` for what cannot be one.
 */
export function streamOf(source: PipelineSource<unknown>): RunInput {
  if (typeof source !== 'object' || source === null) {
    throw invalid(`A source is a reader, an (async) iterable or a web stream; got ${show(source)}.`);
  }
  return { source, single: null };
}

/** One item, whatever it looks like. */
export function itemOf(item: unknown): RunInput {
  return { source: once(item), single: { item } };
}

/** Closes the source of a run that never pulled. */
export function closeUnopened({ source, single }: RunInput): void | Promise<void> {
  if (single || isPositioned(source)) return undefined;
  return toPull(source).close();
}
