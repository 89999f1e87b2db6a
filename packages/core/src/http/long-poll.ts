import { isStreamNotFound } from '../log/errors.ts';
import { type StreamHttpAnswer, emptyAnswer } from './answer.ts';
import { PAGE_PIECE, pageResponse } from './catch-up.ts';
import type { HandlerContext, StreamRequest } from './context.ts';
import { formatOffset } from './offsets.ts';
import { type OpenedRead, openRead, type ReadRequest } from './read-request.ts';
import { assertServing } from './sse-response.ts';
import { type StreamState, stateHeaders } from './state.ts';
import { HEADER } from './wire.ts';

const LIVE_HEADERS = { 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' } as const;

/** `GET {stream}?offset=…&live=long-poll`: a page as soon as there is one, 204 when there is none in time (PROTOCOL.md, "Long-poll"). */
export async function handleLongPoll(
  context: HandlerContext,
  streamRequest: StreamRequest,
  read: ReadRequest,
): Promise<StreamHttpAnswer> {
  assertServing(context);
  const opened = await openRead(context, streamRequest.id, read, PAGE_PIECE);
  if (opened.records.length > 0) return pageResponse(context, streamRequest, { read, opened });
  const { head, from } = opened;
  if (head.end && from >= head.nextPosition) return noNews(context, read, { from, state: { head, stalled: false } });

  const news = await waitForNews(context, streamRequest, opened);
  if (news.kind === 'state') return noNews(context, read, { from, state: news.state });
  // The wait was for what comes after `from`, also where the request said "now".
  const next: ReadRequest = { ...read, start: { kind: 'offset', position: from, byte: 0 } };
  const arrived = news.kind === 'records' ? news.opened : await openRead(context, streamRequest.id, next, PAGE_PIECE);
  if (arrived.records.length === 0)
    return noNews(context, read, { from, state: { head: arrived.head, stalled: false } });
  return pageResponse(context, streamRequest, { read: next, opened: arrived });
}

type News =
  /** Something is there beyond what was waited for. */
  | { readonly kind: 'records'; readonly opened: OpenedRead }
  /** Something is there, and has to be read. */
  | { readonly kind: 'read' }
  /** The end, a mark, or nothing in time. */
  | { readonly kind: 'state'; readonly state: StreamState };

async function waitForNews(
  context: HandlerContext,
  { request, id }: StreamRequest,
  { head, from }: OpenedRead,
): Promise<News> {
  const release = context.slots.take(id);
  const feed = context.feeds.open(head);
  const { promise, resolve, reject } = Promise.withResolvers<News>();
  const stay = (): void => resolve({ kind: 'state', state: feed.state });
  const detach = feed.subscribe({
    onBatch(batch) {
      if (batch.from === from && batch.records.length > 0)
        resolve({ kind: 'records', opened: { from, byte: 0, records: batch.records, head: batch.state.head } });
      else if (batch.to > from) resolve({ kind: 'read' });
      else if (batch.state.head.end) stay();
    },
    onState: stay,
    onHeartbeat: () => undefined,
    onGone: (error) => (isStreamNotFound(error) ? reject(error) : stay()),
  });
  const timer = setTimeout(stay, context.limits.longPollMs);
  request.signal.addEventListener('abort', stay, { once: true });
  try {
    // A feed that was there before may be ahead of what this request has read.
    const { end, nextPosition } = feed.state.head;
    if (feed.position > from || (end && from >= nextPosition)) resolve({ kind: 'read' });
    return await promise;
  } finally {
    clearTimeout(timer);
    request.signal.removeEventListener('abort', stay);
    detach();
    release();
  }
}

/** The answer when nothing has come in time. */
export function noNews(
  { cursors }: HandlerContext,
  read: ReadRequest,
  { from, state }: { readonly from: number; readonly state: StreamState },
): StreamHttpAnswer {
  return emptyAnswer(204, {
    ...LIVE_HEADERS,
    [HEADER.cursor]: cursors.after(read.cursor),
    ...stateHeaders(state, { position: from, offset: formatOffset(from) }),
    // Also where the reader is ahead of the tail: it has all there is.
    [HEADER.upToDate]: 'true',
  });
}
