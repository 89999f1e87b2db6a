import { PARAM } from '../http/wire.ts';
import { InvalidArgumentError, isStreamError, quote, type StreamError } from '../log/errors.ts';
import { type AsyncResult, err, ok } from '../result.ts';
import { type StreamEndpoint, sendRequest, unreachable } from './client-request.ts';
import { toResponseFailure } from './response-error.ts';

/** Options of {@link cancelStream}. */
export interface CancelStreamOptions extends StreamEndpoint {
  /** Why; the end of the stream will tell it to every reader. @default none */
  readonly reason?: string;
  /** Gives up on the request, which may have arrived nevertheless. */
  readonly signal?: AbortSignal;
}

/**
 * Asks the producer of a stream to stop, for all readers and durably (PROTOCOL.md, "Cancel requests"). It resolves when the request is
 * stored; the stream ends when its producer obeys. Asking twice, or for a stream that has ended, does no harm.
 *
 * @example
 * const result = await cancelStream({ url: '/api/streams/chats/42', reason: 'the user pressed Stop' });
 */
export async function cancelStream({
  reason,
  signal,
  ...endpoint
}: CancelStreamOptions): AsyncResult<void, StreamError> {
  if (reason !== undefined && typeof reason !== 'string') {
    return err(new InvalidArgumentError('reason', `A cancel reason must be a string; got ${quote(reason)}.`));
  }
  let response: Response;
  try {
    response = await sendRequest(endpoint, {
      method: 'POST',
      params: { [PARAM.cancel]: '' },
      signal: signal ?? new AbortController().signal,
      ...(reason !== undefined && {
        body: JSON.stringify({ reason }),
        headers: { 'Content-Type': 'application/json' },
      }),
    });
  } catch (error) {
    return err(isStreamError(error) ? error : unreachable(endpoint.url, error));
  }
  if (!response.ok)
    return err((await toResponseFailure(response, { url: endpoint.url, position: 0, now: Date.now() })).error);
  await response.body?.cancel().catch(() => undefined);
  return ok();
}
