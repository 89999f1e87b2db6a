/** What the append script returned, as the batcher wants it. */
import { StreamError, type StreamHead } from '@perennial/core';

import { decodeResults, type EncodedRequest, storedBefore } from '../codec/append.ts';
import { decodeHead } from '../codec/head.ts';
import { missingRecords } from '../errors.ts';
import type { ScriptAnswer } from '../scripts/script-answer.ts';
import type { BatchAnswer } from './append-batcher.ts';

/**
 * What became of the requests of one append script.
 *
 * @throws `CORRUPT` where the log is not the one that the head belongs to.
 */
export function appended(
  id: string,
  requests: readonly EncodedRequest[],
  { status, reply, known }: ScriptAnswer,
): BatchAnswer {
  if (status === -4) throw missingRecords(id, 'its tail');
  const head = decodeHead(id, reply[1], known);
  return { head, results: decodeResults(requests, head, [reply[2], reply[3]]) };
}

/** What became of requests that took the usual way, which leaves nothing else of a head changed. */
export function usuallyAppended(
  requests: readonly EncodedRequest[],
  known: StreamHead,
  nextPosition: number,
): BatchAnswer {
  if (!(nextPosition > 0))
    throw new StreamError('STORE_ERROR', 'The append script gave an answer that this version does not know.');
  return { head: { ...known, nextPosition }, results: storedBefore(nextPosition, requests) };
}
