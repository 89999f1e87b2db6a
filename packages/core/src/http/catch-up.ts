import { isJsonContentType, mediaType } from '../log/codec.ts';
import { isStreamNotFound } from '../log/errors.ts';
import { recordSize, type StreamRecord } from '../log/record.ts';
import { type StreamHttpAnswer, emptyAnswer } from './answer.ts';
import type { HandlerContext, StreamRequest } from './context.ts';
import { formatEtag, matchesEtag } from './etag.ts';
import { formatOffset } from './offsets.ts';
import { createPageBody } from './page-body.ts';
import { createPageEncoder } from './page-encoder.ts';
import { type OpenedRead, openRead, type ReadRequest } from './read-request.ts';
import { stateHeaders, stateKey } from './state.ts';
import { HEADER } from './wire.ts';

/** What is read from the store, and held in memory, at once. */
export const PAGE_PIECE = { limit: 1_000, maxBytes: 262_144 } as const;

const REVALIDATE = 'private, no-cache';

/** `GET {stream}?offset=…`: a page of what is there (PROTOCOL.md, "Catch-up"). */
export async function handleCatchUp(
  context: HandlerContext,
  streamRequest: StreamRequest,
  read: ReadRequest,
): Promise<StreamHttpAnswer> {
  const opened = await openRead(context, streamRequest.id, read, PAGE_PIECE);
  return pageResponse(context, streamRequest, { read, opened });
}

/** What a page is made from. */
export interface PageSource {
  readonly read: ReadRequest;
  readonly opened: OpenedRead;
}

/** Answers with the page that starts with `opened`. Its end is fixed before the first byte leaves, so that it can say what it holds. */
export function pageResponse(
  context: HandlerContext,
  { request, id }: StreamRequest,
  { read, opened }: PageSource,
): StreamHttpAnswer {
  const { head, from, byte, records } = opened;
  const to = pageEnd(context, opened);
  const atTail = to >= head.nextPosition;
  const state = { head, stalled: context.feeds.isStalled(head) };
  const headers = stateHeaders(state, { position: to });
  if (read.live === 'long-poll') headers[HEADER.cursor] = context.cursors.after(read.cursor);
  if (read.start.kind === 'tail') {
    // The answer to "now" is another one a moment later.
    headers['Cache-Control'] = 'no-store';
  } else {
    headers['ETag'] = formatEtag({
      head,
      start: formatOffset(from, byte),
      end: formatOffset(to),
      suffix: atTail ? `:${stateKey(state)}` : '',
    });
    headers['Cache-Control'] = atTail && read.live === 'no' ? REVALIDATE : context.cacheControl;
    if (matchesEtag(request, headers['ETag'])) return emptyAnswer(304, headers);
  }
  const encoder = createPageEncoder({ view: read.view, contentType: head.contentType, skipBytes: byte });
  headers['Content-Type'] = encoder.contentType;
  const body = createPageBody({
    encoder,
    records,
    to,
    read: (position) => context.store.read(id, { ...PAGE_PIECE, from: position }),
    incarnation: head.incarnation,
    onError: (error) => {
      if (!isStreamNotFound(error)) context.report(error, request);
    },
  });
  // Keep a browser from running what a writer stored, when somebody opens the stream's URL.
  headers['Content-Security-Policy'] = "default-src 'none'; sandbox";
  if (!isHarmless(encoder.contentType)) headers['Content-Disposition'] = 'attachment';
  return { status: 200, headers, body };
}

/** Position after the page: the tail if it is near, else as many records as `pageBytes` should hold, judging by the first ones. */
function pageEnd({ limits: { pageRecords, pageBytes } }: HandlerContext, { from, records, head }: OpenedRead): number {
  const tail = Math.max(head.nextPosition, from);
  const count = records.length;
  if (from + count >= tail) return Math.min(tail, from + pageRecords);
  const bytes = records.reduce((sum: number, record: StreamRecord) => sum + recordSize(record), 0);
  const fitting = Math.floor(pageBytes / Math.max(1, bytes / count));
  return Math.min(tail, from + Math.min(pageRecords, Math.max(count, fitting)));
}

function isHarmless(contentType: string): boolean {
  return isJsonContentType(contentType) || mediaType(contentType) === 'text/plain';
}
