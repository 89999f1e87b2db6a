import {
  type AppendRequest,
  type AppendResult,
  type CreateOptions,
  type CreateResult,
  type ListResult,
  type Mark,
  type ProducerState,
  type Forks,
  type ReadResult,
  type RemovedStream,
  type StreamError,
  type StreamHead,
  StreamNotFoundError,
  type WaitOptions,
} from '@perennial/core';

import { createCatalogue } from './catalogue.ts';
import { createDirectorySync } from './directory-sync.ts';
import { createExclusive } from './exclusive.ts';
import { closedError, StreamCorruptError, toFileError } from './file-errors.ts';
import { createFileForks } from './file-forks.ts';
import { createHandlePool } from './handle-pool.ts';
import { storeLayout } from './layout.ts';
import type { ResolvedOptions } from './options.ts';
import { PageBudget } from './page-cache.ts';
import type { PageRequest } from './page-reader.ts';
import { currentProcess, type ProcessIdentity } from './process-identity.ts';
import { RetainedStreams } from './retained-streams.ts';
import type { StoreContext, StreamHost } from './store-context.ts';
import { createStoreLock } from './store-lock.ts';
import { createStream } from './stream-creation.ts';
import { StreamFolders } from './stream-folders.ts';
import { Stream } from './stream.ts';

/** Ids to list. */
export interface ListRequest {
  readonly prefix: string;
  readonly after: string | undefined;
  readonly limit: number;
}

/** Streams whose heads a listing loads at a time. */
const LIST_PARALLEL = 16;
/** Streams looked at for expiry per creation. */
const SWEEP_STREAMS = 4;
/** How much of the caches goes when all of them together are too large. */
const CACHE_RELIEF = 0.75;
/** Share of the memory for records that pages read again and again may take. */
const PAGE_SHARE = 0.25;

/** All that this process does in one directory; every store opened on the directory shares it. */
export class Engine {
  readonly options: ResolvedOptions;
  readonly #context: StoreContext;
  readonly #host: StreamHost;
  readonly #catalogue;
  readonly #folders: StreamFolders;
  readonly #retained: RetainedStreams;
  readonly #forks: Forks;
  readonly #syncNames: () => Promise<void>;
  readonly #acquiring = createExclusive();
  /** Loaded streams, those not used lately first. */
  readonly #streams = new Map<string, Stream>();
  /** Pins of removed forks that are being taken back. */
  readonly #releasing = new Set<Promise<void>>();
  #sweeping: readonly string[] = [];
  #trimming = false;
  #closed = false;

  /** @param root Real path of the directory. */
  constructor(root: string, options: ResolvedOptions, identity: ProcessIdentity = currentProcess()) {
    const { fs, lockStaleAfterMs, maxOpenFiles, cacheBytes, streamCacheBytes, maxPendingBytes } = options;
    const layout = storeLayout(root);
    this.options = options;
    this.#syncNames = createDirectorySync(fs, layout.streams);
    this.#context = {
      fs,
      layout,
      options,
      lock: createStoreLock({
        fs,
        directory: root,
        identity,
        staleAfterMs: lockStaleAfterMs,
        onLost: (error) => this.#onLost(error),
      }),
      handles: createHandlePool(maxOpenFiles),
      cache: {
        used: 0,
        maxBytes: cacheBytes * (1 - PAGE_SHARE),
        maxStreamBytes: streamCacheBytes,
        relieve: () => this.#relieveCaches(),
      },
      pages: new PageBudget(cacheBytes * PAGE_SHARE),
      pending: { used: 0, maxBytes: maxPendingBytes },
    };
    this.#folders = new StreamFolders(this.#context, this.#syncNames);
    this.#retained = new RetainedStreams(this.#context);
    this.#host = {
      context: this.#context,
      syncNames: this.#syncNames,
      discard: (stream) => this.#folders.discard(stream),
      isRetained: (id) => this.#retained.has(id),
      released: (removed) => this.#release(removed),
    };
    this.#forks = createFileForks({
      host: this.#host,
      retained: this.#retained,
      acquire: () => this.#acquire(),
      pinned: (id, call, doing) => this.#pinned(id, call, doing),
      trash: (folder) => this.#folders.trash(folder),
    });
    this.#catalogue = createCatalogue(this.#context);
  }

  async create(id: string, options: CreateOptions): Promise<CreateResult> {
    await this.#acquire();
    const { fork } = options;
    const result = fork
      ? await this.#forks.create(id, { ...options, fork })
      : await this.#pinned(id, (stream) => createStream(this.#host, stream, options), 'creating');
    if (result.created) this.#catalogue.forget(id);
    await this.#sweep();
    return result;
  }

  append(id: string, request: AppendRequest): Promise<AppendResult> {
    const stream = this.#streams.get(id);
    const lane = stream?.fastLane;
    if (!stream || !lane) return this.#write(id, (loaded) => loaded.append(request), 'appending to');
    stream.used = true;
    return lane.append(request);
  }

  read(id: string, request: PageRequest): Promise<ReadResult> {
    return this.#loaded(id, (stream) => stream.read(request), 'reading').then((page) =>
      this.#forks.read(page, request),
    );
  }

  wait(id: string, store: object, options: WaitOptions): Promise<StreamHead> {
    return this.#loaded(id, (stream) => ({ waiting: stream.wait(store, options) }), 'waiting for').then(
      ({ waiting }) => waiting,
    );
  }

  /** Null when there is no such stream. Looking at a stream is not using it. */
  head(id: string): Promise<StreamHead | null> {
    return this.#pinned(id, async (stream) => ((await stream.load(false)) ? stream.head() : null), 'reading');
  }

  producer(id: string, producerId: string): Promise<ProducerState | null> {
    return this.#loaded(id, (stream) => stream.producer(producerId), 'reading');
  }

  mark(id: string, mark: Mark): Promise<StreamHead> {
    if (mark.type === 'cancel')
      return this.#loaded(id, (stream) => stream.cancel(mark), 'requesting the cancellation of');
    const stream = this.#streams.get(id);
    const lane = stream?.fastLane;
    if (!stream || !lane) return this.#write(id, (loaded) => loaded.mark(mark), 'marking');
    stream.used = true;
    return lane.mark(mark);
  }

  async delete(id: string): Promise<boolean> {
    const remove = async (stream: Stream): Promise<boolean> => {
      if (!(await stream.exists())) return false;
      await this.#acquire();
      return stream.delete();
    };
    const deleted = await this.#pinned(id, remove, 'deleting');
    // The answer says that ids are free again.
    if (deleted) this.#follow(this.#forks.collect(id));
    await Promise.all(this.#releasing);
    return deleted;
  }

  async list({ prefix, after, limit }: ListRequest): Promise<ListResult> {
    const ids = await this.#catalogue.ids({ prefix, after });
    const streams: StreamHead[] = [];
    for (let start = 0; start < ids.length && streams.length < limit; start += LIST_PARALLEL) {
      const heads = await Promise.all(ids.slice(start, start + LIST_PARALLEL).map((id) => this.#listed(id)));
      for (const head of heads) if (head && streams.length < limit) streams.push(head);
    }
    const last = streams.at(-1);
    return last && streams.length === limit && last.id !== ids.at(-1) ? { streams, next: last.id } : { streams };
  }

  /** Rejects what waits on behalf of a store that closes. */
  release(store: object): void {
    for (const stream of this.#streams.values()) stream.failWaits(store);
  }

  /** Answers what was accepted, then gives up files and lock. */
  async close(): Promise<void> {
    await Promise.all(this.#releasing);
    this.#closed = true;
    const outcomes = await Promise.allSettled([...this.#streams.values()].map((stream) => stream.close()));
    this.#streams.clear();
    await this.#retained.close();
    await this.#folders.settled();
    await this.#context.lock.release();
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw toFileError(outcome.reason, 'closing');
  }

  /** Takes the lock with the first mutation; later ones find it held. */
  async #acquire(): Promise<void> {
    const { lock } = this.#context;
    if (lock.held) return;
    try {
      await this.#acquiring(async () => {
        if (lock.held) return;
        await this.#folders.make();
        await lock.acquire();
        await this.#folders.removeLeftovers();
        this.#follow(this.#collectRetained());
      });
    } catch (error) {
      throw toFileError(error, `taking the lock of ${this.#context.layout.root}`);
    }
  }

  #release(removed: RemovedStream): void {
    if (removed.fork) this.#follow(this.#forks.release(removed));
  }

  /** What fails here is made good when retained streams are looked through. */
  #follow(work: Promise<void>): void {
    const releasing = work.catch(() => undefined).finally(() => this.#releasing.delete(releasing));
    this.#releasing.add(releasing);
  }

  /** Gives up retained streams whose forks are gone; a crash may have kept their pins. */
  async #collectRetained(): Promise<void> {
    for (const id of await this.#retained.ids()) await this.#forks.collect(id);
  }

  #onLost(error: StreamError): void {
    for (const stream of this.#streams.values()) stream.loseLock(error);
  }

  async #write<T>(id: string, call: (stream: Stream) => Promise<T>, doing: string): Promise<T> {
    if (!this.#context.lock.held) {
      // An absent stream is no reason to take the lock.
      if (!(await this.#pinned(id, (stream) => stream.exists(), doing))) throw await this.#absence(id);
      await this.#acquire();
    }
    return this.#loaded(id, call, doing);
  }

  #loaded<T>(id: string, call: (stream: Stream) => T | Promise<T>, doing: string): Promise<T> {
    const load = async (stream: Stream): Promise<T> => {
      if (!(await stream.load())) throw await this.#absence(id);
      return call(stream);
    };
    return this.#pinned(id, load, doing);
  }

  async #absence(id: string): Promise<StreamNotFoundError> {
    return new StreamNotFoundError(id, { retained: await this.#retained.has(id) });
  }

  /** Keeps the stream loaded during a call, and translates what the file system throws. */
  async #pinned<T>(id: string, call: (stream: Stream) => Promise<T>, doing: string): Promise<T> {
    if (this.#closed) throw closedError();
    let stream = this.#streams.get(id);
    if (!stream) {
      stream = new Stream(this.#host, id);
      this.#streams.set(id, stream);
    }
    stream.pins++;
    try {
      return await call(stream);
    } catch (error) {
      throw toFileError(error, `${doing} ${stream.folder}`);
    } finally {
      stream.pins--;
      if (!stream.isLoaded) this.#forget(id, stream);
      if (this.#streams.size > this.options.maxLoadedStreams) this.#trim();
    }
  }

  /** The head of a stream for a listing; null when it is gone, or so damaged that nothing of it is known. */
  async #listed(id: string): Promise<StreamHead | null> {
    const head = async (stream: Stream): Promise<StreamHead | null> =>
      (await stream.load(false)) ? stream.intactHead() : null;
    try {
      return await this.#pinned(id, head, 'listing');
    } catch (error) {
      if (error instanceof StreamCorruptError) return null;
      throw error;
    }
  }

  /** Unloads idle streams, save those used since the last search. */
  #trim(): void {
    if (this.#trimming) return;
    this.#trimming = true;
    void this.#unloadIdle()
      // A file that cannot be closed is nothing that a later call could mend.
      .catch(() => undefined)
      .finally(() => {
        this.#trimming = false;
      });
  }

  async #unloadIdle(): Promise<void> {
    for (const [id, stream] of this.#streams) {
      if (this.#streams.size <= this.options.maxLoadedStreams) return;
      if (stream.used || !stream.idle) stream.used = false;
      else {
        await stream.unload();
        this.#forget(id, stream);
      }
    }
  }

  /** Drops an object that holds nothing. It must stay while anybody uses it: two objects for one stream would be two writers. */
  #forget(id: string, stream: Stream): void {
    if (stream.isLoaded || !stream.idle || this.#streams.get(id) !== stream) return;
    this.#streams.delete(id);
  }

  #relieveCaches(): void {
    const { cache } = this.#context;
    for (const stream of this.#streams.values()) {
      if (cache.used <= cache.maxBytes * CACHE_RELIEF) return;
      stream.dropCache();
    }
  }

  /** Looks at a few streams with every creation, all of them in turn, and removes those that have expired. */
  async #sweep(): Promise<void> {
    try {
      if (this.#sweeping.length === 0) {
        this.#sweeping = await this.#catalogue.names();
        this.#follow(this.#collectRetained());
      }
      const some = this.#sweeping.slice(0, SWEEP_STREAMS);
      this.#sweeping = this.#sweeping.slice(SWEEP_STREAMS);
      for (const name of some) {
        const entry = await this.#catalogue.entry(name);
        if (entry?.expires) await this.#pinned(entry.id, (stream) => stream.load(false), 'sweeping');
      }
    } catch {
      // Whoever asks for an expired stream removes it, and a creation does not fail for another stream's sake.
    }
  }
}
