import {
  type AppendRequest,
  type AppendResult,
  assertAppendRequest,
  assertCreateOptions,
  assertListOptions,
  assertMark,
  assertProducerId,
  assertReadOptions,
  assertStreamId,
  assertWaitOptions,
  type CreateOptions,
  type CreateResult,
  DEFAULT_PAGE_BYTES,
  DEFAULT_PAGE_LIMIT,
  type Forks,
  isStreamNotFound,
  type ListOptions,
  type ListResult,
  type Mark,
  type ProducerState,
  type ReadOptions,
  type ReadResult,
  type RetryPolicy,
  retryStoreCall,
  StreamError,
  type StreamHead,
  type StreamStore,
  type WaitOptions,
} from '@perennial/core';

import { type AppendBatcher, createAppendBatcher } from './append/append-batcher.ts';
import { StreamAppends } from './append/stream-appends.ts';
import { encodeRequest } from './codec/append.ts';
import { createRedisConnection, type RedisConnection } from './connection/redis-connection.ts';
import { createKeyNames } from './keys.ts';
import { listStreams } from './listing/list-streams.ts';
import { createStreamIndex, type StreamIndex } from './listing/stream-index.ts';
import { type RedisStreamStoreOptions, resolveOptions } from './options.ts';
import { createReadCoalescer, type PageRequest } from './read/read-coalescer.ts';
import { createRedisForks } from './redis-forks.ts';
import { GuardedScripts } from './scripts/guarded-scripts.ts';
import { emitWarning } from './server-check.ts';
import { StreamScripts } from './stream-scripts.ts';
import { createLiveTails, type LiveTails } from './tail/live-tails.ts';

/**
 * Creates a store in Redis 7 or later, or Valkey: a single server, or a Cluster. Any number of processes may share it.
 *
 * Nothing is sent before the first call. An append is one script, whatever the number of its records, and a second one where somebody else
 * changed the head of the stream meanwhile; appends that several callers make to one stream at the same time share scripts. An
 * acknowledged write survives what the server's own persistence survives.
 *
 * @throws `INVALID_ARGUMENT` naming an option that cannot be used.
 * @example
 * const store = createRedisStreamStore({ url: 'redis://localhost:6379' });
 */
export function createRedisStreamStore(options: RedisStreamStoreOptions): StreamStore {
  return new RedisStreamStore(options);
}

/** How long `close` waits for calls under way. */
const DRAIN_MS = 2_000;

class RedisStreamStore implements StreamStore {
  readonly capabilities = { durable: true, shared: true } as const;
  readonly #connection: RedisConnection;
  readonly #scripts: StreamScripts;
  readonly #index: StreamIndex;
  readonly #tails: LiveTails;
  readonly #batcher: AppendBatcher;
  readonly #forks: Forks;
  readonly #readPage: (request: PageRequest) => Promise<ReadResult>;
  readonly #randomId: () => string;
  readonly #retry: RetryPolicy;
  readonly #pending = new Set<Promise<unknown>>();
  #closing: Promise<void> | null = null;

  constructor(given: RedisStreamStoreOptions) {
    const options = resolveOptions(given);
    const { onWarning = emitWarning } = given;
    this.#randomId = options.randomId;
    this.#retry = options.retry;
    const connection = createRedisConnection(given, options, onWarning);
    this.#connection = connection;
    const names = createKeyNames(connection.keyPrefix + options.prefix);
    const scripts = new GuardedScripts({
      connection,
      names,
      options,
      onHead: (head) => this.#tails.observe(head),
      onLoss: ({ message }) => onWarning({ code: 'DATA_LOSS', message }),
    });
    this.#scripts = new StreamScripts(scripts);
    this.#index = createStreamIndex({
      names,
      send: (key, command) => connection.runner.send(key, command),
      random: options.random,
    });
    this.#tails = createLiveTails({
      channelOf: (id) => names.of(id).channel,
      fetch: (id) => this.#again(`looking at stream ${id}`, () => this.#scripts.head(id, true)),
      subscribe: (events) => connection.subscribe(events),
      pollMs: options.pollMs,
      random: options.random,
    });
    const appends = new StreamAppends(scripts, options);
    this.#batcher = createAppendBatcher((id, requests, outcome) => appends.append(id, requests, outcome));
    this.#forks = createRedisForks({
      scripts: this.#scripts,
      index: this.#index,
      names,
      send: (key, command) => connection.runner.send(key, command),
      // Known only once the client is.
      isCluster: () => connection.cluster,
      newIncarnation: options.randomId,
      now: options.now,
      again: (doing, call) => this.#again(doing, call),
    });
    this.#readPage = createReadCoalescer((page) =>
      this.#again(`reading stream ${page.id}`, () => this.#scripts.read(page)),
    );
  }

  create(id: string, options: CreateOptions = {}): Promise<CreateResult> {
    return this.#track(async () => {
      assertStreamId(id);
      assertCreateOptions(options);
      const { fork } = options;
      if (fork) return this.#tidied(await this.#forks.create(id, { ...options, fork }));
      const fresh = { incarnation: this.#randomId(), member: this.#index.member(id) };
      if (this.#connection.cluster) await this.#index.add(id);
      const result = await this.#scripts.create(id, options, fresh);
      if (this.#connection.cluster) await this.#index.add(id);
      return this.#tidied(result);
    });
  }

  append(id: string, request: AppendRequest): Promise<AppendResult> {
    // Without `#track`: 200 concurrent appends of one record spend most of their time in promises.
    try {
      this.#assertOpen();
      assertStreamId(id);
      assertAppendRequest(request);
      return this.#batcher.append(id, encodeRequest(request));
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  read(id: string, options: ReadOptions): Promise<ReadResult> {
    return this.#track(async () => {
      assertStreamId(id);
      assertReadOptions(options);
      const { from, limit = DEFAULT_PAGE_LIMIT, maxBytes = DEFAULT_PAGE_BYTES } = options;
      return this.#forks.read(await this.#readPage({ id, from, limit, maxBytes }), options);
    });
  }

  async wait(id: string, options: WaitOptions): Promise<StreamHead> {
    this.#assertOpen();
    assertStreamId(id);
    assertWaitOptions(options);
    try {
      return await this.#tails.wait(id, options);
    } catch (error) {
      if (this.#closing) throw closedError();
      throw isStreamNotFound(error) ? await this.#scripts.absence(id) : error;
    }
  }

  head(id: string): Promise<StreamHead | null> {
    return this.#track(async () => {
      assertStreamId(id);
      return this.#again(`looking at stream ${id}`, () => this.#scripts.head(id, false));
    });
  }

  producer(id: string, producerId: string): Promise<ProducerState | null> {
    return this.#track(async () => {
      assertStreamId(id);
      assertProducerId('producerId', producerId);
      return this.#again(`looking at stream ${id}`, () => this.#scripts.producer(id, producerId));
    });
  }

  delete(id: string): Promise<boolean> {
    return this.#track(async () => {
      assertStreamId(id);
      const deleted = await this.#scripts.delete(id, this.#index.member(id));
      if (this.#connection.cluster) await this.#index.remove(id);
      this.#tails.gone(id);
      // The stream is deleted, whatever becomes of this; what is left undone, a later creation finds.
      if (deleted === 'kept') await this.#forks.collect(id).catch(() => {});
      else if (deleted) await this.#forks.release(deleted).catch(() => {});
      return deleted !== null;
    });
  }

  list(options: ListOptions = {}): Promise<ListResult> {
    return this.#track(async () => {
      assertListOptions(options);
      return this.#again('listing streams', () =>
        listStreams(options, this.#index, (id) => this.#scripts.head(id, false)),
      );
    });
  }

  mark(id: string, mark: Mark): Promise<StreamHead> {
    return this.#track(async () => {
      assertStreamId(id);
      assertMark(mark);
      return this.#scripts.mark(id, mark);
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const drained = Promise.allSettled([...this.#pending, this.#batcher.drained()]);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, DRAIN_MS);
    });
    await this.#tails.close(closedError());
    await Promise.race([drained, late]);
    clearTimeout(timer);
    await this.#connection.close();
  }

  /** Housekeeping after a creation: what fails here is tried again by a later one. */
  #tidied(result: CreateResult): CreateResult {
    if (result.created) void this.#index.tidy((id) => this.#forks.collect(id)).catch(() => {});
    return result;
  }

  /** Runs a call that `close` waits for. */
  async #track<T>(call: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    const running = call();
    this.#pending.add(running);
    try {
      return await running;
    } catch (error) {
      if (this.#closing && error instanceof StreamError && error.code === 'STORE_ERROR') throw closedError();
      throw error;
    } finally {
      this.#pending.delete(running);
    }
  }

  /** Repeats a call that changes nothing while the server is away. */
  #again<T>(doing: string, call: () => Promise<T>): Promise<T> {
    const attempt = (): Promise<T> => (this.#closing ? Promise.reject(closedError()) : call());
    return retryStoreCall(doing, attempt, this.#retry);
  }

  #assertOpen(): void {
    if (this.#closing) throw closedError();
  }
}

function closedError(): StreamError<'STORE_CLOSED'> {
  return new StreamError('STORE_CLOSED', 'The store was closed. Open a new one.');
}
