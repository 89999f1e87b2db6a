import {
  assertCounter,
  getStreamReader,
  isStreamChunk,
  type StreamChunk,
  type StreamChunkError,
  StreamError,
  type StreamReader,
  type StreamReadError,
} from '@perennial/core';

import { type ChunkTarget, leaseRedisStore, type SharedStoreOptions, type StoreLease } from '../store-lease.ts';

/** Options of {@link RedisStreamConsumer.read}. */
export interface ConsumeOptions {
  /** Position of the first chunk wanted. @default 0 */
  readonly from?: number;
  /** Stops the iteration with an `ABORTED` error. Never stops the work: ask for that with the store's `mark`. */
  readonly signal?: AbortSignal;
  /** Create the stream when it does not exist yet: for a consumer that may start before its publisher. @default false */
  readonly create?: boolean;
}

/**
 * Consumes the chunks that a `RedisStreamPublisher` publishes, in any process, from any position.
 *
 * @example
 * const consumer = new RedisStreamConsumer(redis);
 * for await (const chunk of consumer.read(streamId)) if (chunk.type === 'data') process.stdout.write(chunk.data.token);
 */
export class RedisStreamConsumer<T = unknown> {
  readonly #target: ChunkTarget;
  readonly #options: SharedStoreOptions;

  /** @param target A client, of which all publishers and consumers share one store, or a store of yours. */
  constructor(target: ChunkTarget, options: SharedStoreOptions = {}) {
    this.#target = target;
    this.#options = options;
  }

  /**
   * The chunks of a stream, as they come. The last one is `complete` or `error`: work that broke off without a last chunk (its process
   * died, it was cancelled) ends with an `error` chunk, too.
   *
   * @throws From iteration: `NOT_FOUND` when the stream does not exist, `ABORTED`, and what the store throws.
   */
  read(streamId: string, options: ConsumeOptions = {}): AsyncIterableIterator<StreamChunk<T>> {
    if (options.from !== undefined) assertCounter('from', options.from);
    return new ChunkIterator<T>(() => leaseRedisStore(this.#target, this.#options), streamId, options);
  }
}

/** An open iteration: nothing is held before the first `next`. */
interface Opened {
  readonly lease: StoreLease;
  readonly reader: StreamReader<unknown>;
}

class ChunkIterator<T> implements AsyncIterableIterator<StreamChunk<T>> {
  readonly #lease: () => StoreLease;
  readonly #streamId: string;
  readonly #options: ConsumeOptions;
  #opened: Promise<Opened> | null = null;
  #done = false;

  constructor(lease: () => StoreLease, streamId: string, options: ConsumeOptions) {
    this.#lease = lease;
    this.#streamId = streamId;
    this.#options = options;
  }

  async next(): Promise<IteratorResult<StreamChunk<T>, undefined>> {
    if (this.#done) return { done: true, value: undefined };
    try {
      const { reader } = await (this.#opened ??= this.#open());
      const result = await reader.read();
      const chunk = result.ok ? this.#chunkOf(result.value, reader.position - 1) : lastChunk(result.error);
      if (chunk === null) return await this.#finish();
      if (chunk.type === 'complete' || chunk.type === 'error') await this.#finish();
      // The type of a stream's values is its writer's promise.
      return { done: false, value: chunk as StreamChunk<T> };
    } catch (error) {
      await this.#finish();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<StreamChunk<T>, undefined>> {
    return this.#finish();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #open(): Promise<Opened> {
    const { from = 0, signal, create = false } = this.#options;
    const lease = this.#lease();
    const reader = getStreamReader({
      store: lease.store,
      streamId: this.#streamId,
      startIndex: from,
      ...(signal && { signal }),
    });
    try {
      if (create) await lease.store.create(this.#streamId);
    } catch (error) {
      await lease.release();
      throw error;
    }
    return { lease, reader };
  }

  async #finish(): Promise<IteratorResult<StreamChunk<T>, undefined>> {
    this.#done = true;
    const opened = await this.#opened?.catch(() => null);
    await opened?.reader.close();
    await opened?.lease.release();
    return { done: true, value: undefined };
  }

  #chunkOf(value: unknown, position: number): StreamChunk {
    if (isStreamChunk(value)) return value;
    throw new StreamError('CORRUPT', `The record at position ${position} of stream ${this.#streamId} is no chunk.`);
  }
}

/** The chunk that stands for the end of a stream without a last chunk; null when it completed. Throws what is no end. */
function lastChunk(error: StreamReadError): StreamChunk | null {
  switch (error.type) {
    case 'STREAM_ENDED':
      return null;
    case 'STREAM_FAILED':
      return { type: 'error', error: publicError(error.end.error) };
    case 'STREAM_CANCELLED':
      return { type: 'error', error: { code: 'CANCELLED', message: error.reason ?? 'The work was cancelled.' } };
    default:
      throw error;
  }
}

function publicError(error: StreamChunkError | undefined): StreamChunkError {
  const { code = 'ERROR', message = 'The work failed.' } = error ?? {};
  return { code, message };
}
