import type { StreamEnd } from '../log/end.ts';
/**
 * The one queue between the writers of a stream and its store.
 *
 * States: `idle` (nothing to do) -> `running` (an append is in flight; everything pushed meanwhile goes into the next one) -> `idle`.
 * A failure that may pass leads to `stalled`: entries stay, in order, and the next push or flush runs again. Any other failure leads to
 * `broken`, which is final. Appends carry producers, so running again after an unknown answer stores nothing twice.
 */
import { StreamError, toStoreError } from '../log/errors.ts';
import type { StreamHead } from '../log/head.ts';
import type { NewRecord } from '../log/record.ts';
import { recordSize } from '../log/record.ts';
import type { AppendSegment, SegmentResult, StreamStore } from '../log/store.ts';
import { AppendLane } from './append-lane.ts';
import { type RetryPolicy, retryStoreCall } from './retry.ts';

/** Options of {@link AppendQueue}. */
export interface AppendQueueOptions {
  readonly store: StreamStore;
  readonly streamId: string;
  /** Makes sure that the stream exists; called once before the first append, and again until it succeeds. */
  readonly open: () => Promise<StreamHead>;
  readonly token?: number;
  readonly contentType?: string;
  /** Records that may be queued or in flight before a push waits. */
  readonly highWaterMark: number;
  /** Payload bytes that may be queued or in flight before a push waits. */
  readonly highWaterMarkBytes: number;
  readonly retry?: RetryPolicy;
  /** Called with the head after the opening and after every append. */
  readonly onHead?: (head: StreamHead) => void;
  /** Called once, when the queue is `broken`. */
  readonly onBroken?: (error: StreamError) => void;
}

/** A record or an end on its way to the store. */
interface Entry {
  readonly lane: AppendLane;
  readonly seq: number;
  readonly record: NewRecord | null;
  readonly end: StreamEnd | null;
  readonly size: number;
}

/** A push that waits for room; without record and end, a flush that waits behind it. Not accepted yet, so a failure can still refuse it. */
interface Admission {
  readonly lane: AppendLane;
  readonly record: NewRecord | null;
  readonly end: StreamEnd | null;
  readonly settle: (error: StreamError | null) => void;
}

/** Upper bound of one append; a larger queue goes out in several. */
const MAX_BATCH_RECORDS = 4_096;
const MAX_BATCH_BYTES = 1_048_576;
/** What {@link AppendQueue.push} returns for an entry that was accepted at once. */
export const ACCEPTED: Promise<null> = Promise.resolve(null);

/** See the head of this file. */
export class AppendQueue {
  readonly #options: AppendQueueOptions;
  readonly #lanes = new Set<AppendLane>();
  #entries: Entry[] = [];
  #admissions: Admission[] = [];
  #records = 0;
  #bytes = 0;
  #running = false;
  #opening: Promise<void> | null = null;
  #broken: StreamError | null = null;
  #stalled: StreamError | null = null;

  constructor(options: AppendQueueOptions) {
    this.#options = options;
  }

  /** Why the queue takes nothing any more; null while it does. */
  get broken(): StreamError | null {
    return this.#broken;
  }

  /** Records queued or in flight. */
  get size(): number {
    return this.#records;
  }

  /** Opens a lane for a producer whose next sequence is `seq`. */
  lane(id: string, epoch: number, seq = 0): AppendLane {
    const lane = new AppendLane(id, epoch, seq);
    this.#lanes.add(lane);
    return lane;
  }

  /** Forgets a lane that will not be pushed to again. */
  release(lane: AppendLane): void {
    this.#lanes.delete(lane);
  }

  /** Accepts an entry, at once or when there is room. Resolves with null, or with the error that refused it. */
  push(lane: AppendLane, record: NewRecord | null, end: StreamEnd | null = null): Promise<StreamError | null> {
    const refused = this.#broken ?? lane.failure;
    if (refused) return Promise.resolve(refused);
    if (this.#stalled === null && this.#admissions.length === 0 && this.#hasRoom()) {
      this.#accept(lane, record, end);
      return ACCEPTED;
    }
    this.#start();
    return new Promise((settle) => this.#admissions.push({ lane, record, end, settle }));
  }

  /** Resolves once everything pushed to the lane so far is stored, or with the failure that prevents it. */
  async flush(lane: AppendLane): Promise<StreamError | null> {
    // Pushes that still wait for room count as pushed: queue behind them.
    if (this.#admissions.length > 0) {
      const refused = await this.push(lane, null);
      if (refused) return refused;
    }
    if (this.#stalled) this.#start();
    return lane.whenStored();
  }

  /** Opens the stream without pushing anything. */
  async open(): Promise<StreamError | null> {
    if (this.#broken) return this.#broken;
    try {
      await this.#open();
      return null;
    } catch (error) {
      const failure = toStoreError(error, `opening stream ${this.#options.streamId}`);
      this.#failed(failure);
      return failure;
    }
  }

  /**
   * Closes a lane: drops what it has queued and not sent. Resolves once it is known what became of what was sent, repeating it as long as
   * the store does not answer, or when the queue is broken.
   */
  async discard(lane: AppendLane, error: StreamError): Promise<void> {
    lane.fail(error, true);
    this.#drop(lane, error);
    while (lane.isUnknown && !this.#broken) {
      const heard = lane.whenHeard();
      this.#start();
      await heard;
    }
    this.#lanes.delete(lane);
  }

  /** Ends the queue from outside, for instance because a lease renewal was fenced. */
  break(error: StreamError): void {
    if (this.#broken) return;
    this.#broken = error;
    this.#entries = [];
    this.#records = 0;
    this.#bytes = 0;
    for (const lane of this.#lanes) lane.fail(error, true);
    this.#refuseAdmissions(error);
    this.#options.onBroken?.(error);
  }

  #hasRoom(): boolean {
    return this.#records < this.#options.highWaterMark && this.#bytes < this.#options.highWaterMarkBytes;
  }

  #accept(lane: AppendLane, record: NewRecord | null, end: StreamEnd | null): void {
    const size = record ? recordSize(record) : 0;
    this.#entries.push({ lane, seq: lane.nextSeq++, record, end, size });
    if (record) this.#records++;
    this.#bytes += size;
    this.#start();
  }

  #start(): void {
    if (this.#running || this.#broken) return;
    this.#running = true;
    // A microtask later, so that everything written in this turn goes into one append.
    queueMicrotask(() => void this.#run());
  }

  async #run(): Promise<void> {
    try {
      await this.#open();
      // After a failure, what was accepted before goes first: nothing new is accepted before the store answers again.
      if (!this.#stalled || this.#entries.length === 0) this.#admit();
      while (this.#entries.length > 0 && !this.#broken) {
        await this.#appendBatch();
        this.#admit();
      }
    } catch (error) {
      this.#failed(toStoreError(error, `writing to stream ${this.#options.streamId}`));
    } finally {
      this.#running = false;
    }
    if (this.#entries.length > 0 && !this.#stalled) this.#start();
  }

  #open(): Promise<void> {
    const { streamId, open, retry, onHead } = this.#options;
    this.#opening ??= retryStoreCall(`opening stream ${streamId}`, open, retry).then(
      (head) => onHead?.(head),
      (error: unknown) => {
        this.#opening = null;
        throw error;
      },
    );
    return this.#opening;
  }

  async #appendBatch(): Promise<void> {
    const { store, streamId, token, retry } = this.#options;
    const batch = this.#takeBatch();
    for (const { lane, seq } of batch) lane.sentSeq = Math.max(lane.sentSeq, seq + 1);
    const segments = this.#segmentsOf(batch);
    const request = { segments: segments.map(({ segment }) => segment), ...(token !== undefined && { token }) };
    try {
      const { segments: results, head } = await retryStoreCall(
        `appending to stream ${streamId}`,
        () => store.append(streamId, request),
        retry,
      );
      if (this.#broken) return;
      this.#stalled = null;
      this.#release(batch);
      segments.forEach(({ lane, nextSeq }, i) => this.#acknowledge(lane, nextSeq, results[i]));
      this.#options.onHead?.(head);
    } catch (error) {
      // Back in front, with the same sequences: the store recognises what it had already taken.
      if (!this.#broken) this.#entries = batch.concat(this.#entries);
      throw error;
    }
  }

  #takeBatch(): Entry[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#entries.length && count < MAX_BATCH_RECORDS && bytes < MAX_BATCH_BYTES)
      bytes += this.#entries[count++]?.size ?? 0;
    if (count === this.#entries.length) {
      const all = this.#entries;
      this.#entries = [];
      return all;
    }
    return this.#entries.splice(0, count);
  }

  #segmentsOf(batch: readonly Entry[]): { segment: AppendSegment; lane: AppendLane; nextSeq: number }[] {
    const { contentType } = this.#options;
    const out: { segment: AppendSegment; lane: AppendLane; nextSeq: number }[] = [];
    for (let i = 0; i < batch.length;) {
      const first = batch[i];
      if (!first) break;
      const { lane, seq } = first;
      const records: NewRecord[] = [];
      let end: StreamEnd | null = null;
      for (let entry = batch[i]; entry && entry.lane === lane && !end; entry = batch[++i]) {
        if (entry.record) records.push(entry.record);
        end = entry.end;
      }
      const segment: AppendSegment = {
        records,
        producer: { id: lane.id, epoch: lane.epoch, seq },
        ...(end && { end }),
        ...(contentType !== undefined && { contentType }),
      };
      out.push({ segment, lane, nextSeq: seq + records.length + (end ? 1 : 0) });
    }
    return out;
  }

  #release(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.record) this.#records--;
      this.#bytes -= entry.size;
    }
  }

  #acknowledge(lane: AppendLane, nextSeq: number, result: SegmentResult | undefined): void {
    if (result?.status === 'ok' || result?.status === 'duplicate') {
      lane.stored(nextSeq);
      return;
    }
    // A refused record leaves a gap in the lane's numbering: nothing behind it can be stored.
    const error = refusal(this.#options.streamId, result);
    lane.heard();
    lane.fail(error, true);
    this.#drop(lane, error);
  }

  /** Forgets what a lane has queued, except for what was sent before: that has to be sent again until its fate is known. */
  #drop(lane: AppendLane, error: StreamError): void {
    const isDropped = (entry: Entry): boolean => entry.lane === lane && entry.seq >= lane.sentSeq;
    this.#release(this.#entries.filter(isDropped));
    this.#entries = this.#entries.filter((entry) => !isDropped(entry));
    for (const admission of this.#admissions) if (admission.lane === lane) admission.settle(error);
    this.#admissions = this.#admissions.filter((admission) => admission.lane !== lane);
  }

  #admit(): void {
    this.#stalled = null;
    let admitted = 0;
    for (; admitted < this.#admissions.length && this.#hasRoom(); admitted++) {
      const admission = this.#admissions[admitted];
      if (!admission) break;
      if (admission.record || admission.end) this.#accept(admission.lane, admission.record, admission.end);
      admission.settle(null);
    }
    if (admitted > 0) this.#admissions = this.#admissions.slice(admitted);
  }

  #failed(error: StreamError): void {
    if (this.#broken) return;
    if (!error.retryable) {
      this.break(error);
      return;
    }
    this.#stalled = error;
    for (const lane of this.#lanes) lane.fail(error, false);
    this.#refuseAdmissions(error);
  }

  #refuseAdmissions(error: StreamError): void {
    for (const admission of this.#admissions.splice(0)) admission.settle(error);
  }
}

/** The error of a segment that the append rules refused. */
function refusal(streamId: string, result: SegmentResult | undefined): StreamError {
  switch (result?.status) {
    case 'stale-epoch':
      return new StreamError(
        'STALE_EPOCH',
        `A later epoch (${result.epoch}) of this producer writes to stream ${streamId}.`,
      );
    case 'closed':
      return new StreamError('CLOSED', `Stream ${streamId} has ended (${result.end.outcome}).`);
    case 'content-type':
      return new StreamError('CONTENT_TYPE', `Stream ${streamId} carries ${result.contentType}.`);
    case 'gap':
      return new StreamError(
        'SEQUENCE_GAP',
        `Stream ${streamId} expects sequence ${result.expectedSeq} of this producer next.`,
      );
    case 'regression':
      return new StreamError(
        'SEQUENCE_REGRESSION',
        `Stream ${streamId} has already seen sequence ${result.streamSeq}.`,
      );
    case 'conflict':
      return new StreamError('CONFLICT', `Stream ${streamId} has reached position ${result.nextPosition}.`);
    default:
      return new StreamError('STORE_ERROR', `The store of stream ${streamId} gave no result for a segment.`);
  }
}
