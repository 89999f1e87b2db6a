import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';

import { isLiveBody, type LiveBody, type StreamHttpAnswer } from '@perennial/core/http';

import { isGone } from './is-gone.ts';

/** Sends an answer as the response to a message. Resolves once all of it has been written, or has been given to who writes it. */
export async function sendAnswer(
  answer: StreamHttpAnswer,
  message: IncomingMessage,
  out: ServerResponse,
): Promise<void> {
  const { status, headers, cookies, body } = answer;
  if (cookies?.length) out.setHeader('Set-Cookie', cookies);
  // HTTP/2 has no reason phrases, and warns of them. And what wraps this method may take a second argument that is no text for the headers.
  const reason = message.httpVersionMajor === 1 ? answer.statusText : '';
  const writeHead = (given: OutgoingHttpHeaders): ServerResponse =>
    reason ? out.writeHead(status, reason, given) : out.writeHead(status, given);
  if (isLiveBody(body)) return sendLive(body, () => writeHead(headers), out);
  const isBodiless = status === 204 || status === 304 || message.method === 'HEAD';
  if (body instanceof ReadableStream) {
    writeHead(headers);
    if (!isBodiless) return pipeline(body, out);
    out.end();
    // How its maker takes that is no reason to cut the answer.
    return body.cancel().catch(() => undefined);
  }
  // Node sends a body without a length in chunks, once there are headers; and an answer that may not have a body has no length either.
  if (isBodiless) writeHead(headers).end();
  else writeHead({ ...headers, [lengthName(headers)]: lengthOf(body) }).end(body ?? undefined);
}

/** A hook's answer may have a length already, and all its names are in lower case. Two lengths are none. */
function lengthName(headers: StreamHttpAnswer['headers']): string {
  return 'content-length' in headers ? 'content-length' : 'Content-Length';
}

function lengthOf(body: string | Uint8Array | null): number {
  if (body === null) return 0;
  return typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
}

function sendLive(body: LiveBody, writeHead: () => void, out: ServerResponse): void {
  if (isGone(out)) return body.close();
  writeHead();
  out.on('drain', () => body.onDrain());
  out.once('close', () => body.close());
  body.start({
    // Others hold the response too: a server that closes may end it, and a write after that is an error that nobody hears of.
    write: (chunk) => !out.writableEnded && out.write(chunk),
    end: () => out.end(),
    fail: (error) => out.destroy(error),
  });
}
