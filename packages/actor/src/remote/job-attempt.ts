/**
 * One attempt at a job: the only writer of the job's stream while it lasts.
 *
 * States: `taken` (the fencing token was raised, so that no earlier attempt can write any more) -> `running` -> `ended` (the stream has
 * its end), `lost` (another attempt took over, or somebody ended the stream: nothing this one does matters) or `returned` (the queue has
 * to hand the job out again). The token is the attempt's number and its producer's epoch: it is durable before the first record is.
 */
import {
  AppendQueue,
  type AppendLane,
  encodeJson,
  isStreamError,
  keepLease,
  type NewRecord,
  type StreamChunk,
  type StreamEnd,
  StreamError,
  type StreamHead,
  type StreamStore,
  toStreamChunk,
  toStreamFailure,
} from '@perennial/core';

import { toChunkError } from '../actor/chunks.ts';
import type { ActorCallContext } from '../actor/context.ts';
import { ActorError, isActorError } from '../errors.ts';

/** What {@link JobAttempt.run} needs. */
export interface RunOptions {
  /** Starts the actor. */
  readonly open: (context: ActorCallContext) => AsyncIterable<StreamChunk>;
  /** Fires when the queue takes the job away. */
  readonly signal: AbortSignal;
  /** Whether an error of the actor is worth another attempt. */
  readonly retry: (error: unknown) => boolean;
  /** Whether the queue will hand the job out again when it was taken away. Otherwise the job fails. */
  readonly handOver: boolean;
  /** Promise a sign of life within this time: for a queue that will not notice when this process dies. @default none */
  readonly leaseMs: number | null;
}

/** The step of all records, and the id of their producer. */
const STEP = 'actor';
const DEFAULT_HIGH_WATER_MARK = 256;
const HIGH_WATER_MARK_BYTES = 4_194_304;
const WATCH_RETRY_MS = 1_000;

/** See the head of this file. */
export class JobAttempt {
  /** One-based. */
  readonly number: number;
  readonly #store: StreamStore;
  readonly #head: StreamHead;
  /** Fires when the actor has to stop, with the reason. */
  readonly #stop = new AbortController();
  readonly #queue: AppendQueue;
  readonly #lane: AppendLane;
  #cancelled: StreamHead['cancel'] = null;
  #lost = false;

  /**
   * Takes a job over; null when there is nothing left to do, because it has ended or was deleted.
   *
   * @param highWaterMark Chunks that may wait for the store before the actor pauses.
   */
  static async take(
    store: StreamStore,
    streamId: string,
    highWaterMark: number = DEFAULT_HIGH_WATER_MARK,
  ): Promise<JobAttempt | null> {
    for (;;) {
      const head = await store.head(streamId);
      if (!head || head.end) return null;
      try {
        const nonce = crypto.randomUUID();
        const taken = await store.mark(streamId, { type: 'fence', token: head.token + 1, nonce });
        if (!taken.end) return new JobAttempt(store, taken, highWaterMark);
      } catch (error) {
        // Another worker was faster; whoever comes later has the job.
        if (!isStreamError(error) || error.code !== 'FENCED') throw error;
      }
    }
  }

  private constructor(store: StreamStore, head: StreamHead, highWaterMark: number) {
    this.number = head.token;
    this.#store = store;
    this.#head = head;
    this.#queue = new AppendQueue({
      store,
      streamId: head.id,
      open: async () => head,
      token: this.number,
      highWaterMark,
      highWaterMarkBytes: HIGH_WATER_MARK_BYTES,
      onHead: (latest) => this.#noteHead(latest),
    });
    this.#lane = this.#queue.lane(STEP, this.number);
    this.#noteHead(head);
  }

  /** Runs the actor and ends the stream. @throws When the job has to be handed out again. */
  async run(options: RunOptions): Promise<void> {
    const { open, signal, leaseMs } = options;
    const watch = new AbortController();
    const returned = (): void => this.#stop.abort(new ActorError('ABORTED', 'The queue took the job away.'));
    if (signal.aborted) returned();
    else signal.addEventListener('abort', returned, { once: true });
    void this.#watchHead(watch.signal);
    const stopLease = leaseMs === null ? null : await this.#promise(leaseMs);
    try {
      // Cancelled before it began.
      if (this.#cancelled) throw this.#stop.signal.reason;
      await this.#retractEarlier();
      await this.#pump(open({ signal: this.#stop.signal, attempt: this.number, streamId: this.#head.id }));
    } catch (error) {
      await this.#fell(error, options);
    } finally {
      watch.abort();
      stopLease?.();
      signal.removeEventListener('abort', returned);
    }
  }

  /** Ends the stream as failed, with an error chunk before the end. What earlier attempts wrote stays. */
  async fail(error: unknown): Promise<void> {
    await this.#write({ type: 'error', error: toChunkError(error) });
    // What a worker says about a job is meant for everybody; what an actor throws, only if it says so.
    const isOurs = isActorError(error, 'WORKER_LOST');
    await this.#end({
      outcome: 'failed',
      error: { ...toStreamFailure(error), ...(isOurs && { public: true as const }) },
    });
  }

  async #pump(chunks: AsyncIterable<StreamChunk>): Promise<void> {
    for await (const chunk of chunks) {
      await this.#write(toStreamChunk(chunk));
      if (chunk.type === 'complete') return this.#end({ outcome: 'completed' });
      if (chunk.type === 'error') return this.#end({ outcome: 'failed', error: { ...chunk.error, public: true } });
    }
  }

  /** Decides what an attempt that broke off means. */
  async #fell(error: unknown, { signal, retry, handOver }: RunOptions): Promise<void> {
    try {
      // A store that failed is no fault of the actor: the next attempt may find it well again.
      if (error instanceof WriteFailure) throw error;
      if (this.#cancelled) return await this.#end({ outcome: 'cancelled', ...reasonOf(this.#cancelled) });
      if (this.#lost) return;
      if (signal.aborted ? handOver : retry(error)) throw error;
      await this.fail(signal.aborted ? shutDown() : error);
    } catch (failure) {
      if (!(failure instanceof WriteFailure)) throw failure;
      if (!isLost(failure.reason)) throw failure.reason;
    }
  }

  /** Sets the lease and renews it, until the returned function is called. */
  async #promise(leaseMs: number): Promise<() => void> {
    const { id: streamId } = this.#head;
    const token = this.number;
    await this.#store.mark(streamId, { type: 'lease', durationMs: leaseMs, token });
    return keepLease({
      store: this.#store,
      streamId,
      leaseMs,
      token,
      onHead: (head) => this.#noteHead(head),
      onLost: (error) => this.#lose(error),
    });
  }

  /** Hides what earlier attempts wrote, before this one writes anything. */
  async #retractEarlier(): Promise<void> {
    if (this.#head.nextPosition === 0) return;
    await this.#push({ kind: 'supersede', step: STEP, belowAttempt: this.number });
  }

  async #write(chunk: StreamChunk): Promise<void> {
    await this.#push({ data: encodeJson(chunk), step: STEP, attempt: this.number });
  }

  async #push(record: NewRecord | null, end: StreamEnd | null = null): Promise<void> {
    const refused = await this.#queue.push(this.#lane, record, end);
    if (refused) throw new WriteFailure(refused);
  }

  async #end(end: StreamEnd): Promise<void> {
    await this.#push(null, end);
    const failed = await this.#queue.flush(this.#lane);
    if (failed) throw new WriteFailure(failed);
  }

  #noteHead(head: StreamHead): void {
    if (!head.cancel || this.#cancelled) return;
    this.#cancelled = head.cancel;
    const { reason } = head.cancel;
    const message = `The work was cancelled${reason === undefined ? '.' : `: ${reason}`}`;
    this.#stop.abort(new StreamError('CANCELLED', message, { cause: reason }));
  }

  #lose(reason: unknown): void {
    this.#lost = true;
    this.#stop.abort(reason);
  }

  /** Notices cancel requests, and ends and takeovers by others, while the actor has nothing to write. */
  async #watchHead(signal: AbortSignal): Promise<void> {
    const streamId = this.#head.id;
    while (!signal.aborted && !this.#stop.signal.aborted) {
      try {
        const head = await this.#store.wait(streamId, { position: Infinity, cancel: true, signal });
        if (signal.aborted) return;
        if (head.end) this.#lose(new StreamError('CLOSED', `Stream ${streamId} was ended by somebody else.`));
        this.#noteHead(head);
      } catch (error) {
        if (signal.aborted) return;
        if (isLost(error)) this.#lose(error);
        else await new Promise((resolve) => setTimeout(resolve, WATCH_RETRY_MS));
      }
    }
  }
}

/** A record or end that the stream did not take: told apart from what the actor throws, which may be an error of a stream, too. */
class WriteFailure extends Error {
  readonly reason: StreamError;

  constructor(reason: StreamError) {
    super(reason.message, { cause: reason });
    this.reason = reason;
  }
}

const LOST: ReadonlySet<string> = new Set(['FENCED', 'STALE_EPOCH', 'CLOSED', 'NOT_FOUND']);

/** True when somebody else has the stream, or nobody needs it any more. */
function isLost(error: unknown): boolean {
  return isStreamError(error) && LOST.has(error.code);
}

/** What readers are told of work that nobody will finish. */
export function shutDown(): ActorError {
  return new ActorError('WORKER_LOST', 'The process that did the work was shut down before it was done.');
}

function reasonOf({ reason }: { readonly reason?: string }): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}
