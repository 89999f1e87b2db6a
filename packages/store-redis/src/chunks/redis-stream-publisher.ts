import {
  type AsyncResult,
  getStreamWriter,
  type StreamChunk,
  type StreamChunkInput,
  type StreamEnd,
  StreamError,
  type StreamWriteError,
  type StreamWriter,
  toStreamChunk,
  toStreamFailure,
} from '@perennial/core';

import { type ChunkTarget, leaseRedisStore, type SharedStoreOptions, type StoreLease } from '../store-lease.ts';

/** Options of {@link RedisStreamPublisher}. */
export interface RedisStreamPublisherOptions extends SharedStoreOptions {
  /** A publisher that is silent this long, in ms, counts as lost: consumers get an error chunk `PRODUCER_LOST`. @default 15000 */
  readonly leaseMs?: number;
}

const DEFAULT_LEASE_MS = 15_000;

/**
 * Publishes the chunks of one piece of work as a stream that any process can consume.
 *
 * A `complete` chunk ends the stream as completed, an `error` chunk as failed; from then on its ttl runs. Chunks are sent in the
 * background, many at once.
 *
 * @example
 * const publisher = new RedisStreamPublisher(redis, streamId);
 * for await (const chunk of actor.stream(input, context)) await publisher.publish(chunk);
 * await publisher.complete();
 */
export class RedisStreamPublisher<T = unknown> {
  readonly streamId: string;
  readonly #lease: StoreLease;
  readonly #writer: StreamWriter<StreamChunk<T>>;
  #ending: StreamEnd | null = null;
  #ended = false;

  /**
   * @param target A client, of which all publishers and consumers share one store, or a store of yours.
   * @param streamId The stream, which must not exist with another configuration.
   */
  constructor(target: ChunkTarget, streamId: string, options: RedisStreamPublisherOptions = {}) {
    const { leaseMs = DEFAULT_LEASE_MS } = options;
    this.streamId = streamId;
    this.#lease = leaseRedisStore(target, options);
    this.#writer = getStreamWriter<StreamChunk<T>>({ store: this.#lease.store, streamId, leaseMs });
  }

  /** Fires when a consumer asks the work to stop, or when another producer took the stream over. */
  get signal(): AbortSignal {
    return this.#writer.signal;
  }

  /** Creates the stream, so that its id can be handed to a consumer before there is anything to publish. */
  async open(): Promise<void> {
    await unwrap(this.#writer.open());
  }

  /**
   * Resolves once the chunk is accepted; pauses while too many wait for the server. A `complete` or `error` chunk resolves once everything
   * is stored.
   *
   * @throws A `StreamWriteError` when the stream cannot be written to, `UNSERIALISABLE` for data that JSON cannot carry, `CLOSED` after
   * the end.
   */
  async publish(chunk: StreamChunkInput<T>): Promise<void> {
    const stored = toStreamChunk(chunk);
    if (this.#ending) throw new StreamError('CLOSED', `Stream ${this.streamId} has got its last chunk.`);
    if (chunk.type === 'complete') await this.#finish(stored, { outcome: 'completed' });
    else if (chunk.type === 'error')
      await this.#finish(stored, { outcome: 'failed', error: toStreamFailure(chunk.error) });
    else await unwrap(this.#writer.write(stored));
  }

  /** Resolves once everything published so far is stored. */
  async flush(): Promise<void> {
    await unwrap(this.#writer.flush());
  }

  /**
   * Publishes a `complete` chunk, unless a last chunk was published already, and resolves once everything is stored. After a failure that
   * may pass, call it again.
   */
  async complete(data?: T): Promise<void> {
    if (this.#ending) return this.#end(this.#ending);
    await this.publish({ type: 'complete', ...(data !== undefined && { data }) });
  }

  /** Publishes an `error` chunk, unless a last chunk was published already, and resolves once everything is stored. */
  async fail(error: unknown): Promise<void> {
    if (this.#ending) return this.#end(this.#ending);
    await this.publish({ type: 'error', error });
  }

  /** Lets go of the connections without ending the stream; its lease then lapses. Not needed after the last chunk. */
  async close(): Promise<void> {
    await this.#lease.release();
  }

  async #finish(chunk: StreamChunk<T>, end: StreamEnd): Promise<void> {
    await unwrap(this.#writer.write(chunk));
    this.#ending = end;
    await this.#end(end);
  }

  async #end(end: StreamEnd): Promise<void> {
    if (this.#ended) return;
    await unwrap(this.#writer.end(end));
    this.#ended = true;
    await this.#lease.release();
  }
}

async function unwrap(pending: AsyncResult<void, StreamWriteError>): Promise<void> {
  const result = await pending;
  if (!result.ok) throw result.error;
}
