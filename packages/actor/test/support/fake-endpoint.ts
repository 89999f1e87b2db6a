import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A local endpoint; `answer` is called for each request, counted from 0. */
export interface FakeEndpoint {
  readonly baseUrl: string;
  readonly requests: { readonly body: Record<string, unknown>; readonly headers: IncomingMessage['headers'] }[];
  /** Resolves once a request's connection was closed by the client. */
  readonly hungUp: Promise<void>;
  close(): Promise<void>;
}

/** Starts an endpoint on a free loopback port. */
export async function startEndpoint(answer: (response: ServerResponse, index: number) => void): Promise<FakeEndpoint> {
  const requests: FakeEndpoint['requests'] = [];
  let hangUp: () => void;
  const hungUp = new Promise<void>((resolve) => (hangUp = resolve));
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    response.on('close', () => {
      if (!response.writableFinished) hangUp();
    });
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      requests.push({
        body: JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>,
        headers: request.headers,
      });
      answer(response, requests.length - 1);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests,
    hungUp,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A chunk as endpoints send it. */
export function tokenEvent(content: string | null, finishReason: string | null = null): string {
  return event({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'test-1',
    choices: [{ index: 0, delta: content === null ? {} : { content }, finish_reason: finishReason }],
  });
}

/** The last chunk, with the count of tokens and without choices. */
const USAGE_EVENT: string = event({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'test-1',
  choices: [],
  usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
});

/** One server-sent event. */
export function event(payload: unknown): string {
  return `data: ${typeof payload === 'string' ? payload : JSON.stringify(payload)}\n\n`;
}

/** Begins a streamed answer. */
export function beginStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
}

/** A whole streamed answer. */
export function sendTokens(response: ServerResponse, tokens: readonly string[]): void {
  beginStream(response);
  response.end(
    [...tokens.map((token) => tokenEvent(token)), tokenEvent(null, 'stop'), USAGE_EVENT, event('[DONE]')].join(''),
  );
}
