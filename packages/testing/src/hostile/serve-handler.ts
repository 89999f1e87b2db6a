import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';

/** A web handler behind a real socket. */
export interface ServedHandler {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** Cuts what is open and stops listening. */
  close(): Promise<void>;
}

/**
 * Serves a web-standard handler with `node:http` on a free port of the loopback interface, for tests. Bodies are streamed both ways: a
 * client that does not read holds the handler back, and one that leaves aborts `request.signal`.
 *
 * @example
 * const { url, close } = await serveHandler(createStreamHandler({ store, authorize: () => true }));
 */
export async function serveHandler(handler: (request: Request) => Promise<Response>): Promise<ServedHandler> {
  const server = createServer((message, response) => {
    answer(handler, message, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function answer(
  handler: (request: Request) => Promise<Response>,
  message: IncomingMessage,
  out: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  out.once('close', () => gone.abort());
  const request = toRequest(message, gone.signal);
  if (!request) return void out.writeHead(400).end();
  const response = await handler(request);
  // Whatever the handler did not read has to go, or the client could not finish sending it.
  message.resume();
  out.writeHead(response.status, [...response.headers].flat());
  if (!response.body) return void out.end();
  await pipe(response.body, out);
}

/** Null for what is valid HTTP and no valid `Request`, such as an absolute target of another scheme. */
function toRequest(message: IncomingMessage, signal: AbortSignal): Request | null {
  const { method = 'GET', headersDistinct, headers, url = '/' } = message;
  const hasBody = method !== 'GET' && method !== 'HEAD';
  try {
    return new Request(new URL(url.startsWith('/') ? `http://${headers.host}${url}` : url), {
      method,
      headers: Object.entries(headersDistinct).flatMap(([name, values = []]) =>
        values.map((value): [string, string] => [name, value]),
      ),
      signal,
      ...(hasBody && { body: Readable.toWeb(message) as ReadableStream<Uint8Array>, duplex: 'half' }),
    });
  } catch {
    return null;
  }
}

async function pipe(body: ReadableStream<Uint8Array>, out: ServerResponse): Promise<void> {
  const reader = body.getReader();
  let goOn = (): void => undefined;
  out.on('drain', () => goOn());
  out.once('close', () => {
    goOn();
    void reader.cancel().catch(() => undefined);
  });
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return void out.end();
    if (!out.write(value)) await new Promise<void>((resolve) => (goOn = resolve));
  }
}
