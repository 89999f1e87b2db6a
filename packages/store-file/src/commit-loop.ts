/**
 * Group commit of one stream: everything that is in flight goes into one write and one sync, and is answered together.
 *
 * States: idle -> armed (the calls of this turn gather) -> committing (calls made meanwhile gather for the next commit) -> committing
 * again or idle. A failed commit rejects every call not yet answered, those that gather included, because they were decided on top of
 * what was not stored; the log is cut back to what is durable before anything is written again.
 */
import type { SegmentResult, StreamError, StreamHead } from '@perennial/core';

import { type EncodedFrame, encodeBatch } from './batch-encoder.ts';
import type { Change } from './change.ts';
import { toFileError } from './file-errors.ts';
import type { LogFiles } from './log-files.ts';
import type { DurableLog } from './log-state.ts';
import type { PendingBudget } from './store-context.ts';
import { encodeTailMark, TAIL_MARK_BYTES } from './tail-mark.ts';

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
  readonly confirm: () => Promise<void>;
  /** Called after each commit with the new durable head. */
  readonly onCommit: (head: StreamHead) => void;
  /** Called after a failed commit, before its calls are told. */
  readonly onRollback: () => void;
}

/** A call that waits for its commit. */
export interface PendingCall {
  /** Null: only waits for what is in flight. */
  readonly change: Change | null;
  /** Something to publish besides: a beat of the lease. */
  readonly publish: boolean;
  /** The head after this call. */
  readonly head: StreamHead;
  /** Counted in the budget of pending bytes. */
  readonly bytes: number;
  /** For an append, the results to answer with. */
  readonly segments: readonly SegmentResult[] | null;
  readonly resolve: (answer: { readonly segments: readonly SegmentResult[] | null; readonly head: StreamHead }) => void;
  readonly reject: (error: StreamError) => void;
}

/** Bytes that one commit takes at most, unless a single call has more. */
const BATCH_TARGET_BYTES = 4_194_304;

/** See the head of this file. */
export class CommitLoop {
  readonly #options: CommitLoopOptions;
  /** In turn: the one of the last commit may still be being written. */
  readonly #marks = [Buffer.alloc(TAIL_MARK_BYTES), Buffer.alloc(TAIL_MARK_BYTES)] as const;
  #turn: 0 | 1 = 0;
  readonly #start = (): void => void this.#commitAll();
  #calls: PendingCall[] = [];
  #busy = false;
  #syncedBytes: number;
  /** The file may hold more than the durable log since a commit failed. */
  #overhangs = false;
  #aborted = false;
  #onIdle: (() => void)[] = [];

  constructor(options: CommitLoopOptions) {
    this.#options = options;
    this.#syncedBytes = options.log.bytes;
  }

  /** True while calls wait for a commit. */
  get busy(): boolean {
    return this.#busy;
  }

  push(call: PendingCall): void {
    this.#calls.push(call);
    this.#options.pending.used += call.bytes;
    if (this.#busy) return;
    this.#busy = true;
    // After the calls of this turn, so that they go together.
    queueMicrotask(this.#start);
  }

  /** Resolves once everything pushed so far is answered. */
  async drained(): Promise<void> {
    if (this.#busy) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Takes note that the log is on disk up to here, where commits do not wait for that. */
  noteSynced(bytes: number): void {
    this.#syncedBytes = Math.max(this.#syncedBytes, bytes);
  }

  /** Rejects what gathers, and never touches the log again: it belongs to another process. */
  abort(error: StreamError): void {
    this.#aborted = true;
    this.#fail(error, []);
  }

  async #commitAll(): Promise<void> {
    while (this.#calls.length > 0) {
      const batch = this.#takeBatch();
      try {
        await this.#commit(batch);
      } catch (error) {
        await this.#recover(toFileError(error, `appending to ${this.#options.files.paths.log}`), batch);
      }
    }
    this.#busy = false;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #takeBatch(): readonly PendingCall[] {
    const calls = this.#calls;
    let bytes = 0;
    const end = calls.findIndex((call) => bytes >= BATCH_TARGET_BYTES || ((bytes += call.bytes), false));
    if (end > 0) return calls.splice(0, end);
    this.#calls = [];
    return calls;
  }

  async #commit(batch: readonly PendingCall[]): Promise<void> {
    const { log, files, generation, sync, confirm, now } = this.#options;
    const changes: Change[] = [];
    let publish = false;
    for (const call of batch) {
      if (call.change) changes.push(call.change);
      if (call.publish) publish = true;
    }
    const { head } = batch.at(-1) ?? log.state;
    let frames: readonly EncodedFrame[] = [];
    let { bytes } = log;
    if (changes.length > 0) {
      const place = {
        salt: log.salt,
        offset: bytes,
        position: log.state.head.nextPosition,
        syncedBytes: this.#syncedBytes,
        generation,
      };
      frames = encodeBatch(changes, place);
      for (const { frame } of frames) bytes += frame.length;
    }
    if (this.#overhangs) {
      await files.reset(log.bytes);
      this.#overhangs = false;
    }
    if (changes.length > 0 || publish) {
      const durableBytes = sync ? bytes : this.#syncedBytes;
      const beat = head.lease?.beat ?? 0;
      this.#turn = this.#turn === 0 ? 1 : 0;
      const mark = this.#marks[this.#turn];
      encodeTailMark({ salt: log.salt, generation, visibleBytes: bytes, durableBytes, beat, touchedAt: now() }, mark);
      await files.commit(frames, { at: log.bytes, sync, mark, confirm });
    }
    if (sync) this.#syncedBytes = bytes;
    for (const { offset, firstPosition, count } of frames) if (count > 0) log.index.add(firstPosition, offset);
    log.bytes = bytes;
    this.#apply(batch, head);
  }

  #apply(batch: readonly PendingCall[], head: StreamHead): void {
    const { log, pending, onCommit } = this.#options;
    const { state, cache } = log;
    for (const { change } of batch) {
      if (!change) continue;
      cache.push(change.records);
      for (const [id, producer] of change.producers) state.producers.set(id, producer);
      if (change.streamSeq !== null) state.streamSeq = change.streamSeq;
      if (change.token !== null) state.fenceNonce = change.nonce;
    }
    cache.trim();
    state.head = head;
    for (const call of batch) {
      pending.used -= call.bytes;
      call.resolve({ segments: call.segments, head: call.head });
    }
    onCommit(head);
  }

  async #recover(error: StreamError, batch: readonly PendingCall[]): Promise<void> {
    const { log, files } = this.#options;
    this.#fail(error, batch);
    if (this.#aborted) return;
    this.#overhangs = true;
    try {
      await files.reset(log.bytes);
      this.#overhangs = false;
    } catch {
      // The next commit tries again before it writes; until then the tail mark keeps every reader in front of what overhangs.
    }
  }

  #fail(error: StreamError, batch: readonly PendingCall[]): void {
    const { pending, onRollback } = this.#options;
    const calls = [...batch, ...this.#calls];
    this.#calls = [];
    onRollback();
    for (const call of calls) {
      pending.used -= call.bytes;
      call.reject(error);
    }
  }
}
