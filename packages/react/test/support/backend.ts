import { createMemoryStreamStore, type NewRecord, type StreamEnd, type StreamStore } from '@perennial/core';
import type { FetchLike } from '@perennial/core/client';
import { createStreamHandler } from '@perennial/core/http';

/** A server in this process, with a network that the test can break. */
export interface Backend {
  readonly store: StreamStore;
  readonly fetch: FetchLike;
  /** The offset that each SSE request asked for, in order. */
  readonly offsets: string[];
  /** Methods and paths of the other requests. */
  readonly others: string[];
  /** Responses that are open. */
  readonly open: number;
  /** Requests that the client gave up. */
  readonly aborted: number;
  /** While set, requests fail: with this status, or as an unreachable server. */
  outage: number | 'offline' | null;
  /** Holds requests back while it is not null. */
  gate: Promise<void> | null;
  append(...records: NewRecord[]): Promise<void>;
  /** Appends values, each a record. */
  write(...values: unknown[]): Promise<void>;
  end(end?: StreamEnd): Promise<void>;
  /** Breaks all open responses. */
  drop(): void;
}

export const URL_OF_S = 'http://test.invalid/s';

export async function createBackend(...values: unknown[]): Promise<Backend> {
  const store = createMemoryStreamStore();
  await store.create('s');
  const handler = createStreamHandler({ store, allowAnonymous: true });
  const drops = new Set<() => void>();
  let aborted = 0;
  const backend: Backend = {
    store,
    offsets: [],
    others: [],
    outage: null,
    gate: null,
    get open() {
      return drops.size;
    },
    get aborted() {
      return aborted;
    },
    fetch: async (url, init) => {
      const request = new Request(url, init);
      request.signal.addEventListener('abort', () => aborted++);
      const { searchParams, pathname } = new URL(url);
      if (searchParams.get('live') === 'sse') backend.offsets.push(searchParams.get('offset') ?? '');
      else backend.others.push(`${request.method} ${pathname}`);
      await backend.gate;
      if (backend.outage === 'offline') throw new TypeError('offline');
      if (backend.outage !== null) return new Response(null, { status: backend.outage });
      return breakable(await handler(request), drops);
    },
    append: async (...records) => void (await store.append('s', { segments: [{ records }] })),
    write: (...items) => backend.append(...items.map((item) => ({ data: JSON.stringify(item) }))),
    end: async (end = { outcome: 'completed' }) => void (await store.append('s', { segments: [{ records: [], end }] })),
    drop: () => {
      for (const drop of drops) drop();
    },
  };
  if (values.length > 0) await backend.write(...values);
  return backend;
}

/** The same response, with a body that the test can break and that is counted while it is open. */
function breakable(response: Response, drops: Set<() => void>): Response {
  if (!response.body) return response;
  const reader = response.body.getReader();
  let drop: () => void = () => undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      drop = () => {
        drops.delete(drop);
        controller.error(new TypeError('network error'));
        void reader.cancel().catch(() => undefined);
      };
      drops.add(drop);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (!done) return controller.enqueue(value);
      drops.delete(drop);
      controller.close();
    },
    async cancel(reason) {
      drops.delete(drop);
      await reader.cancel(reason).catch(() => undefined);
    },
  });
  return new Response(body, response);
}
