import {
  assertStreamId,
  type CreateResult,
  InvalidArgumentError,
  isStreamError,
  mediaType,
  produceStream,
  StreamError,
  type StreamHead,
  type StreamStore,
} from '@perennial/core';

import { keepText } from './keep-text.ts';
import type { MakeStream, ResumableStreamContext, ResumableStreamContextOptions } from './options.ts';
import { readText } from './read-text.ts';
import { leaseStoreOf } from './store-of.ts';

const CONTENT_TYPE = 'text/plain; charset=utf-8';
const DEFAULT_LEASE_MS = 15_000;
const DEFAULT_TTL_MS = 24 * 3_600_000;

/**
 * Creates a context. Contexts of one process share their connections, so that one per request costs nothing.
 *
 * @throws `INVALID_ARGUMENT` where no store is given and the environment names no Redis.
 *
 * @example
 * const context = createResumableStreamContext({ waitUntil: after });
 * const stream = await context.resumableStream(streamId, () => answer(prompt));
 */
export function createResumableStreamContext(options: ResumableStreamContextOptions): ResumableStreamContext {
  const { leaseMs = DEFAULT_LEASE_MS, ttlMs = DEFAULT_TTL_MS, waitUntil, onError = warn } = options;
  const keyPrefix = options.keyPrefix || 'resumable-stream';
  const lease = leaseStoreOf(options, ttlMs);
  return new StoredTexts({ store: lease.store, release: lease.release, waitUntil, onError, leaseMs, ttlMs, keyPrefix });
}

type Settings = Required<
  Pick<ResumableStreamContextOptions, 'waitUntil' | 'onError' | 'leaseMs' | 'ttlMs' | 'keyPrefix'>
> & {
  readonly store: StreamStore;
  readonly release: () => Promise<void>;
};

class StoredTexts implements ResumableStreamContext {
  readonly #settings: Settings;
  readonly #producing = new Set<Promise<unknown>>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  async resumableStream(
    streamId: string,
    makeStream: MakeStream,
    skipCharacters = 0,
  ): Promise<ReadableStream<string> | null> {
    assertSkip(skipCharacters);
    const { created, head } = await this.#create(streamId);
    if (created) this.#produce(streamId, makeStream);
    else if (head.end) return null;
    return this.#read(streamId, skipCharacters);
  }

  async createNewResumableStream(
    streamId: string,
    makeStream: MakeStream,
    skipCharacters = 0,
  ): Promise<ReadableStream<string>> {
    assertSkip(skipCharacters);
    const { created } = await this.#create(streamId);
    if (!created) throw new StreamError('EXISTS', `There is a stream ${streamId} already. Choose an id that is new.`);
    this.#produce(streamId, makeStream);
    return this.#read(streamId, skipCharacters);
  }

  async resumeExistingStream(streamId: string, skipCharacters = 0): Promise<ReadableStream<string> | null | undefined> {
    assertSkip(skipCharacters);
    const head = await this.#head(streamId);
    if (!head) return undefined;
    return head.end ? null : this.#read(streamId, skipCharacters);
  }

  async hasExistingStream(streamId: string): Promise<null | true | 'DONE'> {
    const head = await this.#head(streamId);
    return head && (head.end ? 'DONE' : true);
  }

  async stopStream(streamId: string, reason?: string): Promise<boolean> {
    const mark = { type: 'cancel', ...(reason !== undefined && { reason }) } as const;
    try {
      return (await this.#settings.store.mark(this.#id(streamId), mark)).end === null;
    } catch (error) {
      if (isStreamError(error) && error.code === 'NOT_FOUND') return false;
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#producing);
    await this.#settings.release();
  }

  async #create(streamId: string): Promise<CreateResult> {
    const { store, leaseMs, ttlMs } = this.#settings;
    const id = this.#id(streamId);
    try {
      return await store.create(id, { contentType: CONTENT_TYPE, leaseMs, ttlMs });
    } catch (error) {
      // A text that was begun with another `ttlMs`, before a deployment for instance, is still the one that is meant.
      const head = isStreamError(error) && error.code === 'EXISTS' ? await store.head(id) : null;
      if (!head || mediaType(head.contentType) !== mediaType(CONTENT_TYPE)) throw error;
      return { created: false, head };
    }
  }

  #head(streamId: string): Promise<StreamHead | null> {
    return this.#settings.store.head(this.#id(streamId));
  }

  #produce(streamId: string, makeStream: MakeStream): void {
    const { store, leaseMs, ttlMs, waitUntil, onError } = this.#settings;
    const address = { store, streamId: this.#id(streamId), contentType: CONTENT_TYPE, leaseMs, ttlMs };
    let reported = false;
    const report = (error: unknown): void => {
      if (reported) return;
      reported = true;
      try {
        onError(error, streamId);
      } catch {
        // Nobody else would hear of it, and the stream is to end as what it is.
        warn(error, streamId);
      }
    };
    const { done } = produceStream<Uint8Array>(address, async (writer) => {
      try {
        await keepText(makeStream, writer);
      } catch (error) {
        if (!writer.signal.aborted) report(error);
        throw error;
      }
    });
    const producing = done.then((end) => {
      this.#producing.delete(producing);
      if (end.outcome === 'failed')
        report(new StreamError('FAILED', `Stream ${streamId} failed: ${end.error?.message}`));
    });
    this.#producing.add(producing);
    waitUntil?.(producing);
  }

  #read(streamId: string, skipCharacters: number): ReadableStream<string> {
    return readText(this.#settings.store, this.#id(streamId), skipCharacters);
  }

  #id(streamId: string): string {
    assertStreamId(streamId, 'streamId');
    return `${this.#settings.keyPrefix}/${streamId}`;
  }
}

function assertSkip(skipCharacters: number): void {
  if (!(Number.isSafeInteger(skipCharacters) && skipCharacters >= 0))
    throw new InvalidArgumentError(
      'skipCharacters',
      `\`skipCharacters\` must be a whole number from 0; got ${String(skipCharacters)}.`,
    );
}

function warn(error: unknown, streamId: string): void {
  process.emitWarning(
    `The resumable stream ${streamId} failed: ${error instanceof Error ? error.message : String(error)}`,
  );
}
