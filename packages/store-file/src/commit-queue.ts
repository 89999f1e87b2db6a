/**
 * The writing side of one stream: decides calls one after the other and hands them to the {@link CommitLoop}.
 *
 * Two states of the log are kept. `accepted` has every call decided so far; the next decision builds on it. `durable` (the
 * {@link DurableLog}) follows with each commit; it is all that readers see, and an answer waits until all it rests on is in it.
 */
import {
  type AppendRequest,
  type AppendResult,
  applyAppend,
  type AppendEffect,
  type CancelRequest,
  decideAppend,
  decideMark,
  type LogState,
  type Mark,
  StreamError,
  type StreamHead,
  type StreamRecord,
} from '@perennial/core';

import { type Change, changeOf, NO_CHANGE } from './change.ts';
import { CommitLoop, type CommitLoopOptions } from './commit-loop.ts';
import { detachEnd } from './detach-end.ts';
import { cloneState } from './log-state.ts';
import type { PendingBudget } from './store-context.ts';

/** Options of {@link CommitQueue}. */
export interface CommitQueueOptions extends Omit<CommitLoopOptions, 'onRollback'> {
  readonly maxAppendBytes: number;
}

/** What a record costs while it waits, besides its data. */
const RECORD_OVERHEAD = 64;

/** See the head of this file. */
export class CommitQueue {
  readonly #options: CommitQueueOptions;
  readonly #loop: CommitLoop;
  #accepted: LogState;
  /** Set once the queue takes nothing any more. */
  #closed: StreamError | null = null;

  constructor(options: CommitQueueOptions) {
    this.#options = options;
    this.#accepted = cloneState(options.log.state);
    const onRollback = (): void => {
      this.#accepted = cloneState(options.log.state);
    };
    this.#loop = new CommitLoop({ ...options, onRollback });
  }

  /** True while calls wait for a commit. */
  get busy(): boolean {
    return this.#loop.busy;
  }

  /** The head with everything accepted so far, durable or not. */
  get acceptedHead(): StreamHead {
    return this.#accepted.head;
  }

  /** Decides and stores an append. The request has passed `assertAppendRequest`. */
  append(request: AppendRequest): Promise<AppendResult> {
    const { log, now } = this.#options;
    try {
      const { effect, results } = decideAppend(this.#accepted, request, now());
      if (!effect) return this.#settled().then((head) => ({ segments: results, head }));
      const own = log.isText && !effect.end ? effect : detach(effect);
      const change = changeOf(own, this.#accepted.head);
      const bytes = change.bytes + own.records.length * RECORD_OVERHEAD;
      this.#assertRoom(change.bytes, bytes);
      if (this.#closed) throw this.#closed;
      applyAppend(this.#accepted, own);
      const { head } = this.#accepted;
      // The loop answers a call that has segments with these segments.
      return new Promise((resolve, reject) => {
        this.#loop.push({ change, publish: false, head, bytes, segments: results, resolve: resolve as never, reject });
      });
    } catch (error) {
      return this.#refuse(error);
    }
  }

  /** Changes a lease or raises a fence. */
  mark(mark: Exclude<Mark, { type: 'cancel' }>): Promise<StreamHead> {
    const accepted = this.#accepted;
    try {
      const before = accepted.head.lease?.durationMs ?? null;
      const effect = decideMark(accepted, mark, this.#options.now());
      if (!effect) return this.#settled();
      if (this.#closed) throw this.#closed;
      const { head, nonce } = effect;
      accepted.head = head;
      if (nonce !== null) accepted.fenceNonce = nonce;
      if (mark.type === 'fence') return this.#push({ ...NO_CHANGE, token: head.token, nonce }, false);
      const durationMs = head.lease?.durationMs ?? null;
      // A beat is a sign of life for those who look; only the promise to give one has to last.
      return this.#push(durationMs === before ? null : { ...NO_CHANGE, lease: { durationMs } }, true);
    } catch (error) {
      return this.#refuse(error);
    }
  }

  /** Raises the fencing token for a creation that found the stream. */
  raise(token: number): Promise<StreamHead> {
    if (this.#closed) return Promise.reject(this.#closed);
    this.#accepted.head = { ...this.#accepted.head, token };
    this.#accepted.fenceNonce = null;
    return this.#push({ ...NO_CHANGE, token }, false);
  }

  /** Takes note of a cancel request that is durable already, in its own file. */
  noteCancel(cancel: CancelRequest): Promise<StreamHead> {
    const { head } = this.#accepted;
    if (head.end || head.cancel || this.#closed) return this.#settled();
    this.#accepted.head = { ...head, cancel };
    return this.#push(null, false);
  }

  /** Resolves with the head once everything accepted so far is durable. */
  settled(): Promise<StreamHead> {
    return this.#settled();
  }

  /** See {@link CommitLoop.noteSynced}. */
  noteSynced(bytes: number): void {
    this.#loop.noteSynced(bytes);
  }

  /** Answers everything that was accepted, then refuses every later call with `error`. */
  async close(error: StreamError): Promise<void> {
    this.#closed = error;
    await this.#loop.drained();
  }

  /** Refuses everything, also what was accepted: another process owns the stream. */
  abort(error: StreamError): void {
    this.#closed = error;
    this.#loop.abort(error);
  }

  #assertRoom(payloadBytes: number, bytes: number): void {
    const { pending, maxAppendBytes } = this.#options;
    if (payloadBytes > maxAppendBytes) throw appendTooLarge(payloadBytes, maxAppendBytes);
    if (pending.used + bytes > pending.maxBytes && pending.used > 0) throw tooMuchPending(pending);
  }

  #push(change: Change | null, publish: boolean): Promise<StreamHead> {
    const { head } = this.#accepted;
    return new Promise((resolve, reject) => {
      this.#loop.push({
        change,
        publish,
        head,
        bytes: 0,
        segments: null,
        resolve: (answer) => resolve(answer.head),
        reject,
      });
    });
  }

  #settled(): Promise<StreamHead> {
    if (this.#loop.busy) return this.#push(null, false);
    return this.#closed ? Promise.reject(this.#closed) : Promise.resolve(this.#accepted.head);
  }

  /** A refusal reveals what is stored, so it waits for that, too. */
  async #refuse(error: unknown): Promise<never> {
    await this.#settled();
    throw error;
  }
}

/** The caller may change its buffers and its end later; the log must not change with them. */
function detach(effect: AppendEffect): AppendEffect {
  return { ...effect, records: effect.records.map(copyBytes), end: effect.end && detachEnd(effect.end) };
}

function copyBytes(record: StreamRecord): StreamRecord {
  if (record.kind !== 'data' || typeof record.data === 'string') return record;
  return { ...record, data: new Uint8Array(record.data) };
}

function appendTooLarge(bytes: number, maxBytes: number): StreamError<'LIMIT_EXCEEDED'> {
  return new StreamError(
    'LIMIT_EXCEEDED',
    `An append may carry ${maxBytes} bytes (\`maxAppendBytes\`); this one carries ${bytes}. Append it in parts.`,
  );
}

function tooMuchPending({ used, maxBytes }: PendingBudget): StreamError<'LIMIT_EXCEEDED'> {
  return new StreamError(
    'LIMIT_EXCEEDED',
    `${used} bytes of ${maxBytes} (\`maxPendingBytes\`) wait for the disk. Await appends before sending more.`,
  );
}
