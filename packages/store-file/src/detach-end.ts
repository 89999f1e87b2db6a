import { InvalidArgumentError, quote, type StreamEnd } from '@perennial/core';

/**
 * The end as the log will give it back. Heads use this copy from the start: otherwise an end with more than JSON can carry, or one that
 * its caller changes later, would read differently after a restart.
 *
 * @throws {@link InvalidArgumentError} when JSON cannot carry it at all.
 */
export function detachEnd(end: StreamEnd): StreamEnd {
  try {
    return JSON.parse(JSON.stringify(end)) as StreamEnd;
  } catch {
    throw new InvalidArgumentError('end', `JSON cannot carry this end: ${quote(end)}.`);
  }
}
