/**
 * One stream of a directory, as this process holds it.
 *
 * States: unloaded -> following (another process writes, or nobody) or owned (this process writes) -> unloaded again when idle for long,
 * deleted, or when the lock was lost. Only tasks on `alone` change the state, one at a time; losing the lock is the exception, and
 * takes effect at once. Waiters belong to the stream, not to the state: they stay while it is unloaded and loaded again.
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
import { closedError, lockLost, StreamCorruptError, toFileError } from './file-errors.ts';
import { isMissing, listIfPresent } from './file-system.ts';
import { FollowedStream } from './followed-stream.ts';
import { newestLog, streamFolder } from './layout.ts';
import { type FollowCare, moreCareful } from './log-follower.ts';
import { corruptError, type OwnedLog } from './log-loader.ts';
import { openOwned } from './log-recovery.ts';
import { OwnedStream } from './owned-stream.ts';
import { type PageRequest, readStoredPage } from './page-reader.ts';
import type { StoreContext, StreamHost } from './store-context.ts';
import type { LockClaim } from './store-lock.ts';
import { StreamLife } from './stream-life.ts';
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
  readonly #waiting: StreamWaiting;
  readonly #news: StreamNews;
  readonly #refresh = coalesce<FollowCare>((care) => this.alone(() => this.#refreshNow(care)), moreCareful);
  #open: OwnedStream | FollowedStream | null = null;
  /** The last head known, for waiters of a stream that is not loaded at the moment. */
  #lastHead: StreamHead | null = null;
  /** Why calls on the unloaded stream fail. */
  #reason: StreamError;

  constructor(host: StreamHost, id: string) {
    this.#host = host;
    this.#context = host.context;
    this.id = id;
    this.folder = streamFolder(host.context.layout, id);
    this.#life = new StreamLife(host.context, this.folder);
    this.#reason = new StreamNotFoundError(id);
    this.#news = createStreamNews({
      context: this.#context,
      folder: this.folder,
      loaded: () => this.#open,
      isAwaited: () => this.#waiting.size > 0,
      onIdle: () => this.#waiting.rest(),
      refresh: (care) => this.#refresh(care),
      expire: async () => {
        if (this.#isExpired()) await this.alone(() => this.#expire());
      },
    });
    this.#waiting = new StreamWaiting({ latest: () => this.#latestHead(), watch: () => this.#news.watch() });
  }

  /** The queue of a stream that this process writes and that never expires: appends may go there without further ado. */
  get fastLane(): OwnedStream['queue'] | null {
    const open = this.#open;
    if (open?.kind !== 'owned' || open.log.damage) return null;
    const { ttlMs, expiresAt } = open.log.state.head;
    return ttlMs === null && expiresAt === null ? open.queue : null;
  }

  get isLoaded(): boolean {
    return this.#open !== null;
  }

  /** True when the stream can be unloaded without anybody noticing. */
  get idle(): boolean {
    const isBusy = this.#open?.kind === 'owned' && this.#open.queue.busy;
    return this.pins === 0 && this.#waiting.size === 0 && !isBusy && !this.#life.busy;
  }

  /** Gives up the recent records; readers go to the file. */
  dropCache(): void {
    this.#open?.log.cache.clear();
  }

  /** True when there is a log. Needs no lock and loads nothing. */
  async exists(): Promise<boolean> {
    return this.#open !== null || newestLog(await listIfPresent(this.#context.fs, this.folder)) !== null;
  }

  /**
   * Loads the stream, or brings it up to date. False when there is none, or none any more.
   *
   * @param touch Counts as a use of a stream with a sliding ttl.
   */
  async load(touch = true): Promise<boolean> {
    this.used = true;
    // A wait on an owned stream must be registered before a close that is called after it.
    if (this.#open?.kind !== 'owned') await this.#catchUp();
    if (!this.#open) return false;
    if (this.#isExpired()) {
      await this.alone(() => this.#expire());
      return false;
    }
    if (touch) this.touch();
    return true;
  }

  /** The stream is used now. */
  touch(): void {
    this.#life.touch(this.#loaded().log.state.head, false);
  }

  /** Appends to an owned stream. */
  append(request: AppendRequest): Promise<AppendResult> {
    return this.#owned().queue.append(request);
  }

  async read(request: PageRequest): Promise<ReadResult> {
    const open = this.#loaded();
    const { head } = open.log.state;
    const { from } = request;
    if (from < head.firstPosition) throw new StreamGapError(this.id, from, head.firstPosition);
    return { records: await readStoredPage(open, request), head };
  }

  /** Reads own records for a fork, which is no use of the stream; null when it is another incarnation, or gone. */
  async readFor(incarnation: string, request: PageRequest): Promise<OwnPage | null> {
    this.used = true;
    if (this.#open?.kind !== 'owned') await this.#catchUp();
    const open = this.#open;
    if (open?.log.state.head.incarnation !== incarnation) return null;
    return { records: await readStoredPage(open, request), fork: open.log.state.head.fork };
  }

  /** The durable head. @throws {@link StreamCorruptError} when the log is damaged: a later end or token may be lost. */
  head(): StreamHead {
    return this.#sound().log.state.head;
  }

  /** The head as far as the log is intact. */
  intactHead(): StreamHead {
    return this.#loaded().log.state.head;
  }

  producer(producerId: string): ProducerState | null {
    return this.#sound().log.state.producers.get(producerId) ?? null;
  }

  /** Waits on behalf of `store`. */
  wait(store: object, options: WaitOptions): Promise<StreamHead> {
    const open = this.#loaded();
    const { log } = open;
    if (log.damage && options.position >= log.damage.position) return Promise.reject(corruptError(open));
    return this.#waiting.wait(log.state.head, options, { store, needsWatch: !!options.cancel || !this.fastLane });
  }

  /** Rejects those who wait on behalf of `store`. */
  failWaits(store: object): void {
    this.#waiting.fail(closedError(), store);
  }

  mark(mark: Exclude<Mark, { type: 'cancel' }>): Promise<StreamHead> {
    return this.#owned().queue.mark(mark);
  }

  /** Makes a cancel request; any process may. */
  async cancel(mark: Extract<Mark, { type: 'cancel' }>): Promise<StreamHead> {
    const open = this.#sound();
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
      await this.#ensure();
      if (this.#isExpired()) await this.#remove();
      return task(this.#open && this.#owned(), claim);
    });
  }

  /** Goes on with a log that was just made; only in {@link exclusively}. */
  take(made: OwnedLog): void {
    this.#own(made);
  }

  /** Deletes the stream; false when there was none. Holding the lock is the caller's duty. */
  delete(): Promise<boolean> {
    return this.alone(async () => {
      await this.#context.lock.check();
      let expired = false;
      try {
        await this.#ensure();
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
      if (this.idle) await this.#close(new StreamNotFoundError(this.id));
    });
  }

  /** Answers what was accepted and closes the stream for good. */
  close(): Promise<void> {
    this.#waiting.fail(closedError());
    return this.alone(() => this.#close(closedError()));
  }

  /** The lock was lost: nothing this process has accepted counts. Waiters go on as readers. */
  loseLock(error: StreamError): void {
    const open = this.#open;
    if (open?.kind !== 'owned') return;
    this.#open = null;
    this.#reason = error;
    open.abandon(error);
    this.#waiting.keepWatch();
    this.#news.look();
  }

  /** Loads a stream that this process does not write, or brings it up to date. */
  #catchUp(): Promise<void> {
    if (this.#open?.kind === 'following' && !this.#context.lock.held) return this.#refresh('asked');
    return this.alone(() => this.#ensure());
  }

  async #close(reason: StreamError): Promise<void> {
    const open = this.#open;
    // First, so that a call that comes now loads the stream anew, after this task.
    this.#open = null;
    this.#reason = reason;
    await this.#life.settled();
    await open?.close(reason);
  }

  async #ensure(): Promise<void> {
    const { lock } = this.#context;
    if (this.#open?.kind === 'owned' || (this.#open && !lock.held)) return;
    const { claim } = lock;
    try {
      await (claim ? this.#openOwned(claim) : this.#openFollowed());
    } catch (error) {
      if (!claim || claim === lock.claim) throw toFileError(error, `opening ${this.folder}`);
      // The lock was lost on the way: what was read may be old, also where it is held again.
      await this.#close(new StreamNotFoundError(this.id));
      await this.#ensure();
    }
  }

  async #openOwned(claim: LockClaim): Promise<void> {
    const followed = this.#open?.kind === 'following' ? this.#open : null;
    const touchedAt = followed ? this.#life.touchedAt : 0;
    const loaded = await openOwned(this.#context, { id: this.id, folder: this.folder, claim, touchedAt });
    this.#open = null;
    await followed?.close();
    if (!loaded) return this.#vanish();
    this.#own(loaded);
    this.#publish();
  }

  async #openFollowed(): Promise<void> {
    const opened = await FollowedStream.open(this.#context, this);
    if (!opened) return this.#vanish();
    this.#adopt(opened.stream, opened.touchedAt);
    this.#publish();
  }

  #own(loaded: OwnedLog): void {
    const owned = new OwnedStream(this.#context, loaded, (head) => {
      this.#lastHead = head;
      this.#life.touch(head, true);
      this.#waiting.notify(head);
    });
    this.#adopt(owned, loaded.touchedAt);
    // Lost before there was anybody here to be told.
    if (loaded.claim !== this.#context.lock.claim) this.loseLock(lockLost(this.#context.layout.root));
  }

  #adopt(open: OwnedStream | FollowedStream, touchedAt: number): void {
    const { head } = open.log.state;
    if (this.#lastHead?.incarnation !== head.incarnation) {
      // Another stream of the same id: whoever waited for the old one has waited in vain.
      if (this.#lastHead) this.#waiting.fail(new StreamNotFoundError(this.id));
      this.#life.reset();
    }
    this.#open = open;
    this.#lastHead = head;
    this.#life.learn(touchedAt);
  }

  /** Tells the waiters what a load or refresh has brought. */
  #publish(): void {
    const open = this.#loaded();
    this.#lastHead = open.log.state.head;
    this.#waiting.notify(open.log.state.head);
    if (open.log.damage) this.#waiting.fail(corruptError(open));
  }

  #vanish(): void {
    this.#open = null;
    this.#lastHead = null;
    this.#life.reset();
    this.#reason = new StreamNotFoundError(this.id);
    this.#waiting.fail(this.#reason);
  }

  async #refreshNow(care: FollowCare): Promise<void> {
    const open = this.#open;
    if (open?.kind !== 'following' || this.#context.lock.held) return this.#ensure();
    try {
      const { news, touchedAt } = await open.refresh(care);
      this.#life.learn(touchedAt);
      if (news === 'some') this.#publish();
      if (news !== 'replaced') return;
    } catch (error) {
      if (!isMissing(error)) throw toFileError(error, `reading ${open.files.paths.log}`);
    }
    this.#open = null;
    await open.close();
    await this.#ensure();
  }

  async #remove(): Promise<void> {
    const head = this.#open?.log.state.head;
    await this.#close(new StreamNotFoundError(this.id));
    const isRetained = await this.#host.discard(this);
    this.#vanish();
    if (head && !isRetained) this.#host.released(head);
  }

  async #expire(): Promise<void> {
    if (!this.#open || !this.#isExpired()) return;
    if (this.#context.lock.held) await this.#remove();
    else this.#waiting.fail(new StreamNotFoundError(this.id));
  }

  #isExpired(): boolean {
    return this.#open !== null && this.#life.isExpired(this.#open.log.state.head);
  }

  #latestHead(): StreamHead {
    const head = this.#open?.log.state.head ?? this.#lastHead;
    if (!head) throw this.#reason;
    return head;
  }

  #loaded(): OwnedStream | FollowedStream {
    if (!this.#open) throw this.#reason;
    return this.#open;
  }

  #sound(): OwnedStream | FollowedStream {
    const open = this.#loaded();
    if (open.log.damage) throw corruptError(open);
    return open;
  }

  #owned(): OwnedStream {
    const open = this.#sound();
    if (open.kind !== 'owned') throw lockLost(this.#context.layout.root);
    return open;
  }
}
