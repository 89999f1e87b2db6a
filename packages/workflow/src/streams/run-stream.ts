import {
  AppendQueue,
  type CreateOptions,
  type NewRecord,
  runStreamId,
  type StreamEnd,
  StreamError,
  type StreamHead,
} from '@perennial/core';

import type { RunScope } from '../runs/run-scope.ts';
import { BODY_PRODUCER, BodyReplay } from './body-replay.ts';
import { LaneWriter } from './lane-writer.ts';
import { Turnstile } from './turnstile.ts';

/** How the first call of `getWritable` for a namespace wants its stream. */
export interface RunStreamOptions {
  readonly contentType?: string;
  readonly highWaterMark?: number;
  readonly highWaterMarkBytes?: number;
  readonly onRetry?: 'supersede' | 'continue';
}

const DEFAULT_HIGH_WATER_MARK = 256;
const DEFAULT_HIGH_WATER_MARK_BYTES = 4_194_304;

interface Closing {
  readonly end: StreamEnd;
  /** Steps that had been called by then may still write. */
  readonly steps: ReadonlySet<string>;
  readonly done: Promise<StreamError | null>;
}

/** One namespace of a run on the worker that advances it: everybody's writes go through its one queue. */
export class RunStream {
  readonly namespace: string;
  readonly streamId: string;
  readonly onRetry: 'supersede' | 'continue';
  readonly #scope: RunScope;
  readonly #contentType: string | undefined;
  readonly #queue: AppendQueue;
  #head: StreamHead | null = null;
  #isBodyDropped = false;
  /** Sequences the body has issued. */
  #issued = 0;
  #bodyLane: LaneWriter | null = null;
  /** Set while calls of the body are compared with what it did before. */
  #replay: BodyReplay | null = null;
  readonly #turnstile = new Turnstile();
  #closing: Closing | null = null;

  constructor(scope: RunScope, namespace: string, options: RunStreamOptions) {
    this.#scope = scope;
    this.namespace = namespace;
    this.streamId = runStreamId(scope.runId, namespace);
    this.onRetry = options.onRetry ?? 'supersede';
    this.#contentType = options.contentType;
    const { highWaterMark = DEFAULT_HIGH_WATER_MARK, highWaterMarkBytes = DEFAULT_HIGH_WATER_MARK_BYTES } = options;
    this.#queue = new AppendQueue({
      store: scope.store,
      streamId: this.streamId,
      token: scope.token,
      highWaterMark,
      highWaterMarkBytes,
      open: () => this.#open(),
      onHead: (head) => this.#onHead(head),
      onBroken: (error) => scope.broken(error),
      ...(scope.retry && { retry: scope.retry }),
      ...(options.contentType !== undefined && { contentType: options.contentType }),
    });
  }

  get contentType(): string | undefined {
    return this.#contentType;
  }

  /** Sequences the body has issued. */
  get issued(): number {
    return this.#issued;
  }

  /** Position the next record gets. */
  get position(): number {
    return (this.#head?.nextPosition ?? 0) + this.#queue.size;
  }

  get isClosing(): boolean {
    return this.#closing !== null;
  }

  /** False for a step that was called after the body had closed the stream. */
  isOpenTo(step: string): boolean {
    return this.#closing === null || this.#closing.steps.has(step);
  }

  /** True while what the body issues next has been stored by an earlier worker. */
  get isReplaying(): boolean {
    return this.#replay !== null && this.#issued < this.#replay.storedSeq;
  }

  /** Makes sure that a stream which an earlier worker opened exists and obeys this one, and learns what the body had written. */
  async restore(): Promise<void> {
    const { store } = this.#scope;
    const failure = await this.#queue.open();
    if (failure) throw failure;
    const producer = await store.producer(this.streamId, BODY_PRODUCER);
    if (!producer) return;
    const { streamId, namespace } = this;
    this.#replay = new BodyReplay({ store, streamId, namespace, storedSeq: producer.nextSeq });
  }

  /** A write of the body. Resolves once accepted (null), or with what refused it for good. */
  write(record: NewRecord): Promise<StreamError | null> {
    return this.#issue(this.#issued++, record, null);
  }

  /** The body closes the stream: it ends once the steps called before have settled. The first end stands. */
  close(end: StreamEnd): Promise<StreamError | null> {
    if (this.#closing) return this.#closing.done;
    const seq = this.#issued++;
    const isRepeated = this.#replay !== null && seq < this.#replay.storedSeq;
    const steps = new Set(this.#scope.startedSteps());
    const done = this.#scope.settled(steps).then(async (isWhole) => {
      if (!isWhole) return new StreamError('ABORTED', 'The run stopped before the stream was closed.');
      const failure = (await this.#issue(seq, null, end)) ?? (await this.#bodyLane?.flush()) ?? null;
      if (!failure && !isRepeated) this.#emitClose(end);
      return failure;
    });
    this.#closing = { end, steps, done };
    return done;
  }

  /** Resolves once everything the body has issued is stored (null), or with what prevents it for good. */
  async flush(): Promise<StreamError | null> {
    const closed = await this.#closing?.done;
    await this.#turnstile.cleared();
    return closed ?? (await this.#bodyLane?.flush()) ?? null;
  }

  /** Drops what the body has issued and not sent. */
  async dropBody(): Promise<void> {
    this.#isBodyDropped = true;
    await this.#bodyLane?.discard('The run stopped.');
  }

  /** A lane of an attempt of a step; nothing passes it before `ready`. */
  lane(producerId: string, epoch: number, ready: Promise<void>): LaneWriter {
    const queue = this.#queue;
    return new LaneWriter({ queue, lane: queue.lane(producerId, epoch), turnstile: this.#turnstile, ready });
  }

  /** Ends the stream as its run ended, unless it has an end. */
  async finish(end: StreamEnd): Promise<void> {
    const queue = this.#queue;
    const lane = new LaneWriter({ queue, lane: queue.lane(`run:${this.#scope.nonce}`, 0), turnstile: this.#turnstile });
    const failure = (await lane.push(null, end)) ?? (await lane.flush());
    if (!failure) this.#emitClose(end);
    // Ended by its user, or deleted by somebody: there is nothing left to end.
    else if (failure.code !== 'CLOSED' && failure.code !== 'NOT_FOUND') throw failure;
  }

  /** Stops waiting for the store: this worker has lost the run. */
  break(error: StreamError): void {
    this.#queue.break(error);
  }

  async #open(): Promise<StreamHead> {
    const { store, state, journal, journalId, token, ttlMs } = this.#scope;
    const { namespace: ns, streamId } = this;
    const contentType = this.#contentType;
    if (!state.opened.has(ns)) {
      const onRetry = this.onRetry === 'continue' ? { onRetry: this.onRetry } : {};
      await journal.note({ t: 'open', ns, ...(contentType !== undefined && { contentType }), ...onRetry });
    }
    const options: CreateOptions = {
      owner: journalId,
      token,
      ...(contentType !== undefined && { contentType }),
      ...(ttlMs !== undefined && { ttlMs }),
    };
    const { created, head } = await store.create(streamId, options);
    if (created) this.#scope.emit({ type: 'stream_created', namespace: ns, streamId });
    return head;
  }

  #onHead(head: StreamHead): void {
    this.#head = head;
    if (head.cancel) this.#scope.cancelled(head.cancel);
  }

  #issue(seq: number, record: NewRecord | null, end: StreamEnd | null): Promise<StreamError | null> {
    const replay = this.#replay;
    if (!replay || seq >= replay.storedSeq) {
      if (this.#isBodyDropped) return Promise.resolve(new StreamError('ABORTED', 'The run stopped.'));
      return this.#bodyLaneFrom(seq).push(record, end);
    }
    return this.#turnstile.pass(() => this.#compare(replay, { seq, record, end }));
  }

  async #compare(
    replay: BodyReplay,
    { seq, record, end }: { readonly seq: number; readonly record: NewRecord | null; readonly end: StreamEnd | null },
  ): Promise<StreamError | null> {
    try {
      await replay.expect(seq, record, end);
      return null;
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      this.#isBodyDropped = true;
      await this.#bodyLane?.discard(error.message);
      this.#scope.fault(error);
      return new StreamError('ABORTED', error.message, { cause });
    }
  }

  #bodyLaneFrom(seq: number): LaneWriter {
    const queue = this.#queue;
    const turnstile = this.#turnstile;
    return (this.#bodyLane ??= new LaneWriter({ queue, turnstile, lane: queue.lane(BODY_PRODUCER, 0, seq) }));
  }

  #emitClose(end: StreamEnd): void {
    const { namespace, streamId, position } = this;
    this.#scope.emit({ type: 'stream_close', namespace, streamId, position, end });
  }
}
