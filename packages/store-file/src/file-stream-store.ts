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
  type ListOptions,
  type ListResult,
  type Mark,
  type ProducerState,
  type ReadOptions,
  type ReadResult,
  type StreamHead,
  type StreamStore,
  type WaitOptions,
} from '@perennial/core';

import type { Engine } from './engine.ts';
import { closedError, toFileError } from './file-errors.ts';
import { type FileStreamStoreOptions, resolveOptions, type ResolvedOptions } from './options.ts';
import { type EngineLease, leaseEngine } from './registry.ts';

/**
 * Creates a store that keeps every stream in an append-only log on the local disk. Nothing is touched until the first call; the first
 * mutation takes the directory's lock, which one process can have.
 *
 * Stores on the same directory in one process share one engine, with the limits of whichever was used first.
 *
 * @throws `INVALID_ARGUMENT` naming an option that cannot be honoured.
 * @example
 * const store = createFileStreamStore({ directory: './streams' });
 * await store.create('chats/42/answer');
 * await store.append('chats/42/answer', { segments: [{ records: [{ data: '"Hello"' }] }] });
 * await store.close();
 */
export function createFileStreamStore(options: FileStreamStoreOptions): StreamStore {
  return new FileStreamStore(resolveOptions(options));
}

class FileStreamStore implements StreamStore {
  readonly capabilities = { durable: true, shared: false } as const;
  readonly #options: ResolvedOptions;
  #leasing: Promise<EngineLease> | null = null;
  #engine: Engine | null = null;
  #closing: Promise<void> | null = null;
  /** Calls at work, waits aside. */
  #active = 0;
  #onIdle: (() => void) | null = null;

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  async create(id: string, options: CreateOptions = {}): Promise<CreateResult> {
    this.#assertOpen();
    assertStreamId(id);
    assertCreateOptions(options);
    return this.#call((engine) => engine.create(id, options));
  }

  /** Not `async`: an append on a loaded stream reaches its queue in the same turn, at the cost of one promise. */
  append(id: string, request: AppendRequest): Promise<AppendResult> {
    try {
      this.#assertOpen();
      assertStreamId(id);
      assertAppendRequest(request);
    } catch (error) {
      return Promise.reject(toFileError(error, 'checking an append'));
    }
    return this.#engine ? this.#engine.append(id, request) : this.#call((engine) => engine.append(id, request));
  }

  async read(id: string, options: ReadOptions): Promise<ReadResult> {
    this.#assertOpen();
    assertStreamId(id);
    assertReadOptions(options);
    const { from, limit = DEFAULT_PAGE_LIMIT, maxBytes = DEFAULT_PAGE_BYTES } = options;
    return this.#call((engine) => engine.read(id, { from, limit, maxBytes }));
  }

  async wait(id: string, options: WaitOptions): Promise<StreamHead> {
    this.#assertOpen();
    assertStreamId(id);
    assertWaitOptions(options);
    return (await this.#lease()).wait(id, this, options);
  }

  async head(id: string): Promise<StreamHead | null> {
    this.#assertOpen();
    assertStreamId(id);
    return this.#call((engine) => engine.head(id));
  }

  async producer(id: string, producerId: string): Promise<ProducerState | null> {
    this.#assertOpen();
    assertStreamId(id);
    assertProducerId('producerId', producerId);
    return this.#call((engine) => engine.producer(id, producerId));
  }

  async delete(id: string): Promise<boolean> {
    this.#assertOpen();
    assertStreamId(id);
    return this.#call((engine) => engine.delete(id));
  }

  async list(options: ListOptions = {}): Promise<ListResult> {
    this.#assertOpen();
    assertListOptions(options);
    const { prefix = '', after, limit = DEFAULT_PAGE_LIMIT } = options;
    return this.#call((engine) => engine.list({ prefix, after, limit }));
  }

  async mark(id: string, mark: Mark): Promise<StreamHead> {
    this.#assertOpen();
    assertStreamId(id);
    assertMark(mark);
    return this.#call((engine) => engine.mark(id, mark));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // Calls made before are answered; waits, which may last for ever, are not waited for.
    if (this.#active > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    const lease = await this.#leasing?.catch(() => null);
    if (!lease) return;
    lease.engine.release(this);
    await lease.release();
  }

  async #call<T>(call: (engine: Engine) => Promise<T>): Promise<T> {
    this.#active++;
    try {
      // With the engine at hand the call begins in this turn, so that calls keep their order.
      return await call(this.#engine ?? (await this.#lease()));
    } finally {
      if (--this.#active === 0) this.#onIdle?.();
    }
  }

  async #lease(): Promise<Engine> {
    if (this.#engine) return this.#engine;
    this.#leasing ??= leaseEngine(this.#options).catch((error: unknown) => {
      this.#leasing = null;
      throw toFileError(error, `opening ${this.#options.directory}`);
    });
    const { engine } = await this.#leasing;
    this.#engine = engine;
    return engine;
  }

  #assertOpen(): void {
    if (this.#closing) throw closedError();
  }
}
