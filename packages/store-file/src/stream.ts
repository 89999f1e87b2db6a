/**
 * One stream of a directory, as this process holds it: the calls on it, and which of them must wait for one another.
 *
 * What is loaded of it, to write or to read, is kept by {@link StreamLoading}. Waiters belong to the stream, not to what is loaded: they
 * stay while it is unloaded and loaded again.
 */
import {
  type AppendRequest,
  type AppendResult,
  decideMark,
  type Mark,
  type OwnPage,
  type ProducerState,
  type ReadResult,
  type StreamError,
  StreamGapError,
  type StreamHead,
  StreamNotFoundError,
  type WaitOptions,
} from '@perennial/core';

import { requestCancel } from './cancel-file.ts';
import { coalesce } from './coalesce.ts';
import { createExclusive, type Exclusive } from './exclusive.ts';
import { closedError, StreamCorruptError } from './file-errors.ts';
import { listIfPresent } from './file-system.ts';
import { newestLog, streamFolder } from './layout.ts';
import { type FollowCare, moreCareful } from './log-follower.ts';
import { corruptError, type OwnedLog } from './log-loader.ts';
import type { OwnedStream } from './owned-stream.ts';
import { type PageRequest, readStoredPage } from './page-reader.ts';
import type { StoreContext, StreamHost } from './store-context.ts';
import type { LockClaim } from './store-lock.ts';
import { StreamLife } from './stream-life.ts';
import { StreamLoading } from './stream-loading.ts';
import { createStreamNews, type StreamNews } from './stream-news.ts';
import { StreamWaiting } from './stream-waiting.ts';

/** See the head of this file. */
export class Stream {
  readonly id: string;
  readonly folder: string;
  /** Calls at work; the stream stays loaded meanwhile. */
  pins = 0;
  /** Set by every call, cleared by the search for idle streams. */
  used = true;
  /** Runs a task while nothing else loads, creates or deletes the stream. */
  readonly alone: Exclusive = createExclusive();
  readonly #host: StreamHost;
  readonly #context: StoreContext;
  readonly #life: StreamLife;
  readonly #loading: StreamLoading;
  readonly #waiting: StreamWaiting;
  readonly #news: StreamNews;
  readonly #refresh = coalesce<FollowCare>((care) => this.alone(() => this.#loading.refresh(care)), moreCareful);

  constructor(host: StreamHost, id: string) {
    const { context } = host;
    const folder = streamFolder(context.layout, id);
    const life = new StreamLife(context, folder);
    const waiting = new StreamWaiting({ latest: () => this.#loading.latestHead(), watch: () => this.#news.watch() });
    this.#host = host;
    this.#context = context;
    this.id = id;
    this.folder = folder;
    this.#life = life;
    this.#waiting = waiting;
    this.#loading = new StreamLoading({ context, id, folder, life, waiting, onLost: () => this.#readOn() });
    this.#news = createStreamNews({
      context,
      folder,
      loaded: () => this.#loading.open,
      isAwaited: () => waiting.size > 0,
      onIdle: () => waiting.rest(),
      refresh: (care) => this.#refresh(care),
      expire: async () => {
        if (this.#isExpired()) await this.alone(() => this.#expire());
      },
    });
  }

  /** The queue of a stream that this process writes and that never expires: appends may go there without further ado. */
  get fastLane(): OwnedStream['queue'] | null {
    const { open } = this.#loading;
    if (open?.kind !== 'owned' || open.log.damage) return null;
    const { ttlMs, expiresAt } = open.log.state.head;
    return ttlMs === null && expiresAt === null ? open.queue : null;
  }

  get isLoaded(): boolean {
    return this.#loading.open !== null;
  }

  /** True when the stream can be unloaded without anybody noticing. */
  get idle(): boolean {
    const isBusy = this.#loading.open?.kind === 'owned' && this.#loading.open.queue.busy;
    return this.pins === 0 && this.#waiting.size === 0 && !isBusy && !this.#life.busy;
  }

  /** Gives up the recent records; readers go to the file. */
  dropCache(): void {
    this.#loading.open?.log.cache.clear();
  }

  /** True when there is a log. Needs no lock and loads nothing. */
  async exists(): Promise<boolean> {
    return this.#loading.open !== null || newestLog(await listIfPresent(this.#context.fs, this.folder)) !== null;
  }

  /**
   * Loads the stream, or brings it up to date. False when there is none, or none any more.
   *
   * @param touch Counts as a use of a stream with a sliding ttl.
   */
  async load(touch = true): Promise<boolean> {
    this.used = true;
    // A wait on an owned stream must be registered before a close that is called after it.
    if (this.#loading.open?.kind !== 'owned') await this.#catchUp();
    if (!this.#loading.open) return false;
    if (this.#isExpired()) {
      await this.alone(() => this.#expire());
      return false;
    }
    if (touch) this.touch();
    return true;
  }

  /** The stream is used now. */
  touch(): void {
    this.#life.touch(this.#loading.loaded().log.state.head, false);
  }

  /** Appends to an owned stream. */
  append(request: AppendRequest): Promise<AppendResult> {
    return this.#loading.owned().queue.append(request);
  }

  async read(request: PageRequest): Promise<ReadResult> {
    const open = this.#loading.loaded();
    const { head } = open.log.state;
    const { from } = request;
    if (from < head.firstPosition) throw new StreamGapError(this.id, from, head.firstPosition);
    return { records: await readStoredPage(open, request), head };
  }

  /** Reads own records for a fork, which is no use of the stream; null when it is another incarnation, or gone. */
  async readFor(incarnation: string, request: PageRequest): Promise<OwnPage | null> {
    this.used = true;
    if (this.#loading.open?.kind !== 'owned') await this.#catchUp();
    const { open } = this.#loading;
    if (open?.log.state.head.incarnation !== incarnation) return null;
    return { records: await readStoredPage(open, request), fork: open.log.state.head.fork };
  }

  /** The durable head. @throws {@link StreamCorruptError} when the log is damaged: a later end or token may be lost. */
  head(): StreamHead {
    return this.#loading.sound().log.state.head;
  }

  /** The head as far as the log is intact. */
  intactHead(): StreamHead {
    return this.#loading.loaded().log.state.head;
  }

  producer(producerId: string): ProducerState | null {
    return this.#loading.sound().log.state.producers.get(producerId) ?? null;
  }

  /** Waits on behalf of `store`. */
  wait(store: object, options: WaitOptions): Promise<StreamHead> {
    const open = this.#loading.loaded();
    const { log } = open;
    if (log.damage && options.position >= log.damage.position) return Promise.reject(corruptError(open));
    return this.#waiting.wait(log.state.head, options, { store, needsWatch: !!options.cancel || !this.fastLane });
  }

  /** Rejects those who wait on behalf of `store`. */
  failWaits(store: object): void {
    this.#waiting.fail(closedError(), store);
  }

  mark(mark: Exclude<Mark, { type: 'cancel' }>): Promise<StreamHead> {
    return this.#loading.owned().queue.mark(mark);
  }

  /** Makes a cancel request; any process may. */
  async cancel(mark: Extract<Mark, { type: 'cancel' }>): Promise<StreamHead> {
    const open = this.#loading.sound();
    const { fs, options } = this.#context;
    const head = open.kind === 'owned' ? open.queue.acceptedHead : open.log.state.head;
    const request = decideMark({ head, fenceNonce: null }, mark, options.now())?.head.cancel;
    const standing = request && (await requestCancel(fs, this.folder, head.incarnation, request));
    if (open.kind === 'owned') return standing ? open.queue.noteCancel(standing) : open.queue.settled();
    if (standing) await this.#refresh('notified');
    return this.head();
  }

  /** Runs a task alone, with what is there of the stream, not expired, and the claim behind that. Holding the lock is the caller's duty. */
  exclusively<T>(task: (open: OwnedStream | null, claim: LockClaim) => Promise<T>): Promise<T> {
    return this.alone(async () => {
      const claim = await this.#context.lock.check();
      await this.#loading.ensure();
      if (this.#isExpired()) await this.#remove();
      return task(this.#loading.open && this.#loading.owned(), claim);
    });
  }

  /** Goes on with a log that was just made; only in {@link exclusively}. */
  take(made: OwnedLog): void {
    this.#loading.own(made);
  }

  /** Deletes the stream; false when there was none. Holding the lock is the caller's duty. */
  delete(): Promise<boolean> {
    return this.alone(async () => {
      await this.#context.lock.check();
      let expired = false;
      try {
        await this.#loading.ensure();
        expired = this.#isExpired();
      } catch (error) {
        // What cannot be read can still be deleted.
        if (!(error instanceof StreamCorruptError)) throw error;
      }
      if (!(await this.exists())) return false;
      await this.#remove();
      return !expired;
    });
  }

  /** Forgets the state of an idle stream. */
  unload(): Promise<void> {
    return this.alone(async () => {
      if (this.idle) await this.#loading.close(new StreamNotFoundError(this.id));
    });
  }

  /** Answers what was accepted and closes the stream for good. */
  close(): Promise<void> {
    this.#waiting.fail(closedError());
    return this.alone(() => this.#loading.close(closedError()));
  }

  /** The lock was lost: nothing this process has accepted counts. Waiters go on as readers. */
  loseLock(error: StreamError): void {
    this.#loading.loseLock(error);
  }

  /** Loads a stream that this process does not write, or brings it up to date. */
  #catchUp(): Promise<void> {
    if (this.#loading.open?.kind === 'following' && !this.#context.lock.held) return this.#refresh('asked');
    return this.alone(() => this.#loading.ensure());
  }

  /** Those who wait for news of a stream that this process writes no more get them as readers do. */
  #readOn(): void {
    this.#waiting.keepWatch();
    this.#news.look();
  }

  async #remove(): Promise<void> {
    const head = this.#loading.open?.log.state.head;
    await this.#loading.close(new StreamNotFoundError(this.id));
    const isRetained = await this.#host.discard(this);
    this.#loading.vanish();
    if (head && !isRetained) this.#host.released(head);
  }

  async #expire(): Promise<void> {
    if (!this.#loading.open || !this.#isExpired()) return;
    if (this.#context.lock.held) await this.#remove();
    else this.#waiting.fail(new StreamNotFoundError(this.id));
  }

  #isExpired(): boolean {
    const { open } = this.#loading;
    return open !== null && this.#life.isExpired(open.log.state.head);
  }
}
