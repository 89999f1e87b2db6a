import type { Result } from '@perennial/core';

/** The value of a result; throws its error. */
export function orThrow<T>(result: Result<T, unknown>): T {
  if (!result.ok) throw result.error;
  return result.value;
}
