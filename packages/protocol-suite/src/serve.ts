import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';

/** A web handler behind a real socket. */
export interface Served {
  readonly url: string;
  readonly server: Server;
  close(): Promise<void>;
}

/** Serves a web handler with `node:http` on a free port of the loopback interface. */
export async function serve(handler: (request: Request) => Promise<Response>): Promise<Served> {
  const server = createServer((message, response) => {
    answer(handler, message, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    server,
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
  const response = await handler(toRequest(message, gone.signal));
  // Whatever the handler did not read has to go, or the connection could not be used again.
  message.resume();
  out.writeHead(response.status, [...response.headers].flat());
  if (!response.body) return void out.end();
  await pipe(response.body, out);
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

function toRequest(message: IncomingMessage, signal: AbortSignal): Request {
  const { method = 'GET', headers, url = '/' } = message;
  const list = Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((item): [string, string] => [name, item]),
  );
  const hasBody = method !== 'GET' && method !== 'HEAD';
  return new Request(`http://${headers.host}${url}`, {
    method,
    headers: list,
    signal,
    ...(hasBody && { body: Readable.toWeb(message) as ReadableStream<Uint8Array>, duplex: 'half' }),
  });
}
