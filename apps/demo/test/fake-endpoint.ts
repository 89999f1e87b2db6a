import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

import { onTestFinished } from 'vitest';
import { z } from 'zod';

const bodySchema = z.object({
  model: z.string(),
  stream: z.literal(true),
  messages: z.array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })),
});

/** A request as the endpoint got it. */
export interface SeenRequest {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: z.infer<typeof bodySchema>;
}

/** What the endpoint does with a request. */
export type Script = (reply: Reply) => void | Promise<void>;

/** Writes a response of the chat completions API, byte by byte as real endpoints do. */
export interface Reply {
  /** An error response. */
  fail(status: number, message: string, headers?: Readonly<Record<string, string>>): void;
  /** A response that is no event stream. */
  page(html: string): void;
  /** One chunk with a piece of the answer. */
  delta(content: string): void;
  /** The chunk that says why the answer ends. */
  finish(reason: string): void;
  /** The chunk of usage figures, which has no choices. */
  usage(): void;
  /** Any bytes. */
  raw(bytes: string): void;
  /** `[DONE]`, and the end of the response. */
  done(): void;
  /** The end of the response, as an endpoint that was stopped gives it. */
  end(): void;
  /** The end of the connection, in the middle of the response. */
  cut(): void;
  /** Resolves once the client has gone. */
  readonly left: Promise<void>;
}

/** Starts an endpoint on a free port of this machine for the length of the test. Each request takes the next script, the last one for ever. */
export async function fakeEndpoint(...scripts: readonly [Script, ...Script[]]) {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const body = bodySchema.parse(JSON.parse(await text(request)));
      seen.push({ url: `${request.method} ${request.url}`, authorization: request.headers.authorization, body });
      await scripts[Math.min(seen.length, scripts.length) - 1]?.(toReply(request, response));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  onTestFinished(stop);
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { baseUrl: `http://127.0.0.1:${port}/v1`, host: `127.0.0.1:${port}`, seen, stop };
}

function toReply(request: IncomingMessage, response: ServerResponse): Reply {
  const begin = (): void => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  };
  const raw = (bytes: string): void => {
    begin();
    response.write(bytes);
  };
  const chunk = (fields: object): void =>
    raw(
      `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', ...fields })}\n\n`,
    );
  const choice = (delta: object, finish_reason: string | null): void =>
    chunk({ choices: [{ index: 0, delta, finish_reason }] });
  return {
    raw,
    fail(status, message, headers = {}) {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify({ error: { message, type: 'error', param: null, code: null } }));
    },
    page(html) {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(html);
    },
    delta: (content) => choice({ role: 'assistant', content }, null),
    finish: (reason) => choice({}, reason),
    usage: () => chunk({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } }),
    done() {
      raw('data: [DONE]\n\n');
      response.end();
    },
    end: () => void response.end(),
    cut: () => void request.socket.destroy(),
    left: new Promise((resolve) => response.once('close', resolve)),
  };
}
