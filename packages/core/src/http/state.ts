import { publicEnd, type StreamEnd } from '../log/end.ts';
import type { StreamHead } from '../log/head.ts';
import { formatOffset } from './offsets.ts';
import { headerJson } from './responses.ts';
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
export function stateHeaders(
  state: StreamState,
  { position, offset = formatOffset(position) }: PageEnd,
): Record<string, string> {
  const { head, stalled } = state;
  const atTail = position >= head.nextPosition;
  return {
    [HEADER.nextOffset]: offset,
    [HEADER.position]: String(position),
    [HEADER.incarnation]: head.incarnation,
    ...(atTail && { [HEADER.upToDate]: 'true' }),
    ...(atTail && head.end && endHeaders(head.end)),
    ...(head.cancel && { [HEADER.cancelRequested]: 'true' }),
    ...(stalled && { [HEADER.stalled]: 'true' }),
  };
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
