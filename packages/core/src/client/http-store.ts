import {
  decodeStoredRecord,
  encodeAppendRequest,
  encodeCreateOptions,
  type StoreWireRecord,
} from '../http/store-codec.ts';
import { streamUrl } from '../http/stream-url.ts';
import { PARAM } from '../http/wire.ts';
import { assertAppendRequest, assertProducerId } from '../log/append-request.ts';
import { InvalidArgumentError, StreamError } from '../log/errors.ts';
import { assertCreateOptions, assertMark } from '../log/head-rules.ts';
import type { ProducerState, StreamHead } from '../log/head.ts';
import { assertListOptions, assertReadOptions } from '../log/page-options.ts';
import type {
  AppendRequest,
  AppendResult,
  CreateOptions,
  CreateResult,
  ListOptions,
  ListResult,
  Mark,
  ReadOptions,
  ReadResult,
  StoreCapabilities,
  StreamStore,
  WaitOptions,
} from '../log/store.ts';
import { assertStreamId } from '../log/stream-id.ts';
import { aborted, assertWaitOptions } from '../log/waiters.ts';
import { readHttpError } from './http-errors.ts';

/** Options of {@link createHttpStore}. */
export interface HttpStoreOptions {
  /** Base URL of the handler, such as `https://example.org/api/streams`. */
  readonly url: string;
  /** Headers for every request, such as `Authorization`; a function is asked before each one. */
  readonly headers?: HeadersInit | (() => HeadersInit | Promise<HeadersInit>);
  /** @default globalThis.fetch */
  readonly fetch?: typeof globalThis.fetch;
  /** What the store behind the server can do; the server does not say. @default { durable: false, shared: true } */
  readonly capabilities?: StoreCapabilities;
  /** Monotonic milliseconds, for the time limits of waits. @default performance.now */
  readonly monotonic?: () => number;
}

interface StoreRequest {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Creates a store whose streams live behind a handler of `@perennial/core/http` (PROTOCOL.md, "The store port over HTTP"): the whole port,
 * for trusted processes that may `mark`. Browsers that only read want the reader of this package instead.
 *
 * Failures reject with the same typed errors as on the server; what never reached it, or came back garbled, is `STORE_ERROR`.
 *
 * @throws `INVALID_ARGUMENT` unless `url` is an absolute http(s) URL without query and fragment.
 * @example
 * const store = createHttpStore({ url: 'http://127.0.0.1:4437/v1/stream', headers: { Authorization: `Bearer ${token}` } });
 */
export function createHttpStore(options: HttpStoreOptions): StreamStore {
  assertBaseUrl(options.url);
  return new HttpStore(options);
}

class HttpStore implements StreamStore {
  readonly capabilities: StoreCapabilities;
  readonly #options: HttpStoreOptions;
  readonly #closing = new AbortController();

  constructor(options: HttpStoreOptions) {
    this.#options = options;
    this.capabilities = options.capabilities ?? { durable: false, shared: true };
  }

  async create(id: string, options: CreateOptions = {}): Promise<CreateResult> {
    this.#assertUsable(id);
    assertCreateOptions(options);
    return this.#call<CreateResult>(id, {
      method: 'PUT',
      query: { [PARAM.create]: '' },
      body: encodeCreateOptions(options),
    });
  }

  async append(id: string, request: AppendRequest): Promise<AppendResult> {
    this.#assertUsable(id);
    assertAppendRequest(request);
    return this.#call<AppendResult>(id, {
      method: 'POST',
      query: { [PARAM.append]: '' },
      body: encodeAppendRequest(request),
    });
  }

  async read(id: string, options: ReadOptions): Promise<ReadResult> {
    this.#assertUsable(id);
    assertReadOptions(options);
    const { from, limit, maxBytes } = options;
    const query = { [PARAM.from]: from, [PARAM.limit]: limit, [PARAM.maxBytes]: maxBytes };
    const { records, head } = await this.#view<{
      readonly records: readonly StoreWireRecord[];
      readonly head: StreamHead;
    }>(id, query);
    return { records: records.map(decodeStoredRecord), head };
  }

  async wait(id: string, options: WaitOptions): Promise<StreamHead> {
    this.#assertUsable(id);
    assertWaitOptions(options);
    const { position, cancel = false, signal, timeoutMs = Infinity } = options;
    const monotonic = this.#options.monotonic ?? (() => performance.now());
    const deadline = monotonic() + timeoutMs;
    for (;;) {
      if (signal?.aborted) throw aborted(signal);
      const leftMs = Math.max(0, Math.ceil(deadline - monotonic()));
      const query = {
        [PARAM.wait]: position === Infinity ? 'end' : position,
        [PARAM.cancel]: cancel ? 'true' : undefined,
        [PARAM.timeoutMs]: leftMs === Infinity ? undefined : leftMs,
      };
      // The server ends each wait after a time of its own, so that no proxy has to.
      const { head } = await this.#view<{ readonly head: StreamHead }>(id, query, signal);
      const satisfied = head.nextPosition > position || head.end !== null || (cancel && head.cancel !== null);
      if (satisfied || monotonic() >= deadline) return head;
    }
  }

  async head(id: string): Promise<StreamHead | null> {
    this.#assertUsable(id);
    const { head } = await this.#view<{ readonly head: StreamHead | null }>(id, { [PARAM.head]: '' });
    return head;
  }

  async producer(id: string, producerId: string): Promise<ProducerState | null> {
    this.#assertUsable(id);
    assertProducerId('producerId', producerId);
    const { producer } = await this.#view<{ readonly producer: ProducerState | null }>(id, {
      [PARAM.producer]: producerId,
    });
    return producer;
  }

  async delete(id: string): Promise<boolean> {
    this.#assertUsable(id);
    const response = await this.#send(streamUrl(this.#options.url, id), { method: 'DELETE' });
    if (response.ok) return true;
    const error = await readHttpError(response, id);
    if (error.code === 'NOT_FOUND') return false;
    throw error;
  }

  async list(options: ListOptions = {}): Promise<ListResult> {
    this.#assertOpen();
    assertListOptions(options);
    const { prefix, after, limit } = options;
    const query = {
      [PARAM.list]: '',
      [PARAM.view]: 'store',
      [PARAM.prefix]: prefix,
      [PARAM.after]: after,
      [PARAM.limit]: limit,
    };
    return this.#json<ListResult>(await this.#send(this.#options.url, { query }), prefix ?? '');
  }

  async mark(id: string, mark: Mark): Promise<StreamHead> {
    this.#assertUsable(id);
    assertMark(mark);
    const { head } = await this.#call<{ readonly head: StreamHead }>(id, {
      method: 'POST',
      query: { [PARAM.mark]: '' },
      body: mark,
    });
    return head;
  }

  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) this.#closing.abort();
  }

  async #call<T>(id: string, request: StoreRequest): Promise<T> {
    const response = await this.#send(streamUrl(this.#options.url, id), request);
    // A server may see the abort first, and then its answer arrives before `fetch` rejects.
    if (!response.ok && (request.signal?.aborted || this.#closing.signal.aborted))
      throw this.#failure(null, request.signal);
    return this.#json<T>(response, id);
  }

  #view<T>(id: string, query: StoreRequest['query'], signal?: AbortSignal): Promise<T> {
    return this.#call<T>(id, { query: { [PARAM.view]: 'store', ...query }, signal });
  }

  async #json<T>(response: Response, id: string): Promise<T> {
    if (!response.ok) throw await readHttpError(response, id);
    try {
      // The shape is the server's promise, like that of any store's data.
      return (await response.json()) as T;
    } catch (cause) {
      throw this.#failure(cause, undefined);
    }
  }

  async #send(url: string, { method = 'GET', query = {}, body, signal }: StoreRequest): Promise<Response> {
    const { fetch = globalThis.fetch, headers } = this.#options;
    try {
      const given = new Headers(typeof headers === 'function' ? await headers() : headers);
      if (body !== undefined) given.set('Content-Type', 'application/json');
      return await fetch(withQuery(url, query), {
        method,
        headers: given,
        cache: 'no-store',
        signal: signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw this.#failure(cause, signal);
    }
  }

  #failure(cause: unknown, signal: AbortSignal | undefined): StreamError {
    if (this.#closing.signal.aborted) return closedError();
    if (signal?.aborted) return aborted(signal);
    const why = cause instanceof Error ? cause.message : String(cause);
    return new StreamError(
      'STORE_ERROR',
      `The server at ${this.#options.url} could not be reached or understood: ${why}`,
      { cause },
    );
  }

  #assertUsable(id: string): void {
    this.#assertOpen();
    assertStreamId(id);
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw closedError();
  }
}

function withQuery(url: string, query: NonNullable<StoreRequest['query']>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, String(value));
  const text = params.toString();
  return text === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${text}`;
}

function assertBaseUrl(url: unknown): void {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : null;
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.search !== '' || parsed.hash !== '') {
    throw new InvalidArgumentError(
      'url',
      `\`url\` must be an absolute http(s) URL without query and fragment; got ${JSON.stringify(url)}.`,
    );
  }
}

function closedError(): StreamError<'STORE_CLOSED'> {
  return new StreamError('STORE_CLOSED', 'The store was closed. Open a new one.');
}
