import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server that answers `POST /v1/embeddings` as OpenAI does. The vector of a text is its length and its number of vowels. */
export interface EmbeddingServer {
  readonly url: string;
  /** Number of texts in each request. */
  readonly requests: number[];
  /** The next requests are refused with this status. */
  refuse(times: number, status: number): void;
  close(): Promise<void>;
}

export async function startEmbeddingServer(): Promise<EmbeddingServer> {
  const requests: number[] = [];
  let refusals = 0;
  let status = 429;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { input, model } = JSON.parse(await text(request)) as { input: string[]; model: string };
    if (request.url !== '/v1/embeddings' || request.method !== 'POST') {
      response.writeHead(404).end();
      return;
    }
    if (refusals > 0) {
      refusals--;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { message: 'Slow down.', type: 'rate_limit', code: 'rate_limit' } }));
      return;
    }
    requests.push(input.length);
    const data = input.map((one, index) => ({ object: 'embedding', index, embedding: embed(one) }));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ object: 'list', model, data, usage: { prompt_tokens: 1, total_tokens: 1 } }));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    refuse(times, code) {
      refusals = times;
      status = code;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export function embed(one: string): number[] {
  return [one.length, one.replaceAll(/[^aeiou]/gi, '').length];
}

/** Asks an OpenAI-compatible server for the vectors of texts. */
export async function generateEmbeddings(
  contents: readonly string[],
  url: string,
  model: string,
): Promise<{ readonly embedding: number[] }[]> {
  const response = await fetch(`${url}/v1/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, input: contents }),
  });
  if (!response.ok) {
    throw Object.assign(new Error(`The server answered ${response.status}.`), {
      code: response.status === 429 ? 'RATE_LIMIT' : 'HTTP_ERROR',
    });
  }
  const { data } = (await response.json()) as { data: { embedding: number[] }[] };
  return data;
}

async function text(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  return body;
}
