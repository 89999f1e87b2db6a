import type { StreamHttpAnswer } from './answer.ts';
import { handleCatchUp } from './catch-up.ts';
import type { HandlerContext, StreamRequest } from './context.ts';
import { handleLongPoll } from './long-poll.ts';
import { parseReadRequest, type ReadRequest } from './read-request.ts';
import { handleSse } from './sse-response.ts';
import { handleUnopened } from './unopened-read.ts';
import { watchOpening } from './unopened.ts';

/** `GET {stream}` (PROTOCOL.md, "Reading"). */
export async function handleRead(context: HandlerContext, streamRequest: StreamRequest): Promise<StreamHttpAnswer> {
  // First, so that a request which makes no sense is told so whether the stream may be read or not.
  const read = parseReadRequest(streamRequest);
  await context.guard(streamRequest.request, streamRequest.id, 'read');
  try {
    return await readOpened(context, streamRequest, read);
  } catch (error) {
    const watch = await watchOpening(context.store, streamRequest.id, error);
    if (!watch) throw error;
    return handleUnopened(context, streamRequest, { read, watch });
  }
}

function readOpened(
  context: HandlerContext,
  streamRequest: StreamRequest,
  read: ReadRequest,
): Promise<StreamHttpAnswer> {
  switch (read.live) {
    case 'no':
      return handleCatchUp(context, streamRequest, read);
    case 'long-poll':
      return handleLongPoll(context, streamRequest, read);
    case 'sse':
      return handleSse(context, streamRequest, read);
  }
}
