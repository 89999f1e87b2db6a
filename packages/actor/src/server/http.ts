import type { IncomingMessage, ServerResponse } from 'node:http';

import { quote } from '../errors.ts';
import type { Guard } from './guard.ts';
import { readMessages } from './messages.ts';
import type { ResolvedEndpoints } from './options.ts';
import { Refusal, type Route, routeOf } from './routes.ts';
import type { Runs } from './runs.ts';
import { sendEvents } from './sse.ts';

/** What all connections share. */
export interface EndpointParts {
  readonly options: ResolvedEndpoints;
  readonly guard: Guard;
  readonly runs: Runs;
  /** Fires when the endpoints close. */
  readonly closing: AbortSignal;
}

/** One request. */
export interface Exchange extends EndpointParts {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}

/** Between the stream's id and the cursor in the id of an event; both are free of it. */
const SEPARATOR = ' ';

/** Answers a request to one of the endpoints. Never rejects. */
export async function serveHttp(exchange: Exchange): Promise<void> {
  const { request, response, url, guard, options } = exchange;
  try {
    const route = routeOf(url, options.basePath);
    if (!route) throw new Refusal(404, 'NOT_FOUND', 'There is nothing here.');
    allowOrigin(exchange);
    if (request.method === 'OPTIONS') response.writeHead(204).end();
    else await serveRoute(exchange, route);
  } catch (error) {
    // Whoever left, or is cut because the server closes, needs no answer.
    if (response.headersSent || response.destroyed || exchange.closing.aborted) response.destroy();
    else refuse(response, guard.refusalOf(error));
  }
}

async function serveRoute(exchange: Exchange, route: Route): Promise<void> {
  if (route.kind === 'cancel') return cancel(exchange, route.streamId);
  // Before anything is started that nobody could follow.
  const release = exchange.guard.connect();
  try {
    if (route.kind === 'actor') await serveActor(exchange, route.actorType);
    else await serveStream(exchange, route.streamId);
  } finally {
    release();
  }
}

async function cancel({ request, response, guard, runs }: Exchange, streamId: string): Promise<void> {
  assertMethod(request, 'POST');
  guard.assertOrigin(request);
  await guard.authorize(request, { action: 'cancel', streamId });
  await runs.cancel(streamId);
  response.writeHead(204).end();
}

async function serveStream(exchange: Exchange, streamId: string): Promise<void> {
  const { request, url, guard } = exchange;
  assertMethod(request, 'GET');
  await guard.authorize(request, { action: 'read', streamId });
  const cursor = lastEventId(request)?.cursor ?? url.searchParams.get('cursor') ?? undefined;
  await follow(exchange, streamId, cursor);
}

/** Starts a run and follows it; a browser that comes back follows the run it had. */
async function serveActor(exchange: Exchange, actorType: string): Promise<void> {
  const { request, url, guard, runs } = exchange;
  assertMethod(request, 'GET', 'POST');
  guard.assertOrigin(request);
  const last = lastEventId(request);
  if (last) {
    if (!last.streamId.startsWith(`actors/${encodeURIComponent(actorType)}/`))
      throw new Refusal(400, 'INVALID_ARGUMENT', `\`Last-Event-ID\` names no run of ${quote(actorType)}.`);
    await guard.authorize(request, { action: 'read', actorType, streamId: last.streamId });
    await follow(exchange, last.streamId, last.cursor);
    return;
  }
  await guard.authorize(request, { action: 'run', actorType });
  const text = request.method === 'POST' ? await bodyOf(exchange) : (url.searchParams.get('input') ?? '');
  await follow(exchange, await runs.start(actorType, parseInput(text)));
}

async function follow(exchange: Exchange, streamId: string, cursor?: string): Promise<void> {
  const { response, options, closing } = exchange;
  const { store, limits } = options;
  const head = await store.head(streamId);
  if (!head) throw new Refusal(404, 'NOT_FOUND', 'There is no such stream.');
  // An `EventSource` that is told "no content" does not come back.
  if (head.end && cursor !== undefined && Number.parseInt(cursor, 10) >= head.nextPosition) {
    response.writeHead(204).end();
    return;
  }
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, closing]);
  const messages = readMessages({ store, streamId, signal, ...(cursor !== undefined && { cursor }) });
  const idPrefix = `${encodeURIComponent(streamId)}${SEPARATOR}`;
  await sendEvents({ response, idPrefix, messages, limits, signal, cut: () => response.destroy() });
}

function lastEventId(request: IncomingMessage): { readonly streamId: string; readonly cursor: string } | null {
  const id = request.headers['last-event-id'];
  if (typeof id !== 'string' || id === '') return null;
  const [stream = '', cursor = ''] = id.split(SEPARATOR);
  try {
    return { streamId: decodeURIComponent(stream), cursor };
  } catch {
    throw new Refusal(
      400,
      'INVALID_ARGUMENT',
      `\`Last-Event-ID\` must be one that came with an event; got ${quote(id)}.`,
    );
  }
}

async function bodyOf({ request, options }: Exchange): Promise<string> {
  const { maxMessageBytes } = options.limits;
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.byteLength;
    if (bytes > maxMessageBytes)
      throw new Refusal(413, 'LIMIT_EXCEEDED', `The body may have ${maxMessageBytes} bytes.`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/** An input is JSON; none at all is undefined. */
function parseInput(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 'INVALID_ARGUMENT', `The input must be JSON; got ${quote(text)}.`);
  }
}

function assertMethod(request: IncomingMessage, ...allowed: readonly string[]): void {
  if (allowed.includes(request.method ?? '')) return;
  throw new Refusal(405, 'UNSUPPORTED', `The method must be ${allowed.join(' or ')}; got ${quote(request.method)}.`);
}

/** Listed origins may read answers, with credentials; the server's own needs no permission. */
function allowOrigin({ request, response, options }: Exchange): void {
  const { origin } = request.headers;
  response.setHeader('vary', 'origin');
  if (origin === undefined || !options.origins.includes(origin)) return;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-credentials', 'true');
  response.setHeader('access-control-allow-methods', 'GET, POST');
  response.setHeader('access-control-allow-headers', 'content-type, last-event-id, authorization');
}

function refuse(response: ServerResponse, { status, code, message }: Refusal): void {
  const body = JSON.stringify({ error: { code, message } });
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store', connection: 'close' };
  response.writeHead(status, headers).end(body);
}
