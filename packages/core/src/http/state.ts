import { publicEnd, type StreamEnd } from '../log/end.ts';
import type { StreamHead } from '../log/head.ts';
import { headerJson } from './answer.ts';
import { formatOffset } from './offsets.ts';
import { HEADER, type WireEnd } from './wire.ts';

/** What a reader is told about a stream besides its records. */
export interface StreamState {
  readonly head: StreamHead;
  /** The lease has lapsed and it is not for this server to end the stream. */
  readonly stalled: boolean;
}

/** Longest text of an end in a header; SSE and the store port carry all of it. Node's clients take 16 KB of headers in all. */
const MAX_HEADER_TEXT = 512;

/** An end as readers may see it (PROTOCOL.md, "The end"). */
export function toWireEnd(end: StreamEnd): WireEnd {
  const { outcome, error, reason } = publicEnd(end);
  return {
    outcome,
    ...(error && { error: { code: error.code, message: error.message } }),
    ...(reason !== undefined && { reason }),
  };
}

/** Names the state that is not in the records: equal keys need no news. */
export function stateKey({ head, stalled }: StreamState): string {
  return `${head.end ? 'e' : ''}${head.cancel ? 'c' : ''}${stalled ? 's' : ''}`;
}

/** Where a response stands. */
export interface PageEnd {
  /** Position after the last record sent. */
  readonly position: number;
  /** Offset after the last byte sent. @default the offset of `position` */
  readonly offset?: string;
}

/** Headers that describe a stream at the place where a response stops. The end shows only once everything before it was sent. */
export function stateHeaders(state: StreamState, end: PageEnd): Record<string, string> {
  const headers = placeHeaders(state, end);
  if (end.position >= state.head.nextPosition) headers[HEADER.upToDate] = 'true';
  return headers;
}

/** Headers of answers that tell about the tail without carrying records: it is no promise to a reader that it has everything. */
export function tailHeaders(head: StreamHead, stalled = false): Record<string, string> {
  return placeHeaders({ head, stalled }, { position: head.nextPosition });
}

function placeHeaders(
  { head, stalled }: StreamState,
  { position, offset = formatOffset(position) }: PageEnd,
): Record<string, string> {
  const headers: Record<string, string> = {
    [HEADER.nextOffset]: offset,
    [HEADER.position]: String(position),
    [HEADER.incarnation]: head.incarnation,
  };
  if (head.end && position >= head.nextPosition) Object.assign(headers, endHeaders(head.end));
  if (head.cancel) headers[HEADER.cancelRequested] = 'true';
  if (stalled) headers[HEADER.stalled] = 'true';
  return headers;
}

/** Headers that say how a stream ended. */
function endHeaders(end: StreamEnd): Record<string, string> {
  const { outcome, error, reason } = toWireEnd(end);
  const short: WireEnd = {
    outcome,
    ...(error && { error: { code: cut(error.code), message: cut(error.message) } }),
    ...(reason !== undefined && { reason: cut(reason) }),
  };
  return { [HEADER.closed]: 'true', [HEADER.end]: headerJson(short) };
}

function cut(text: string): string {
  return text.length > MAX_HEADER_TEXT ? text.slice(0, MAX_HEADER_TEXT).toWellFormed() : text;
}
