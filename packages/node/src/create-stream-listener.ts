import type { IncomingMessage, ServerResponse } from 'node:http';

import { createStreamRouter, normaliseBasePath, type StreamHandlerOptions } from '@perennial/core/http';

import { IncomingRequest } from './incoming-request.ts';
import { targetOf } from './request-target.ts';
import { sendAnswer } from './send-answer.ts';

/**
 * A request listener of `node:http`, and middleware of frameworks that are built on it: given `next`, it passes on what is not below its base
 * path.
 */
export type StreamListener = (message: IncomingMessage, out: ServerResponse, next?: (error?: unknown) => void) => void;

/**
 * Serves streams from `node:http` and what is built on it (PROTOCOL.md, "The HTTP interface"). It takes the options of
 * `createStreamHandler`, does the same, and spares each request the web `Request`, `Response` and streams that a web handler needs.
 *
 * The listener answers every request and never throws. `options.signal` ends live responses before the server closes.
 *
 * @throws `INVALID_ARGUMENT` for a limit that is not a whole number above 0.
 * @example
 * createServer(createStreamListener({ store, authorize: (request, { action }) => action === 'read' })).listen(3000);
 */
export function createStreamListener(options: StreamHandlerOptions): StreamListener {
  const route = createStreamRouter(options);
  const basePath = normaliseBasePath(options.basePath ?? '');
  return (message, out, next) => {
    const target = targetOf(message);
    if (next && !isBelow(target?.path ?? '', basePath)) return next();
    if (!target) return void out.writeHead(400).end();
    if (isSpent(message)) return refuseSpent(options, { message, out, next });
    const request = new IncomingRequest(message, out, target);
    route(request)
      .then((answer) => {
        request.discardBody();
        return sendAnswer(answer, message, out);
      })
      .catch((error: unknown) => out.destroy(error instanceof Error ? error : undefined));
  };
}

function isBelow(path: string, basePath: string): boolean {
  return path === basePath || path.startsWith(`${basePath}/`) || path.startsWith(`${basePath}?`);
}

/** True when somebody has taken the body off the message already. */
function isSpent({ readableDidRead, headers }: IncomingMessage): boolean {
  if (!readableDidRead) return false;
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

interface Exchange {
  readonly message: IncomingMessage;
  readonly out: ServerResponse;
  readonly next: ((error?: unknown) => void) | undefined;
}

/** Waiting for a body that is gone would never end. */
function refuseSpent({ onError }: StreamHandlerOptions, { message, out, next }: Exchange): void {
  const { method = '', url = '' } = message;
  const error = new Error(
    `The body of ${method} ${url} had been read when the stream listener got it. Mount the listener before body parsers.`,
  );
  if (next) return next(error);
  out.writeHead(500).end();
  try {
    onError?.(error, { method, url });
  } catch {
    // There is nobody left to tell.
  }
}
