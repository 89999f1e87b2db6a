import { type StreamHttpAnswer, emptyAnswer } from './answer.ts';
import { PAGE_PIECE } from './catch-up.ts';
import type { HandlerContext, StreamRequest } from './context.ts';
import type { RoutedRequest } from './http-request.ts';
import { HttpProblem } from './problem.ts';
import { type OpenedRead, openRead, type ReadRequest } from './read-request.ts';
import { isFinal, placeAt, placeInside, type SseBatch, sseFormat, type SsePlace } from './sse-frames.ts';
import { SseReader } from './sse-reader.ts';
import { stateHeaders } from './state.ts';
import { HEADER } from './wire.ts';

/** `GET {stream}?offset=…&live=sse`: what is there, then what comes, as server-sent events (PROTOCOL.md, "SSE"). */
export async function handleSse(
  context: HandlerContext,
  { request, id }: StreamRequest,
  read: ReadRequest,
): Promise<StreamHttpAnswer> {
  assertServing(context);
  const release = context.slots.take(id);
  try {
    const opened = await openRead(context, id, read, PAGE_PIECE);
    const { place, first } = firstBatch(context, opened);
    if (read.resumed && isFinal(first) && first.records.length === 0 && place.carry.byteLength === 0) {
      // The only answer that keeps an `EventSource` from coming back.
      release();
      return emptyAnswer(204, stateHeaders(first.state, { position: first.to }));
    }
    return respond(context, request, { read, opened, place, first, release });
  } catch (error) {
    release();
    throw error;
  }
}

interface Prepared {
  readonly read: ReadRequest;
  readonly opened: OpenedRead;
  readonly place: SsePlace;
  readonly first: SseBatch;
  readonly release: () => void;
}

function respond(
  context: HandlerContext,
  request: RoutedRequest,
  { read, opened, place, first, release }: Prepared,
): StreamHttpAnswer {
  const { limits, cursors, store, random } = context;
  const { head } = opened;
  const format = sseFormat(read.view, head.contentType);
  const ownCursor = cursors.after(read.cursor);
  const reader = new SseReader({
    feed: context.feeds.open(head),
    format,
    place,
    first,
    read: (position) => store.read(head.id, { ...PAGE_PIECE, from: position }),
    cursor: ownCursor === cursors.current() ? null : () => ownCursor,
    sharedCursor: () => cursors.current(),
    // Readers that came together must not all come back together.
    maxMs: limits.sseMaxMs * (0.9 + 0.1 * random()),
    slowReaderMs: limits.slowReaderMs,
    onClosed: () => {
      release();
      request.signal.removeEventListener('abort', onAbort);
    },
    onError: (error) => context.report(error, request),
  });
  // A disconnect shows as an abort of the request, a cancelled body, or both.
  function onAbort(): void {
    reader.close();
  }
  request.signal.addEventListener('abort', onAbort, { once: true });
  if (request.signal.aborted) reader.close();
  return {
    status: 200,
    body: reader,
    headers: {
      'Content-Type': 'text/event-stream',
      // `no-transform` keeps servers from gzipping events into one big block; the other header does the same for nginx.
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
      [HEADER.incarnation]: head.incarnation,
      ...(format === 'base64' && { [HEADER.sseEncoding]: 'base64' }),
    },
  };
}

function firstBatch(
  { feeds }: HandlerContext,
  { from, byte, records, head }: OpenedRead,
): { readonly place: SsePlace; readonly first: SseBatch } {
  const state = { head, stalled: feeds.isStalled(head) };
  const to = from + records.length;
  if (byte === 0) return { place: placeAt(from), first: { records, to, state } };
  const { place, rest } = placeInside(byte, records);
  return { place, first: { records: rest, to, state } };
}

/** Throws a 503 once the server is closing: a live response would only be cut. */
export function assertServing({ closing }: HandlerContext): void {
  if (closing?.aborted)
    throw new HttpProblem(503, 'STORE_ERROR', 'The server is closing; try again.', { headers: { 'Retry-After': '1' } });
}
