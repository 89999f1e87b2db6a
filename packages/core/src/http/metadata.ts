import { absence } from './absence.ts';
import { type StreamHttpAnswer, emptyAnswer } from './answer.ts';
import type { HandlerContext, StreamRequest } from './context.ts';
import { formatEtag } from './etag.ts';
import { formatOffset } from './offsets.ts';
import { stateKey, tailHeaders } from './state.ts';
import { HEADER } from './wire.ts';

/** The last time that has an ISO form. */
const LAST_DATE_MS = 8_640_000_000_000_000;

/** `HEAD {stream}`: everything about a stream but its records. Does not count as use: a ttl runs on. */
export async function handleHead(
  { guard, store, feeds }: HandlerContext,
  { request, id }: StreamRequest,
): Promise<StreamHttpAnswer> {
  await guard(request, id, 'read');
  const head = await store.head(id);
  if (!head) throw await absence(store, id);
  const state = { head, stalled: feeds.isStalled(head) };
  return emptyAnswer(200, {
    'Content-Type': head.contentType,
    'Cache-Control': 'no-store',
    ETag: formatEtag({
      head,
      start: formatOffset(head.firstPosition),
      end: formatOffset(head.nextPosition),
      suffix: `:${stateKey(state)}`,
    }),
    [HEADER.earliestPosition]: String(head.firstPosition),
    ...(head.ttlMs !== null && { [HEADER.ttl]: String(Math.ceil(head.ttlMs / 1_000)) }),
    ...(head.expiresAt !== null &&
      head.expiresAt <= LAST_DATE_MS && { [HEADER.expiresAt]: new Date(head.expiresAt).toISOString() }),
    ...tailHeaders(head, state.stalled),
  });
}
