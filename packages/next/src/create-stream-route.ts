import type { StreamStore } from '@perennial/core';
import { createStreamHandler, HEADER, type StreamHandlerOptions, type WireError } from '@perennial/core/http';

/** Options of {@link createStreamRoute}: those of `createStreamHandler`, with a store that may be made later. */
export interface StreamRouteOptions extends Omit<StreamHandlerOptions, 'store'> {
  /**
   * The store, or a function that supplies it. Prefer the function: Next evaluates route modules while it builds, and a function is called
   * with the first request only. Its store is kept; a failure is not, so the next request tries again.
   */
  readonly store: StreamStore | (() => StreamStore | Promise<StreamStore>);
  /** Path below which the streams live. @default the path of the route, which is the request's without its catch-all segments */
  readonly basePath?: string;
}

/** What Next hands to a route handler besides the request. */
export interface StreamRouteContext {
  /** The catch-all segments, under whatever name the folder gives them. Older versions of Next pass them without a promise. */
  readonly params: Promise<Readonly<Record<string, string | string[] | undefined>>>;
}

type RouteHandler = (request: Request, context: StreamRouteContext) => Promise<Response>;

/** The exports of a `route.ts`. Leave out a method to have Next answer it with 405. */
export interface StreamRoute {
  readonly GET: RouteHandler;
  readonly POST: RouteHandler;
  readonly PUT: RouteHandler;
  readonly HEAD: RouteHandler;
  readonly DELETE: RouteHandler;
  readonly OPTIONS: RouteHandler;
}

/**
 * Serves streams from a catch-all route, such as `app/api/streams/[...stream]/route.ts` (PROTOCOL.md, "The HTTP interface").
 *
 * Evaluating it touches nothing: neither the store, nor a clock, nor the network.
 *
 * @example
 * export const { GET, HEAD, POST, OPTIONS } = createStreamRoute({
 *   store: getStore,
 *   authorize: (request, { action }) => action === 'read' || action === 'cancel',
 * });
 */
export function createStreamRoute(options: StreamRouteOptions): StreamRoute {
  const supplyStore = once(options.store);
  // By base path: one in practice. More only when rewrites lead several paths here.
  const handlers = new Map<string, (request: Request) => Promise<Response>>();
  const handle: RouteHandler = async (request, context) => {
    let store: StreamStore;
    try {
      store = await supplyStore();
    } catch (error) {
      return answerUnavailable(options, request, error);
    }
    const basePath = options.basePath ?? (await routePath(request, context));
    let handler = handlers.get(basePath);
    if (!handler) {
      handler = createStreamHandler({ ...options, store, basePath });
      handlers.set(basePath, handler);
    }
    return handler(request);
  };
  return { GET: handle, POST: handle, PUT: handle, HEAD: handle, DELETE: handle, OPTIONS: handle };
}

/** Calls a supplier once; again only after it failed. */
function once(store: StreamRouteOptions['store']): () => Promise<StreamStore> {
  if (typeof store !== 'function') return () => Promise.resolve(store);
  let supplied: Promise<StreamStore> | null = null;
  return () => {
    supplied ??= Promise.resolve()
      .then(store)
      .catch((error: unknown) => {
        supplied = null;
        throw error;
      });
    return supplied;
  };
}

/**
 * The path of the route: the request's without as many segments as the catch-all matched. Counting spares the question whether Next decoded
 * them, and holds with `basePath` and rewrites.
 */
async function routePath(request: Request, { params }: StreamRouteContext): Promise<string> {
  const matched = Object.values((await params) ?? {}).find((value) => Array.isArray(value)) ?? [];
  const { pathname } = new URL(request.url);
  const segments = (pathname.endsWith('/') ? pathname.slice(0, -1) : pathname).split('/');
  return segments.slice(0, segments.length - matched.length).join('/');
}

function answerUnavailable({ onError }: StreamRouteOptions, request: Request, error: unknown): Response {
  const reference = crypto.randomUUID();
  try {
    onError?.(error, { method: request.method, url: request.url, reference });
  } catch {
    // A hook that throws must not take the answer with it.
  }
  const message = 'The server could not answer this request. Its log has the details under this reference.';
  const body: WireError = { error: { code: 'STORE_ERROR', message, reference } };
  return new Response(request.method === 'HEAD' ? null : JSON.stringify(body), {
    status: 503,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', [HEADER.error]: 'STORE_ERROR' },
  });
}
