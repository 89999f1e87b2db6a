/** What clients get over SSE and WebSocket: chunks, with a cursor to go on after each, and a few messages about the run itself. */
import {
  getStreamReader,
  isStreamChunk,
  type StreamChunk,
  type StreamEnd,
  type StreamReadError,
  type StreamStore,
} from '@perennial/core';

import { isLastChunk } from '../actor/chunks.ts';
import { invalid, quote } from '../errors.ts';
import { readChunks } from '../remote/chunk-reader.ts';
import { formatCursor, parseCursor } from '../remote/cursor.ts';

/** A message to a client. */
export interface Message {
  /** One JSON object. */
  readonly text: string;
  /** Where to go on after it. */
  readonly cursor: string;
  /** Nothing comes after it. */
  readonly last: boolean;
}

/** What to read. */
export interface MessageSource {
  readonly store: StreamStore;
  readonly streamId: string;
  readonly cursor?: string;
  readonly signal: AbortSignal;
}

/** Streams of runs lie below this; all others are anybody's. */
const RUNS = 'actors/';
/** The cursor before everything. */
const START = formatCursor(parseCursor(undefined));
/** What a client learns of an error that was not meant for it. */
const HIDDEN = { code: 'INTERNAL', message: 'The actor failed.' };

/** The messages of a stream from a cursor on. Ends after the last one. @throws What the store throws, and `ABORTED`. */
export function readMessages(source: MessageSource): AsyncGenerator<Message, void, unknown> {
  return source.streamId.startsWith(RUNS) ? runMessages(source) : valueMessages(source);
}

async function* runMessages({
  store,
  streamId,
  cursor,
  signal,
}: MessageSource): AsyncGenerator<Message, void, unknown> {
  const restarts: number[] = [];
  const at = cursor === undefined ? {} : { cursor };
  let before = cursor ?? START;
  const onRestart = ({ attempt }: { readonly attempt: number }): void => void restarts.push(attempt);
  for await (const next of readChunks({ store, streamId, signal, ...at, onRestart })) {
    // Who leaves between this and the next chunk must learn of the restart again.
    for (const attempt of restarts.splice(0))
      yield { text: JSON.stringify({ type: 'restart', attempt }), cursor: before, last: false };
    before = next.cursor;
    const chunk = next.chunk.type === 'error' ? await publicChunk({ store, streamId, signal }, next.chunk) : next.chunk;
    yield { text: JSON.stringify(chunk), cursor: next.cursor, last: isLastChunk(chunk) };
  }
}

/** An error that the actor reported is for its consumers; one that it threw may say more than they should know. */
async function publicChunk(source: MessageSource, chunk: StreamChunk): Promise<StreamChunk> {
  const { store, streamId, signal } = source;
  const { end } = await store.wait(streamId, { position: Infinity, signal });
  return end?.outcome === 'cancelled' || end?.error?.public ? chunk : { type: 'error', error: HIDDEN };
}

/** Any other stream: each value that is no chunk becomes the data of one. */
async function* valueMessages(source: MessageSource): AsyncGenerator<Message, void, unknown> {
  const { store, streamId, signal } = source;
  let from = positionOf(source.cursor);
  for (let restarted = false; ; restarted = true) {
    if (restarted) yield { text: JSON.stringify({ type: 'restart' }), cursor: '0', last: false };
    const reader = getStreamReader({ store, streamId, startIndex: from, signal });
    for (;;) {
      const result = await reader.read();
      const cursor = String(reader.position);
      if (result.ok) {
        const chunk = isStreamChunk(result.value) ? result.value : { type: 'data', data: result.value };
        // An end of the stream makes its own last chunk.
        if (isStreamChunk(chunk) && isLastChunk(chunk)) {
          yield { text: JSON.stringify(chunk), cursor, last: true };
          return;
        }
        yield { text: JSON.stringify(chunk), cursor, last: false };
      } else if (result.error.type === 'STREAM_SUPERSEDED') {
        break;
      } else {
        yield { text: JSON.stringify(lastChunk(result.error)), cursor, last: true };
        return;
      }
    }
    await reader.close();
    from = 0;
  }
}

function positionOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (!/^\d{1,15}$/.test(cursor))
    throw invalid(`\`cursor\` must be one that came with a message; got ${quote(cursor)}.`);
  return Number(cursor);
}

/** The chunk of a stream's end. Throws what is no end. */
function lastChunk(error: StreamReadError): StreamChunk {
  if (error.type === 'STREAM_ENDED') return { type: 'complete' };
  if (error.type === 'STREAM_CANCELLED') return cancelled(error.end);
  if (error.type !== 'STREAM_FAILED') throw error;
  const { error: failure } = error.end;
  return { type: 'error', error: failure?.public ? { code: failure.code, message: failure.message } : HIDDEN };
}

function cancelled({ reason = 'The work was cancelled.' }: StreamEnd): StreamChunk {
  return { type: 'error', error: { code: 'CANCELLED', message: reason } };
}
