import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import { WebSocketServer } from 'ws';

import { Guard } from './guard.ts';
import { serveHttp } from './http.ts';
import { type ActorEndpointsOptions, resolveEndpoints } from './options.ts';
import { Refusal, routeOf } from './routes.ts';
import { createRuns } from './runs.ts';
import { serveSocket } from './socket.ts';

/** The endpoints, to be hung into a `node:http` server. */
export interface ActorEndpoints {
  /** Answers a request; false, without touching it, when the path is not one of the endpoints'. */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean;
  /** Takes over a socket; false, without touching it, when the path is not one of the endpoints'. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /**
   * Ends all connections, and waits for the runs of this process; those that take longer than `drainMs` (10 s if absent) fail with
   * `WORKER_LOST`. Store and queue stay open. Idempotent.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}

const GOING_AWAY = 1001;
const DEFAULT_DRAIN_MS = 10_000;

/**
 * Serves actors and streams over server-sent events and WebSockets.
 *
 * @example
 * const endpoints = createActorEndpoints({ registry, store, authorize });
 * const server = createServer((request, response) => {
 *   if (!endpoints.handleRequest(request, response)) response.writeHead(404).end();
 * });
 * server.on('upgrade', (request, socket, head) => {
 *   if (!endpoints.handleUpgrade(request, socket, head)) socket.destroy();
 * });
 */
export function createActorEndpoints(options: ActorEndpointsOptions): ActorEndpoints {
  const resolved = resolveEndpoints(options);
  const guard = new Guard(resolved);
  const runs = createRuns(options);
  const closing = new AbortController();
  const parts = { options: resolved, guard, runs, closing: closing.signal };
  const sockets = new WebSocketServer({ noServer: true, maxPayload: resolved.limits.maxMessageBytes });
  const open = new Set<Promise<void>>();
  const track = (work: Promise<void>): void => {
    open.add(work);
    void work.finally(() => open.delete(work));
  };
  return {
    handleRequest(request, response) {
      const url = urlOf(request);
      if (!url || !isOurs(url, resolved.basePath)) return false;
      track(serveHttp({ ...parts, request, response, url }));
      return true;
    },
    handleUpgrade(request, socket, head) {
      const url = urlOf(request);
      if (!url || !isOurs(url, resolved.basePath)) return false;
      track(serveSocket({ ...parts, request, socket, head, url, sockets }));
      return true;
    },
    async close({ drainMs = DEFAULT_DRAIN_MS } = {}) {
      closing.abort();
      for (const client of sockets.clients) client.close(GOING_AWAY, 'The server is closing.');
      await runs.close(drainMs);
      await Promise.all(open);
    },
  };
}

function urlOf({ url = '' }: IncomingMessage): URL | null {
  return URL.canParse(url, 'http://server') ? new URL(url, 'http://server') : null;
}

function isOurs(url: URL, basePath: string): boolean {
  try {
    return routeOf(url, basePath) !== null;
  } catch (error) {
    return error instanceof Refusal;
  }
}
