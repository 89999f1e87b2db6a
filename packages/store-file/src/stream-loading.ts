/**
 * What this process has loaded of one stream, and how it comes by it.
 *
 * States: unloaded -> following (another process writes, or nobody) or owned (this process writes) -> unloaded again when idle for long,
 * deleted, or when the lock was lost. Only tasks that run alone on the stream change the state, one at a time; losing the lock is the
 * exception, and takes effect at once.
 */
import { type StreamError, type StreamHead, StreamNotFoundError } from '@perennial/core';

import { lockLost, toFileError } from './file-errors.ts';
import { isMissing } from './file-system.ts';
import { FollowedStream } from './followed-stream.ts';
import type { FollowCare } from './log-follower.ts';
import { corruptError, type OwnedLog } from './log-loader.ts';
import { openOwned } from './log-recovery.ts';
import { OwnedStream } from './owned-stream.ts';
import type { StoreContext } from './store-context.ts';
import type { LockClaim } from './store-lock.ts';
import type { StreamLife } from './stream-life.ts';
import type { StreamWaiting } from './stream-waiting.ts';

/** A loaded stream. */
export type OpenStream = OwnedStream | FollowedStream;

/** What {@link StreamLoading} needs from its stream. */
export interface StreamLoadingOptions {
  readonly context: StoreContext;
  readonly id: string;
  readonly folder: string;
  /** Learns when the stream was used, as far as the log and the files beside it tell. */
  readonly life: StreamLife;
  /** Is told what a load, a refresh or a commit brings, also while the stream is unloaded and loaded again. */
  readonly waiting: StreamWaiting;
  /** Called once an owned stream was let go because the lock was lost. */
  readonly onLost: () => void;
}

/** See the head of this file. Whatever changes the state is for tasks that run alone, save {@link loseLock}. */
export class StreamLoading {
  readonly #options: StreamLoadingOptions;
  #open: OpenStream | null = null;
  /** The last head known, for waiters of a stream that is not loaded at the moment. */
  #lastHead: StreamHead | null = null;
  /** Why calls on the unloaded stream fail. */
  #reason: StreamError;

  constructor(options: StreamLoadingOptions) {
    this.#options = options;
    this.#reason = new StreamNotFoundError(options.id);
  }

  /** The stream as it is loaded. */
  get open(): OpenStream | null {
    return this.#open;
  }

  /** The stream as it is loaded. @throws Why it is not. */
  loaded(): OpenStream {
    if (!this.#open) throw this.#reason;
    return this.#open;
  }

  /** The loaded stream. @throws `StreamCorruptError` when its log is damaged: a later end or token may be lost. */
  sound(): OpenStream {
    const open = this.loaded();
    if (open.log.damage) throw corruptError(open);
    return open;
  }

  /** The loaded stream, which this process writes. @throws When another may. */
  owned(): OwnedStream {
    const open = this.sound();
    if (open.kind !== 'owned') throw lockLost(this.#options.context.layout.root);
    return open;
  }

  /** The head that waiters know, also of a stream that is not loaded at the moment. */
  latestHead(): StreamHead {
    const head = this.#open?.log.state.head ?? this.#lastHead;
    if (!head) throw this.#reason;
    return head;
  }

  /** Loads the stream, if there is one: to write it where this process holds the lock, else to read it. */
  async ensure(): Promise<void> {
    const { context, id, folder } = this.#options;
    const { lock } = context;
    if (this.#open?.kind === 'owned' || (this.#open && !lock.held)) return;
    const { claim } = lock;
    try {
      await (claim ? this.#openOwned(claim) : this.#openFollowed());
    } catch (error) {
      if (!claim || claim === lock.claim) throw toFileError(error, `opening ${folder}`);
      // The lock was lost on the way: what was read may be old, also where it is held again.
      await this.close(new StreamNotFoundError(id));
      await this.ensure();
    }
  }

  /** Takes in what the writer of a followed stream has published since; loads any other. */
  async refresh(care: FollowCare): Promise<void> {
    const { context, life } = this.#options;
    const open = this.#open;
    if (open?.kind !== 'following' || context.lock.held) return this.ensure();
    try {
      const { news, touchedAt } = await open.refresh(care);
      life.learn(touchedAt);
      if (news === 'some') this.#publish();
      if (news !== 'replaced') return;
    } catch (error) {
      if (!isMissing(error)) throw toFileError(error, `reading ${open.files.paths.log}`);
    }
    this.#open = null;
    await open.close();
    await this.ensure();
  }

  /** Goes on with a log that this process writes. */
  own(log: OwnedLog): void {
    const { context, life, waiting } = this.#options;
    const owned = new OwnedStream(context, log, (head) => {
      this.#lastHead = head;
      life.touch(head, true);
      waiting.notify(head);
    });
    this.#adopt(owned, log.touchedAt);
    // Lost before there was anybody here to be told.
    if (log.claim !== context.lock.claim) this.loseLock(lockLost(context.layout.root));
  }

  /** Unloads the stream: answers what was accepted, and fails later calls with `reason` until it is loaded again. */
  async close(reason: StreamError): Promise<void> {
    const open = this.#open;
    // First, so that a call that comes now loads the stream anew, after this task.
    this.#open = null;
    this.#reason = reason;
    await this.#options.life.settled();
    await open?.close(reason);
  }

  /** There is no such stream, or none any more. */
  vanish(): void {
    const { id, life, waiting } = this.#options;
    this.#open = null;
    this.#lastHead = null;
    life.reset();
    this.#reason = new StreamNotFoundError(id);
    waiting.fail(this.#reason);
  }

  /** The lock was lost, which may be at any time: nothing this process has accepted counts. */
  loseLock(error: StreamError): void {
    const open = this.#open;
    if (open?.kind !== 'owned') return;
    this.#open = null;
    this.#reason = error;
    open.abandon(error);
    this.#options.onLost();
  }

  async #openOwned(claim: LockClaim): Promise<void> {
    const { context, id, folder, life } = this.#options;
    const followed = this.#open?.kind === 'following' ? this.#open : null;
    const touchedAt = followed ? life.touchedAt : 0;
    const log = await openOwned(context, { id, folder, claim, touchedAt });
    this.#open = null;
    await followed?.close();
    if (!log) return this.vanish();
    this.own(log);
    this.#publish();
  }

  async #openFollowed(): Promise<void> {
    const opened = await FollowedStream.open(this.#options.context, this.#options);
    if (!opened) return this.vanish();
    this.#adopt(opened.stream, opened.touchedAt);
    this.#publish();
  }

  #adopt(open: OpenStream, touchedAt: number): void {
    const { id, life, waiting } = this.#options;
    const { head } = open.log.state;
    if (this.#lastHead?.incarnation !== head.incarnation) {
      // Another stream of the same id: whoever waited for the old one has waited in vain.
      if (this.#lastHead) waiting.fail(new StreamNotFoundError(id));
      life.reset();
    }
    this.#open = open;
    this.#lastHead = head;
    life.learn(touchedAt);
  }

  /** Tells the waiters what a load or refresh has brought. */
  #publish(): void {
    const { waiting } = this.#options;
    const open = this.loaded();
    this.#lastHead = open.log.state.head;
    waiting.notify(open.log.state.head);
    if (open.log.damage) waiting.fail(corruptError(open));
  }
}
