import { parseOffset } from '../http/offsets.ts';
import { HEADER } from '../http/wire.ts';
import type { StreamEnd } from '../log/end.ts';
import { quote, StreamError } from '../log/errors.ts';
import { isCount, isObject } from './received-record.ts';

/** What a control event or the headers of an answer say about a stream. */
export interface RemoteState {
  /** Position after the last record sent so far. */
  readonly position: number;
  /** How the stream ended; null while it is open or records are still to come. */
  readonly end: StreamEnd | null;
  /** Nothing more was there when this was sent. */
  readonly upToDate: boolean;
  /** The producer shows no sign of life and its owner has not ended the stream yet. */
  readonly stalled: boolean;
  /** Somebody asked the producer to stop. */
  readonly cancelRequested: boolean;
  /** To be sent with the next live request, for caches; null when there is none. */
  readonly cursor: string | null;
}

/**
 * Parses a control event (PROTOCOL.md, "Control events").
 *
 * @throws {@link StreamError} `CORRUPT` for anything else.
 */
export function parseControl(text: string): RemoteState {
  const control = parseJson(text, 'a control event');
  if (!isObject(control)) throw corrupt('a control event', text);
  const state = isObject(control['perennial']) ? control['perennial'] : {};
  const offset = typeof control['streamNextOffset'] === 'string' ? parseOffset(control['streamNextOffset']) : null;
  const position = state['position'] ?? offset?.position;
  if (!isCount(position)) throw corrupt('a control event', text);
  return {
    position,
    // `streamClosed` alone is no end: it does not say how, and an end nobody wrote down must not be made up.
    end: state['end'] === undefined ? null : toEnd(state['end']),
    upToDate: control['upToDate'] === true || control['streamClosed'] === true,
    stalled: state['stalled'] === true,
    cancelRequested: state['cancelRequested'] === true,
    cursor: typeof control['streamCursor'] === 'string' ? control['streamCursor'] : null,
  };
}

/**
 * Reads the headers of a catch-up or long-poll answer (PROTOCOL.md, "Headers").
 *
 * @throws {@link StreamError} `CORRUPT` when they do not say where the answer stops.
 */
export function readStateHeaders(headers: Headers): RemoteState {
  const position = Number(headers.get(HEADER.position) ?? NaN);
  if (!isCount(position))
    throw new StreamError(
      'CORRUPT',
      `The server's answer has no valid \`${HEADER.position}\` header. Check that the URL is that of a Perennial stream, and that CORS exposes its headers.`,
    );
  const end = headers.get(HEADER.end);
  return {
    position,
    end: end === null ? null : toEnd(parseJson(end, `the ${HEADER.end} header`)),
    upToDate: headers.get(HEADER.upToDate) === 'true',
    stalled: headers.get(HEADER.stalled) === 'true',
    cancelRequested: headers.get(HEADER.cancelRequested) === 'true',
    cursor: headers.get(HEADER.cursor),
  };
}

function toEnd(value: unknown): StreamEnd {
  if (!isObject(value)) throw corrupt('an end', JSON.stringify(value));
  const { outcome, error, reason } = value;
  if (outcome !== 'completed' && outcome !== 'failed' && outcome !== 'cancelled')
    throw corrupt('an end', JSON.stringify(value));
  const failure =
    isObject(error) && typeof error['code'] === 'string' && typeof error['message'] === 'string'
      ? { code: error['code'], message: error['message'], public: true as const }
      : null;
  return { outcome, ...(failure && { error: failure }), ...(typeof reason === 'string' && { reason }) };
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw corrupt(what, text, cause);
  }
}

function corrupt(what: string, text: string, cause?: unknown): StreamError<'CORRUPT'> {
  return new StreamError('CORRUPT', `The server sent ${what} that cannot be understood: ${quote(text)}.`, { cause });
}
