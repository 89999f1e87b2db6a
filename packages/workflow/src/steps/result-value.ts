import type { Err, Ok, Result } from '@perennial/core';

/** The value of a function that may return a `Result`: its value, or the thing itself. */
export type UnwrapResult<R> = R extends Ok<infer V> ? V : R extends Err<unknown> ? never : R;

/** The error of a function that may return a `Result`; never for one that does not. */
export type ResultError<R> = R extends Err<infer E> ? E : never;

/** Takes a returned value for a `Result` if it is one: an object with just `ok` and `value` or `error`. */
export function unwrapResult(returned: unknown): Result<unknown, unknown> {
  if (typeof returned !== 'object' || returned === null || !('ok' in returned)) return { ok: true, value: returned };
  const keys = Object.keys(returned);
  if (keys.length === 2 && returned.ok === true && 'value' in returned) return { ok: true, value: returned.value };
  if (keys.length === 2 && returned.ok === false && 'error' in returned) return { ok: false, error: returned.error };
  return { ok: true, value: returned };
}
