import { toResponse } from './answer.ts';
import type { StreamHandlerOptions } from './options.ts';
import { createStreamRouter } from './router.ts';

/**
 * Creates an HTTP handler over a store: the Durable Streams protocol and its extensions (PROTOCOL.md, "The HTTP interface"). It needs
 * nothing but web standards, so any server that speaks `Request` and `Response` can mount it.
 *
 * The handler never rejects. It holds no resources but those of open live responses, which `signal` ends.
 *
 * @throws `INVALID_ARGUMENT` for a limit that is not a whole number above 0.
 * @example
 * const handler = createStreamHandler({ store, basePath: '/api/streams', authorize: (request, { action }) => action === 'read' });
 * export const GET = handler;
 */
export function createStreamHandler(options: StreamHandlerOptions): (request: Request) => Promise<Response> {
  const route = createStreamRouter(options);
  return async (request) => toResponse(await route(request));
}
