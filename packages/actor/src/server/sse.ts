/** Server-sent events without names, so that `EventSource.onmessage` gets them all. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

import type { Message } from './messages.ts';
import type { ResolvedEndpoints } from './options.ts';

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
};

/** What {@link sendEvents} needs. */
export interface EventResponse {
  readonly response: ServerResponse;
  /** Goes before the cursor in the id of each event, so that a reconnect finds the run. */
  readonly idPrefix: string;
  readonly messages: AsyncIterable<Message>;
  readonly limits: ResolvedEndpoints['limits'];
  /** Fires when the client is gone. */
  readonly signal: AbortSignal;
  /** Cuts a client that does not read. */
  readonly cut: () => void;
}

/** Sends messages until the last one or until the client leaves; resolves once the response is over. */
export async function sendEvents(options: EventResponse): Promise<void> {
  const { response, idPrefix, messages, limits } = options;
  response.writeHead(200, HEADERS);
  // The browser comes back by itself after this time; and it learns at once that the connection stands.
  response.write('retry: 1000\n\n');
  let beat = setTimeout(function comment() {
    response.write(': still here\n\n');
    beat = setTimeout(comment, limits.heartbeatMs);
  }, limits.heartbeatMs);
  try {
    for await (const { text, cursor } of messages) {
      beat.refresh();
      // JSON has no line breaks of its own.
      response.write(`id: ${idPrefix}${cursor}\ndata: ${text}\n\n`);
      if (response.writableLength > limits.maxBufferedBytes) await drained(options);
    }
  } finally {
    clearTimeout(beat);
    response.end();
  }
}

async function drained({ response, limits, signal, cut }: EventResponse): Promise<void> {
  const timer = setTimeout(cut, limits.slowClientMs);
  try {
    await once(response, 'drain', { signal });
  } finally {
    clearTimeout(timer);
  }
}
