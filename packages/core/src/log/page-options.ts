import { assertCounter, assertObject, assertPositive, assertText } from './arguments.ts';
import type { ListOptions, ReadOptions } from './store.ts';

/** Records of a page, and streams of a listing, when the caller names no limit. */
export const DEFAULT_PAGE_LIMIT = 1_000;

/** Payload bytes of a page when the caller names no limit: 1 MiB. */
export const DEFAULT_PAGE_BYTES = 1_048_576;

/** @throws `INVALID_ARGUMENT` unless the options can be read with. */
export function assertReadOptions(options: ReadOptions): void {
  assertObject('options', options);
  assertCounter('from', options.from);
  if (options.limit !== undefined) assertPositive('limit', options.limit);
  if (options.maxBytes !== undefined) assertPositive('maxBytes', options.maxBytes);
}

/** @throws `INVALID_ARGUMENT` unless the options can be listed with. */
export function assertListOptions(options: ListOptions): void {
  assertObject('options', options);
  if (options.prefix !== undefined) assertText('prefix', options.prefix);
  if (options.after !== undefined) assertText('after', options.after);
  if (options.limit !== undefined) assertPositive('limit', options.limit);
}
