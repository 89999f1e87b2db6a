import { encodeJson, type StreamStore, toStreamFailure } from '@perennial/core';

import type { StreamingActor } from '../actor/actor.ts';
import { type ActorStream, isLastChunk } from '../actor/chunks.ts';
import { collectResult } from '../actor/collect.ts';
import type { ActorCallContext, ActorContext } from '../actor/context.ts';
import { manageChunks } from '../actor/managed-stream.ts';
import { DEFAULT_ADDRESS } from '../config/config.ts';
import { assertName, assertObject, assertWhole } from '../errors.ts';
import type { MessageQueue } from '../queue/message-queue.ts';
import { cancelJob } from './cancel-job.ts';
import { readChunks, type ReadChunksOptions, type Restart } from './chunk-reader.ts';

/** Options of {@link RemoteStreamingActor}. */
export interface RemoteStreamingActorOptions {
  /** Carries the message to a worker. */
  readonly queue: MessageQueue;
  /** Carries the chunks back; the worker's. */
  readonly store: StreamStore;
  /** Type under which the worker knows the actor. */
  readonly actorType: string;
  /** Where workers listen. @default 'actors' */
  readonly address?: string;
  /** How long the chunks are kept after the last read or write, in ms. @default the store's */
  readonly ttlMs?: number;
  /** Longest wait for a chunk, in ms, the time in the queue included; then `TIMEOUT`, and the work is cancelled. @default none */
  readonly silenceMs?: number;
  /** See {@link ReadChunksOptions.onRestart}. @default a `RESTARTED` error */
  readonly onRestart?: (restart: Restart) => void;
}

/** Options of {@link RemoteStreamingActor.read}. */
export type ReadOptions = Pick<ReadChunksOptions, 'cursor' | 'signal' | 'onRestart' | 'silenceMs'>;

/** A job that was started. */
export interface StartedJob {
  /** Stream that the chunks go to, for readers in any process. */
  readonly streamId: string;
}

/**
 * An actor that runs in a worker, called like a local one.
 *
 * What the actor throws arrives as an `error` chunk. When a worker dies, another one runs the actor again; the consumer gets each datum
 * once (see {@link RemoteStreamingActorOptions.onRestart} for actors that say something else the second time).
 *
 * @example
 * const chat = new RemoteStreamingActor({ queue, store, actorType: 'chat-agent' });
 * for await (const chunk of chat.stream(input)) console.log(chunk);
 */
export class RemoteStreamingActor<Input = unknown, Output = unknown, Data = Output> implements StreamingActor<
  Input,
  Output,
  Data
> {
  readonly #options: RemoteStreamingActorOptions;

  /** @throws `INVALID_ARGUMENT`. Nothing is opened or sent. */
  constructor(options: RemoteStreamingActorOptions) {
    assertObject('queue', options.queue);
    assertObject('store', options.store);
    assertName('actorType', options.actorType);
    if (options.address !== undefined) assertName('address', options.address);
    assertWhole('ttlMs', options.ttlMs);
    assertWhole('silenceMs', options.silenceMs);
    this.#options = options;
  }

  /** The result. */
  execute(input: Input, context?: ActorCallContext): Promise<Output> {
    // The result of one attempt, whichever: what was said on the way does not matter. Its type is the actor's promise.
    const stream = manageChunks((whole) => this.#run(input, whole, () => {}), context);
    return collectResult(stream) as Promise<Output>;
  }

  /** The chunks as they come. Leaving the loop before the last one asks the worker to stop. */
  stream(input: Input, context?: ActorCallContext): ActorStream<Data> {
    return manageChunks((whole) => this.#run(input, whole, this.#options.onRestart), context);
  }

  /**
   * Starts the work and returns at once. It goes on whether or not anybody reads.
   *
   * @throws `UNSERIALISABLE` for an input that JSON cannot carry, and what store and queue throw; then nothing was started.
   */
  async start(input: Input): Promise<StartedJob> {
    const { store, queue, actorType, address = DEFAULT_ADDRESS, ttlMs } = this.#options;
    if (input !== undefined) encodeJson(input);
    const streamId = `actors/${encodeURIComponent(actorType)}/${crypto.randomUUID()}`;
    await store.create(streamId, ttlMs === undefined ? {} : { ttlMs });
    try {
      await queue.send(address, { action: 'stream', streamId, actorType, input });
    } catch (error) {
      const end = { outcome: 'failed', error: toStreamFailure(error) } as const;
      // The queue's failure is the one to report; without an end, the empty stream goes with its time to live.
      await store.append(streamId, { segments: [{ records: [], end }] }).catch(() => {});
      throw error;
    }
    return { streamId };
  }

  /** The chunks of work that was started, from any process and place. Leaving the loop leaves the work alone. */
  read(streamId: string, options: ReadOptions = {}): ActorStream<Data> {
    const { store, silenceMs, onRestart } = this.#options;
    const { signal, ...rest } = options;
    return manageChunks(
      (whole) =>
        chunksOf({
          store,
          streamId,
          ...(silenceMs !== undefined && { silenceMs }),
          ...(onRestart && { onRestart }),
          ...rest,
          signal: whole.signal,
        }),
      signal ? { signal } : {},
    );
  }

  /** Asks the work to stop: durable, and at once if no worker has begun. Nothing happens when it is over. */
  async cancel(streamId: string, reason?: string): Promise<void> {
    await cancelJob(this.#options.store, streamId, reason);
  }

  async *#run(input: Input, { signal }: ActorContext, onRestart?: (restart: Restart) => void): ActorStream {
    const { store, silenceMs } = this.#options;
    const { streamId } = await this.start(input);
    let ended = false;
    try {
      const options = { store, streamId, signal, ...(silenceMs !== undefined && { silenceMs }) };
      for await (const chunk of chunksOf({ ...options, ...(onRestart && { onRestart }) })) {
        ended = isLastChunk(chunk);
        yield chunk;
      }
    } finally {
      if (!ended) await this.cancel(streamId, 'The consumer left.');
    }
  }
}

async function* chunksOf(options: ReadChunksOptions): ActorStream {
  for await (const { chunk } of readChunks(options)) yield chunk;
}
