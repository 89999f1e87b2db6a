import { StreamError } from '../log/errors.ts';
import type { StreamHttpAnswer } from './answer.ts';
import { handleAppend } from './append.ts';
import { AuthorizeAnswer, createGuard } from './authorize.ts';
import { handleCancel } from './cancel.ts';
import type { HandlerContext, StreamRequest } from './context.ts';
import { createBrowserPolicy } from './cors.ts';
import { handleCreate } from './create.ts';
import { createCursors } from './cursors.ts';
import { toErrorAnswer } from './error-answer.ts';
import type { RoutedRequest } from './http-request.ts';
import { createLiveFeeds } from './live-feeds.ts';
import { handleHead } from './metadata.ts';
import { type ErrorContext, resolveLimits, type StreamHandlerOptions } from './options.ts';
import { HttpProblem, notFound } from './problem.ts';
import type { Query } from './query.ts';
import { handleRead } from './read.ts';
import { createReaderSlots } from './reader-slots.ts';
import { handleDelete } from './remove.ts';
import { readUrl } from './request-url.ts';
import {
  handleStoreAppend,
  handleStoreCreate,
  handleStoreList,
  handleStoreMark,
  handleStoreRead,
} from './store-port.ts';
import { createStreamQuota } from './stream-quota.ts';
import { normaliseBasePath, resolveTarget } from './target.ts';
import { PARAM } from './wire.ts';

const ALLOW = { Allow: 'GET, HEAD, POST, PUT, DELETE, OPTIONS' };

/** Answers a request. Never rejects. */
export type StreamRouter = (request: RoutedRequest) => Promise<StreamHttpAnswer>;

/**
 * Creates the router over a store that every mounted handler is made of: the Durable Streams protocol and its extensions (PROTOCOL.md, "The
 * HTTP interface"). It is for adapters of servers; what mounts web handlers takes `createStreamHandler`.
 *
 * It holds no resources but those of open live bodies, which `signal` ends.
 *
 * @throws `INVALID_ARGUMENT` for a limit that is not a whole number above 0.
 */
export function createStreamRouter(options: StreamHandlerOptions): StreamRouter {
  const basePath = normaliseBasePath(options.basePath ?? '');
  const policy = createBrowserPolicy(options.cors ?? false);
  const context = createContext(options, basePath);
  return async (request) => {
    try {
      if (request.method === 'OPTIONS') return policy.dress(request, policy.preflight());
      policy.assertOrigin(request);
      return policy.dress(request, await route(context, request));
    } catch (error) {
      if (error instanceof AuthorizeAnswer) return policy.amend(request, error.response);
      return policy.dress(request, answerError(options, request, error));
    }
  };
}

function createContext(options: StreamHandlerOptions, basePath: string): HandlerContext {
  const { store, signal, now = Date.now, random = Math.random } = options;
  const limits = resolveLimits(options);
  const cursors = createCursors(now, random);
  const report = (error: unknown, request?: RoutedRequest): void =>
    tell(options, error, { method: request?.method ?? '', url: request?.url ?? '' });
  const feeds = createLiveFeeds({
    store,
    heartbeatMs: limits.heartbeatMs,
    cursor: () => cursors.current(),
    onError: (error) => report(error),
  });
  signal?.addEventListener('abort', () => feeds.close(new StreamError('STORE_CLOSED', 'The server is closing.')), {
    once: true,
  });
  return {
    store,
    basePath,
    limits,
    cursors,
    feeds,
    report,
    random,
    guard: createGuard({
      authorize: options.authorize,
      allowAnonymous: options.allowAnonymous,
      onMisconfigured: (error) => report(error),
    }),
    slots: createReaderSlots(limits),
    quota: createStreamQuota({ store, maxStreams: limits.maxStreams, now }),
    cacheControl: options.cacheControl ?? 'private, no-cache',
    closing: signal,
  };
}

/** A hook that throws must not take the answer with it. */
function tell({ onError }: StreamHandlerOptions, error: unknown, context: ErrorContext): void {
  try {
    onError?.(error, context);
  } catch {
    // There is nobody left to tell.
  }
}

function answerError(options: StreamHandlerOptions, request: RoutedRequest, error: unknown): StreamHttpAnswer {
  const { answer, reference } = toErrorAnswer(error, () => crypto.randomUUID());
  if (reference !== undefined) tell(options, error, { method: request.method, url: request.url, reference });
  return request.method === 'HEAD' ? { ...answer, body: null } : answer;
}

async function route(context: HandlerContext, request: RoutedRequest): Promise<StreamHttpAnswer> {
  const url = readUrl(request.url);
  const { query } = url;
  const target = resolveTarget(url, context.basePath);
  switch (target.kind) {
    case 'outside':
      throw notFound();
    case 'reserved':
      throw new HttpProblem(
        404,
        'UNSUPPORTED',
        'This prefix is reserved for subscriptions, which are not offered here.',
      );
    case 'base':
      if (request.method === 'GET' && query.has(PARAM.list)) return handleStoreList(context, { request, query });
      throw notFound();
    case 'stream':
      return routeStream(context, { request, query, id: target.id });
  }
}

function routeStream(context: HandlerContext, stream: StreamRequest): Promise<StreamHttpAnswer> {
  const { query, request } = stream;
  switch (request.method) {
    case 'GET':
      return query.text(PARAM.view) === 'store' ? handleStoreRead(context, stream) : handleRead(context, stream);
    case 'HEAD':
      return handleHead(context, stream);
    case 'PUT':
      return query.has(PARAM.create) ? handleStoreCreate(context, stream) : handleCreate(context, stream);
    case 'POST':
      return routePost(context, stream, query);
    case 'DELETE':
      return handleDelete(context, stream);
    default:
      throw new HttpProblem(405, 'UNSUPPORTED', `Streams have no method ${request.method}.`, { headers: ALLOW });
  }
}

function routePost(context: HandlerContext, stream: StreamRequest, query: Query): Promise<StreamHttpAnswer> {
  if (query.has(PARAM.cancel)) return handleCancel(context, stream);
  if (query.has(PARAM.append)) return handleStoreAppend(context, stream);
  if (query.has(PARAM.mark)) return handleStoreMark(context, stream);
  return handleAppend(context, stream);
}
