import { createMemoryStreamStore, type StreamStore } from '@perennial/core';
import { createStreamHandler, type StreamHandlerOptions, streamUrl } from '@perennial/core/http';
import { type ParsedSseEvent, parseSse } from '@perennial/core/sse';

const BASE = 'http://streams.test';

/** A handler over a memory store, and shortcuts to talk to it without a socket. */
export interface Harness {
  readonly store: StreamStore;
  readonly handler: (request: Request) => Promise<Response>;
  /** Sends a request for a stream; `query` without its question mark. */
  send(method: string, id: string, options?: SendOptions): Promise<Response>;
  /** Opens an SSE response. */
  sse(id: string, query?: string, init?: RequestInit): Promise<SseConnection>;
}

export interface SendOptions {
  readonly query?: string;
  readonly headers?: Record<string, string>;
  readonly body?: BodyInit;
  readonly signal?: AbortSignal;
}

/** A response of server-sent events that is being read. */
export interface SseConnection {
  readonly response: Response;
  /** The next event; undefined once the response has ended. */
  next(): Promise<ParsedSseEvent | undefined>;
  /** Everything up to and including the first event that fits; throws when the response ends before. */
  until(fits: (event: ParsedSseEvent) => boolean): Promise<ParsedSseEvent[]>;
  /** Everything up to the end of the response. */
  rest(): Promise<ParsedSseEvent[]>;
  close(): Promise<void>;
}

export function createHarness({
  store = createMemoryStreamStore(),
  ...options
}: Partial<StreamHandlerOptions> = {}): Harness {
  const handler = createStreamHandler({ store, authorize: () => true, ...options });
  const urlOf = (id: string, query = ''): string => {
    const url = streamUrl(BASE, id);
    return query === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`;
  };
  return {
    store,
    handler,
    send: (method, id, { query, ...init } = {}) =>
      handler(
        new Request(urlOf(id, query), {
          method,
          ...init,
          ...(init.body instanceof ReadableStream && { duplex: 'half' }),
        }),
      ),
    async sse(id, query = 'offset=-1', init = {}) {
      return connect(await handler(new Request(urlOf(id, `live=sse&${query}`), init)));
    },
  };
}

/** A request for server-sent events, for tests that read the bytes of the response. */
export function sseRequest(id: string, query = 'offset=-1', init: RequestInit = {}): Request {
  return new Request(`${BASE}/${id}?live=sse&${query}`, init);
}

/** Reads a response of server-sent events. */
export function connect(response: Response): SseConnection {
  const events = response.body
    ? parseSse(response.body)
    : (async function* (): AsyncGenerator<ParsedSseEvent, void> {})();
  const next = async (): Promise<ParsedSseEvent | undefined> => (await events.next()).value ?? undefined;
  return {
    response,
    next,
    async until(fits) {
      const seen: ParsedSseEvent[] = [];
      for (;;) {
        const event = await next();
        if (!event) throw new Error(`The response ended after ${JSON.stringify(seen)}.`);
        seen.push(event);
        if (fits(event)) return seen;
      }
    },
    async rest() {
      const seen: ParsedSseEvent[] = [];
      for (let event = await next(); event; event = await next()) seen.push(event);
      return seen;
    },
    close: async () => void (await events.return(undefined)),
  };
}

/** A store that tells when somebody has come to wait. */
export interface WatchedStore {
  readonly store: StreamStore;
  /** Resolves once `wait` has been called `count` times in all. */
  parked(count: number): Promise<void>;
  /** Calls of each verb so far. */
  readonly calls: Readonly<Record<'wait' | 'read', number>>;
}

/** Counts the calls of a store's `wait` and `read`. */
export function watch(store: StreamStore): WatchedStore {
  const calls = { wait: 0, read: 0 };
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const watched: StreamStore = {
    capabilities: store.capabilities,
    create: (...args) => store.create(...args),
    append: (...args) => store.append(...args),
    head: (...args) => store.head(...args),
    producer: (...args) => store.producer(...args),
    delete: (...args) => store.delete(...args),
    list: (...args) => store.list(...args),
    mark: (...args) => store.mark(...args),
    close: () => store.close(),
    read(...args) {
      calls.read++;
      return store.read(...args);
    },
    wait(...args) {
      calls.wait++;
      for (const { count, resolve } of waiting) if (calls.wait >= count) resolve();
      return store.wait(...args);
    },
  };
  return {
    store: watched,
    calls,
    parked: (count) =>
      calls.wait >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve })),
  };
}

/** A store's methods as plain functions, to be overridden one by one. */
export function bind(store: StreamStore): StreamStore {
  return watch(store).store;
}

/** True for a control event that says the reader has everything. */
export function isUpToDate(event: ParsedSseEvent): boolean {
  return event.event === 'control' && control(event).upToDate === true;
}

/** The payload of a control event. */
export function control(
  event: ParsedSseEvent | undefined,
): Record<string, unknown> & { perennial?: Record<string, unknown> } {
  return JSON.parse(event?.data ?? 'null');
}

/** The payloads of all data events, joined. */
export function dataOf(events: readonly ParsedSseEvent[]): string {
  return events
    .filter(({ event }) => event === 'data')
    .map(({ data }) => data)
    .join('');
}

/** Creates a JSON stream and appends values to it. */
export async function seed(store: StreamStore, id: string, values: readonly unknown[] = []): Promise<void> {
  await store.create(id);
  if (values.length > 0)
    await store.append(id, { segments: [{ records: values.map((value) => ({ data: JSON.stringify(value) })) }] });
}

export async function append(store: StreamStore, id: string, ...values: readonly unknown[]): Promise<void> {
  await store.append(id, { segments: [{ records: values.map((value) => ({ data: JSON.stringify(value) })) }] });
}

/** The code of an error answer. */
export async function codeOf(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error: { code: string } };
  return error.code;
}

/** The values of the joined data events of a JSON stream. */
export function values(text: string): unknown[] {
  return text === '' ? [] : (JSON.parse(`[${text.replaceAll('][', '],[')}]`) as unknown[][]).flat();
}
