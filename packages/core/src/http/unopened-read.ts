import { isStreamNotFound } from '../log/errors.ts';
import { type StreamHttpAnswer, jsonAnswer } from './answer.ts';
import type { HandlerContext, StreamRequest } from './context.ts';
import { noNews, handleLongPoll } from './long-poll.ts';
import { formatOffset } from './offsets.ts';
import { notFound } from './problem.ts';
import type { ReadRequest } from './read-request.ts';
import { assertServing, handleSse } from './sse-response.ts';
import { stateHeaders, stateKey } from './state.ts';
import { UnopenedSse } from './unopened-sse.ts';
import type { OpeningWatch } from './unopened.ts';
import { HEADER } from './wire.ts';

/** Reads a stream that its run has not opened yet (PROTOCOL.md, "Runs"). */
export function handleUnopened(
  context: HandlerContext,
  streamRequest: StreamRequest,
  { read, watch }: { readonly read: ReadRequest; readonly watch: OpeningWatch },
): Promise<StreamHttpAnswer> | StreamHttpAnswer {
  // Whatever came, came after the request.
  const start = read.start.kind === 'offset' ? read.start : ({ kind: 'offset', position: 0, byte: 0 } as const);
  const next: ReadRequest = { ...read, start, resumed: false };
  switch (read.live) {
    case 'no':
      return emptyPage(read, watch);
    case 'long-poll':
      return waitLongPoll(context, streamRequest, { read: next, watch });
    case 'sse':
      return waitSse(context, streamRequest, { read: next, watch });
  }
}

/** Only in the records view, which is JSON whatever the content type of the stream will be. */
function emptyPage({ view }: ReadRequest, { state }: OpeningWatch): StreamHttpAnswer {
  if (view !== 'records') throw notFound();
  const headers = { ...stateHeaders(state, { position: 0 }), 'Cache-Control': 'no-store' };
  return withoutIncarnation(jsonAnswer(200, '[]', headers));
}

interface Waiting {
  readonly read: ReadRequest;
  readonly watch: OpeningWatch;
}

async function waitLongPoll(
  context: HandlerContext,
  streamRequest: StreamRequest,
  { read, watch }: Waiting,
): Promise<StreamHttpAnswer> {
  assertServing(context);
  const { request, id } = streamRequest;
  const release = context.slots.take(id);
  const patience = new AbortController();
  const stop = (): void => patience.abort();
  const timer = setTimeout(stop, context.limits.longPollMs);
  const signals = [request.signal, context.closing].filter((signal) => signal !== undefined);
  for (const signal of signals) signal.addEventListener('abort', stop, { once: true });
  const before = stateKey(watch.state);
  try {
    const opening = await watch.follow(patience.signal, (state) => {
      if (stateKey(state) !== before) stop();
    });
    if (opening.kind === 'gone') throw notFound();
    if (opening.kind === 'opened') {
      release();
      return await handleLongPoll(context, streamRequest, read);
    }
  } catch (error) {
    if (!patience.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
    for (const signal of signals) signal.removeEventListener('abort', stop);
    release();
  }
  return withoutIncarnation(noNews(context, read, { from: 0, state: watch.state }));
}

function waitSse(context: HandlerContext, streamRequest: StreamRequest, { read, watch }: Waiting): StreamHttpAnswer {
  assertServing(context);
  const { request, id } = streamRequest;
  const { limits, cursors, random } = context;
  const release = context.slots.take(id);
  const waiting = new UnopenedSse({
    watch,
    format: read.view === 'records' ? 'records' : 'json',
    heartbeatMs: limits.heartbeatMs,
    maxMs: limits.sseMaxMs * (0.9 + 0.1 * random()),
    cursor: () => cursors.after(read.cursor),
    open: async () => {
      release();
      return handleSse(context, streamRequest, read);
    },
    onClosed: () => {
      release();
      request.signal.removeEventListener('abort', onAbort);
      context.closing?.removeEventListener('abort', onAbort);
    },
    onError: (error) => {
      if (!isStreamNotFound(error)) context.report(error, request);
    },
  });
  function onAbort(): void {
    waiting.close();
  }
  request.signal.addEventListener('abort', onAbort, { once: true });
  context.closing?.addEventListener('abort', onAbort, { once: true });
  if (request.signal.aborted) waiting.close();
  return {
    status: 200,
    body: waiting,
    headers: {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
      [HEADER.nextOffset]: formatOffset(0),
    },
  };
}

/** The stream has no incarnation yet, and that of its journal must not be taken for one. */
function withoutIncarnation({ headers, ...answer }: StreamHttpAnswer): StreamHttpAnswer {
  const { [HEADER.incarnation]: _, ...others } = headers;
  return { ...answer, headers: others };
}
