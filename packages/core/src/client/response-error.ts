import { HEADER } from '../http/wire.ts';
import { StreamError, type StreamErrorCode, StreamGapError, StreamNotFoundError } from '../log/errors.ts';
import { parseRetryAfter } from './backoff.ts';
import { isCount, isObject } from './received-record.ts';

/** What an answer that is no success means for a connection. */
export type ResponseFailure =
  /** The same request may succeed later. */
  | { readonly type: 'dropped'; readonly error: StreamError; readonly retryAfterMs: number | null }
  /** There is no such stream, or not yet. */
  | { readonly type: 'not-found'; readonly error: StreamNotFoundError }
  /** Asking again would not help. */
  | { readonly type: 'fatal'; readonly error: StreamError };

/** Longest part of an error body that is read. */
const MAX_BODY_LENGTH = 4_096;

/**
 * Sorts an answer with an error status (PROTOCOL.md, "Error answers").
 *
 * @param position Position that was asked for.
 * @param now Milliseconds since the Unix epoch.
 */
export async function toResponseFailure(
  response: Response,
  { url, position, now }: { readonly url: string; readonly position: number; readonly now: number },
): Promise<ResponseFailure> {
  const { status, headers } = response;
  const details = await readDetails(response);
  const said = details.message === '' ? '' : `: ${details.message}`;
  switch (status) {
    case 404:
      return { type: 'not-found', error: new StreamNotFoundError(url) };
    case 401:
    case 403:
      return {
        type: 'fatal',
        error: new StreamError('FORBIDDEN', `The server refused access to the stream at ${url} (${status})${said}`),
      };
    case 410: {
      if (details.code === 'NOT_FOUND')
        return { type: 'not-found', error: new StreamNotFoundError(url, { retained: true }) };
      const earliest = Number(headers.get(HEADER.earliestPosition) ?? details.earliestPosition);
      return {
        type: 'fatal',
        error: isCount(earliest)
          ? new StreamGapError(url, position, earliest)
          : new StreamError('GAP', `The stream at ${url} no longer has position ${position}${said}`),
      };
    }
    case 408:
    case 425:
    case 429:
      return {
        type: 'dropped',
        error: serverError(url, status, said),
        retryAfterMs: parseRetryAfter(headers.get('Retry-After'), now),
      };
    default:
      if (status >= 500)
        return {
          type: 'dropped',
          error: serverError(url, status, said),
          retryAfterMs: parseRetryAfter(headers.get('Retry-After'), now),
        };
      return {
        type: 'fatal',
        error: new StreamError(
          status === 400 ? 'INVALID_ARGUMENT' : refusalCode(details.code),
          `The server refused to read the stream at ${url} (${status})${said}`,
        ),
      };
  }
}

function serverError(url: string, status: number, said: string): StreamError {
  return new StreamError('STORE_ERROR', `The server of the stream at ${url} answered ${status}${said}`);
}

/** Codes of refusals that a reader or a canceller can meet; everything else is a server that speaks another language. */
const REFUSALS: readonly StreamErrorCode[] = ['LIMIT_EXCEEDED', 'FORBIDDEN', 'CONTENT_TYPE', 'CLOSED'];

function refusalCode(code: string): StreamErrorCode {
  return REFUSALS.find((known) => known === code) ?? 'UNSUPPORTED';
}

interface Details {
  readonly code: string;
  readonly message: string;
  readonly earliestPosition: number;
}

async function readDetails(response: Response): Promise<Details> {
  const nothing: Details = { code: '', message: '', earliestPosition: NaN };
  if (!response.headers.get('Content-Type')?.includes('json')) {
    await response.body?.cancel().catch(() => undefined);
    return nothing;
  }
  try {
    const text = await response.text();
    const body: unknown = text.length > MAX_BODY_LENGTH ? null : JSON.parse(text);
    const error = isObject(body) && isObject(body['error']) ? body['error'] : {};
    const { code, message, earliestPosition } = error;
    return {
      code: typeof code === 'string' ? code : '',
      message: typeof message === 'string' ? message : '',
      earliestPosition: Number(earliestPosition ?? NaN),
    };
  } catch {
    // The status says enough; a cut or malformed body only costs the explanation.
    return nothing;
  }
}
