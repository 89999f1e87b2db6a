/**
 * Group commit of one stream: everything that is in flight goes into one write and one sync, and is answered together.
 *
 * States: idle -> gathering (the calls of this turn) -> writing (calls made meanwhile gather for the next commit) -> writing again when
 * there are such calls, else gathering what the answered callers send next -> idle. {@link CommitPace} may end a gathering early, and may
 * let what gathers while a commit is synced go ahead: it is written at once, and synced when its turn comes.
 *
 * A call is answered when a sync has succeeded that began after its bytes were in the file. A failed commit rejects every call not yet
 * answered, those that gather included, because they were decided on top of what was not stored; the log is cut back to what is durable
 * before anything is written again.
 */
import type { StreamError, StreamHead } from '@perennial/core';

import type { EncodedFrame } from './batch-encoder.ts';
import { CommitPace } from './commit-pace.ts';
import { type AheadCommit, type Commit, encodeCommit, type PendingCall } from './commit.ts';
import { toFileError } from './file-errors.ts';
import { isMissing } from './file-system.ts';
import type { LogFiles } from './log-files.ts';
import type { DurableLog } from './log-state.ts';
import type { PendingBudget } from './store-context.ts';
import { encodeTailMark } from './tail-mark.ts';

/** Options of {@link CommitLoop}. */
export interface CommitLoopOptions {
  readonly log: DurableLog;
  readonly files: LogFiles;
  /** Generation of the lock under which this loop writes. */
  readonly generation: number;
  /** Wait for the disk. */
  readonly sync: boolean;
  readonly pending: PendingBudget;
  readonly now: () => number;
  /** Rejects when the lock was lost. */
  readonly confirm: () => Promise<unknown>;
  /** Called after each commit with the new durable head. */
  readonly onCommit: (head: StreamHead) => void;
  /** Called after a failed commit, before its calls are told. */
  readonly onRollback: () => void;
}

/** Bytes that one commit takes at most, unless a single call has more. */
const BATCH_TARGET_BYTES = 4_194_304;
/** Commits in quick succession are published together: each publication costs a twentieth of a commit. */
const PUBLISH_INTERVAL_MS = 1;

/** See the head of this file. */
export class CommitLoop {
  readonly #options: CommitLoopOptions;
  readonly #pace = new CommitPace();
  readonly #endOfTurn = (): void => this.#endTurn();
  readonly #onSyncing = (): void => {
    this.#isSyncing = this.#options.sync;
    this.#answerUntold();
  };
  /** A lock that this process lost and holds again says nothing of what was written under the old claim. */
  readonly #confirm = (): Promise<unknown> => (this.#lost ? Promise.reject(this.#lost) : this.#options.confirm());
  #state: 'idle' | 'gathering' | 'writing' = 'idle';
  #calls: PendingCall[] = [];
  /** The commit in flight is in the file, and being synced. */
  #isSyncing = false;
  /** What is written behind the commit in flight. */
  #ahead: AheadCommit | null = null;
  /** Where the commit encoded last ends. */
  #encoded = { bytes: 0, position: 0 };
  /** When the files got to work on the commit in flight. */
  #startedAt = 0;
  #syncedBytes: number;
  /** The file may hold more than the durable log since a commit failed. */
  #overhangs = false;
  /** The tail mark is behind the log. */
  #isUnpublished = false;
  #publishedAt = 0;
  /** Why nothing is committed any more. */
  #lost: StreamError | null = null;
  #onIdle: (() => void)[] = [];
  /** Calls of the last commit that are told once the next one has reached the disk. */
  #untold: readonly PendingCall[] = [];

  constructor(options: CommitLoopOptions) {
    this.#options = options;
    this.#syncedBytes = options.log.bytes;
  }

  /** True while calls wait for a commit. */
  get busy(): boolean {
    return this.#state === 'writing' || this.#calls.length > 0;
  }

  push(call: PendingCall): void {
    this.#calls.push(call);
    this.#options.pending.used += call.bytes;
    if (this.#state === 'idle') {
      this.#state = 'gathering';
      this.#pace.arm();
      // After the calls of this turn, so that they go together.
      queueMicrotask(this.#endOfTurn);
    } else if (this.#state === 'gathering') {
      if (this.#pace.isFull(this.#calls.length)) void this.#write(false);
    } else if (this.#isSyncing && !this.#ahead && this.#pace.goesAhead(this.#calls.length)) {
      this.#goAhead();
    }
  }

  /** Resolves once everything pushed so far is answered and what failed is cut off, if the disk lets it be. */
  async drained(): Promise<void> {
    if (this.busy) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
    if (this.#overhangs && !this.#lost) await this.#cutBack().catch(() => undefined);
  }

  /** Takes note that the log is on disk up to here, where commits do not wait for that. */
  noteSynced(bytes: number): void {
    this.#syncedBytes = Math.max(this.#syncedBytes, bytes);
  }

  /** Rejects what gathers, and never touches the log again: it belongs to another process. */
  abort(error: StreamError): void {
    this.#lost = error;
    for (const call of this.#rollBack([])) call.reject(error);
  }

  /** The turn is over: what has gathered is committed. */
  #endTurn(): void {
    if (this.#state !== 'gathering') return;
    this.#pace.gathered();
    if (this.#calls.length > 0) void this.#write(true);
    else this.#rest();
  }

  #rest(): void {
    this.#state = 'idle';
    void this.#publish();
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** @param isWhole The group has everything of its turn. */
  async #write(isWhole: boolean): Promise<void> {
    this.#state = 'writing';
    const ahead = this.#ahead;
    this.#ahead = null;
    const batch = ahead?.batch ?? this.#takeBatch();
    try {
      this.#startedAt = performance.now();
      ahead?.begin();
      const commit = await (ahead?.stored ?? this.#store(batch, null));
      this.#isSyncing = false;
      const ms = performance.now() - this.#startedAt;
      await this.#settle(commit);
      this.#answerUntold();
      this.#pace.stored(batch.length, { ms, isWhole });
      this.#proceed(batch);
    } catch (error) {
      this.#isSyncing = false;
      this.#answerUntold();
      await this.#recover(batch, await this.#explain(error));
      this.#proceed([]);
    }
  }

  /**
   * Writes what has gathered while the commit before it is synced, so that only the syncs follow one another (1,000 callers: 0.8 of the
   * time). Its own sync begins when that commit is done; if that fails, so does this.
   */
  #goAhead(): void {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const batch = this.#takeBatch();
    const stored = this.#store(batch, promise);
    // Both are looked at when it is its turn, if it gets that far.
    promise.catch(() => undefined);
    stored.catch(() => undefined);
    this.#ahead = { batch, stored, begin: resolve, fail: reject };
  }

  /**
   * Goes on after a commit of these calls. What has gathered meanwhile is sent off before they are answered, so that the disk has work
   * while callers think. Where groups are split, callers think for longer than the disk syncs: they are answered when the next sync has
   * begun, because a write that ends while this thread is busy is synced only after that (1,000 callers: 0.8 of the time).
   */
  #proceed(batch: readonly PendingCall[]): void {
    const hasNext = this.#ahead !== null || this.#calls.length > 0;
    if (this.#ahead || (hasNext && !this.#pace.shouldMeet())) {
      this.#untold = batch;
      void this.#write(false);
      if (!this.#pace.splits) this.#answerUntold();
      return;
    }
    this.#state = 'gathering';
    this.#pace.arm();
    this.#answer(batch);
    // Behind the callers' own next steps, which `answer` has put on the same queue.
    if (hasNext) setImmediate(this.#endOfTurn);
    else queueMicrotask(this.#endOfTurn);
  }

  #takeBatch(): readonly PendingCall[] {
    const calls = this.#calls;
    let bytes = 0;
    let count = 0;
    for (const call of calls) {
      if (bytes >= BATCH_TARGET_BYTES) return calls.splice(0, count);
      bytes += call.bytes;
      count++;
    }
    this.#calls = [];
    return calls;
  }

  /**
   * Encodes calls and brings them to the disk.
   *
   * @param turn Null: at once. Else they go behind the commit in flight, and are synced when this resolves.
   */
  async #store(batch: readonly PendingCall[], turn: Promise<void> | null): Promise<Commit> {
    const { log, files, sync, generation } = this.#options;
    const { bytes, position } = turn ? this.#encoded : { bytes: log.bytes, position: log.state.head.nextPosition };
    const place = { salt: log.salt, offset: bytes, position, syncedBytes: this.#syncedBytes, generation };
    const commit = encodeCommit(batch, { place, head: log.state.head });
    this.#encoded = { bytes: commit.bytes, position: commit.head.nextPosition };
    if (this.#overhangs) await this.#cutBack();
    if (!turn) this.#startedAt = performance.now();
    if (commit.frames.length > 0 || commit.publish)
      await files.commit(commit.frames, { at: bytes, sync, turn, confirm: this.#confirm, onSyncing: this.#onSyncing });
    return commit;
  }

  /** Takes a commit that is stored into the log. */
  async #settle({ batch, head, frames, bytes, publish }: Commit): Promise<void> {
    const { log, sync } = this.#options;
    if (sync) this.#syncedBytes = bytes;
    this.#takeFrames(frames);
    log.bytes = bytes;
    this.#fold(batch, head);
    this.#isUnpublished ||= frames.length > 0 || publish;
    if (publish) await this.#publish();
    else if (this.#startedAt - this.#publishedAt >= PUBLISH_INTERVAL_MS) void this.#publish();
  }

  /**
   * Tells other processes. Nobody waits for it, save for a beat of the lease, which is nothing else: they wait for it themselves when they
   * find more in the file than is published.
   */
  async #publish(): Promise<void> {
    if (!this.#isUnpublished || this.#lost) return;
    this.#isUnpublished = false;
    this.#publishedAt = performance.now();
    const { log, files, generation, sync, now } = this.#options;
    const { bytes: visibleBytes } = log;
    const durableBytes = sync ? visibleBytes : this.#syncedBytes;
    const beat = log.state.head.lease?.beat ?? 0;
    await files.publish(
      encodeTailMark({ salt: log.salt, generation, visibleBytes, durableBytes, beat, touchedAt: now() }),
    );
  }

  #takeFrames(frames: readonly EncodedFrame[]): void {
    const { index, cache } = this.#options.log;
    for (const { offset, firstPosition, records } of frames) {
      if (records.length > 0) index.add(firstPosition, offset);
      cache.push(records);
    }
    cache.trim();
  }

  /** Makes the calls visible. */
  #fold(batch: readonly PendingCall[], head: StreamHead): void {
    const { state } = this.#options.log;
    for (const { change } of batch) {
      if (!change) continue;
      for (const [id, producer] of change.producers) state.producers.set(id, producer);
      if (change.streamSeq !== null) state.streamSeq = change.streamSeq;
      if (change.token !== null) state.fenceNonce = change.nonce;
    }
    state.head = head;
  }

  #answerUntold(): void {
    const batch = this.#untold;
    this.#untold = [];
    if (batch.length > 0) this.#answer(batch);
  }

  #answer(batch: readonly PendingCall[]): void {
    const { log, pending, onCommit } = this.#options;
    for (const call of batch) {
      pending.used -= call.bytes;
      call.resolve({ segments: call.segments, head: call.head });
    }
    onCommit(log.state.head);
  }

  /** Files that are gone are usually gone because the lock is. */
  async #explain(error: unknown): Promise<StreamError> {
    const { files } = this.#options;
    const failure = toFileError(error, `appending to ${files.paths.log}`);
    if (!isMissing(error)) return failure;
    return this.#confirm().then(
      () => failure,
      (lost: unknown) => toFileError(lost, 'checking the lock'),
    );
  }

  /** Nothing of the failed commit may stay, and nothing decided on top of it may be answered. */
  async #recover(batch: readonly PendingCall[], error: StreamError): Promise<void> {
    const ahead = this.#ahead;
    this.#ahead = null;
    const failed = this.#rollBack(ahead ? [...batch, ...ahead.batch] : batch);
    this.#overhangs = !this.#lost;
    // Its write has to be over before the log is cut.
    ahead?.fail(error);
    await Promise.allSettled([ahead?.stored]);
    try {
      if (this.#overhangs) await this.#cutBack();
    } catch {
      // The next commit tries again before it writes; until then the tail mark keeps every reader in front of what overhangs.
    }
    for (const call of failed) call.reject(error);
  }

  async #cutBack(): Promise<void> {
    const { log, files } = this.#options;
    await files.reset(log.bytes);
    this.#overhangs = false;
  }

  /** Takes back what is not stored. Returns the calls to reject; later ones are decided on the durable log again. */
  #rollBack(batch: readonly PendingCall[]): readonly PendingCall[] {
    const { pending, onRollback } = this.#options;
    const failed = [...batch, ...this.#calls];
    this.#calls = [];
    for (const call of failed) pending.used -= call.bytes;
    onRollback();
    return failed;
  }
}
