import type { FetchLike } from '@perennial/core/client';

import { formatOffset } from '../../../src/http/offsets.ts';

const encoder = new TextEncoder();

/** A request that waits for the test to answer it. */
export interface ScriptedRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string | null;
  readonly signal: AbortSignal;
  /** Answers with an SSE response that the test feeds. */
  sse(headers?: Record<string, string>): ScriptedBody;
  respond(status: number, body?: unknown, headers?: Record<string, string>): void;
  /** Fails as an unreachable server does. */
  fail(message?: string): void;
}

/** A response body in the hands of the test. */
export interface ScriptedBody {
  send(bytes: string | Uint8Array): void;
  close(): void;
  /** Breaks off as a lost network does. */
  drop(): void;
  /** True once the client let go of it. */
  readonly cancelled: boolean;
}

/** A server whose answers the test gives one by one. */
export interface ScriptedServer {
  readonly fetch: FetchLike;
  /** The next request that was not taken yet; waits for it. */
  next(): Promise<ScriptedRequest>;
  /** Requests that arrived so far. */
  readonly count: number;
  /** Requests that arrived and were not taken. */
  readonly waiting: number;
}

export function createScriptedServer(): ScriptedServer {
  const arrived: ScriptedRequest[] = [];
  const takers: ((request: ScriptedRequest) => void)[] = [];
  let count = 0;
  return {
    fetch: (url, init) =>
      new Promise((resolve, reject) => {
        count++;
        const request = scriptRequest(url, init, resolve, reject);
        const taker = takers.shift();
        if (taker) taker(request);
        else arrived.push(request);
      }),
    next() {
      const request = arrived.shift();
      return request ? Promise.resolve(request) : new Promise((resolve) => takers.push(resolve));
    },
    get count() {
      return count;
    },
    get waiting() {
      return arrived.length;
    },
  };
}

function scriptRequest(
  url: string,
  init: RequestInit,
  resolve: (response: Response) => void,
  reject: (error: unknown) => void,
): ScriptedRequest {
  const signal = init.signal ?? new AbortController().signal;
  signal.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
  return {
    url: new URL(url, 'http://test.invalid'),
    method: init.method ?? 'GET',
    headers: new Headers(init.headers),
    body: typeof init.body === 'string' ? init.body : null,
    signal,
    sse(headers = {}) {
      const { body, script } = scriptBody(signal);
      resolve(new Response(body, { headers: { 'content-type': 'text/event-stream', ...headers } }));
      return script;
    },
    respond(status, body, headers = {}) {
      const json = body !== undefined && typeof body !== 'string';
      resolve(
        new Response(body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body), {
          status,
          headers: { ...(json && { 'content-type': 'application/json' }), ...headers },
        }),
      );
    },
    fail: (message = 'connection refused') => reject(new TypeError(message)),
  };
}

function scriptBody(signal: AbortSignal): { body: ReadableStream<Uint8Array>; script: ScriptedBody } {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let over = false;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (opened) => {
      controller = opened;
    },
    cancel: () => {
      over = true;
      cancelled = true;
    },
  });
  const finish = (act: () => void): void => {
    if (!over) act();
    over = true;
  };
  signal.addEventListener('abort', () =>
    finish(() => {
      cancelled = true;
      controller?.error(new DOMException('aborted', 'AbortError'));
    }),
  );
  return {
    body,
    script: {
      send: (bytes) => {
        if (!over) controller?.enqueue(typeof bytes === 'string' ? encoder.encode(bytes) : bytes);
      },
      close: () => finish(() => controller?.close()),
      drop: () => finish(() => controller?.error(new TypeError('network error'))),
      get cancelled() {
        return cancelled;
      },
    },
  };
}

/** A data record as it travels. */
export interface Wire {
  p: number;
  t: number;
  d?: unknown;
  b?: string;
  s?: string;
  a?: number;
  x?: { step: string; belowAttempt: number };
}

export const record = (position: number, value: unknown, step?: string, attempt?: number): Wire => ({
  p: position,
  t: 1_764_000_000_000 + position,
  d: value,
  ...(step !== undefined && { s: step }),
  ...(attempt !== undefined && { a: attempt }),
});
export const supersede = (position: number, step: string, belowAttempt: number): Wire => ({
  p: position,
  t: 1_764_000_000_000 + position,
  x: { step, belowAttempt },
});

/** A `data` event. */
export function dataEvent(...records: Wire[]): string {
  const last = records.at(-1);
  return `id: ${formatOffset((last?.p ?? -1) + 1)}\nevent: data\ndata: ${JSON.stringify(records)}\n\n`;
}

export interface ControlFields {
  readonly upToDate?: boolean;
  readonly end?: { outcome: string; error?: { code: string; message: string }; reason?: string };
  readonly stalled?: boolean;
  readonly cancelRequested?: boolean;
  readonly cursor?: string;
}

/** A `control` event at a position; up to date unless said otherwise. */
export function controlEvent(
  position: number,
  { upToDate = true, cursor = '7', ...state }: ControlFields = {},
): string {
  const control = {
    streamNextOffset: formatOffset(position),
    ...(state.end ? { streamClosed: true } : { streamCursor: cursor }),
    ...(upToDate && { upToDate }),
    perennial: { position, ...state },
  };
  return `event: control\ndata: ${JSON.stringify(control)}\n\n`;
}

/** Headers of a catch-up or long-poll answer. */
export function stateHeaders(
  position: number,
  { upToDate = true, end, stalled, cancelRequested, cursor = '7' }: ControlFields = {},
): Record<string, string> {
  return {
    'stream-next-offset': formatOffset(position),
    'perennial-position': String(position),
    ...(upToDate && { 'stream-up-to-date': 'true' }),
    ...(end && { 'stream-closed': 'true', 'perennial-end': JSON.stringify(end) }),
    ...(stalled && { 'perennial-stalled': 'true' }),
    ...(cancelRequested && { 'perennial-cancel-requested': 'true' }),
    'stream-cursor': cursor,
  };
}

export const COMPLETED = { outcome: 'completed' } as const;
