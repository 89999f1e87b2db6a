import { isStreamError, isStreamNotFound, StreamNotFoundError } from '../log/errors.ts';
import type { StreamHead } from '../log/head.ts';
import { recordSize, type StreamRecord } from '../log/record.ts';
import type { StreamStore } from '../log/store.ts';
import type { LeaseObserver } from '../reader/lease-observer.ts';
import { endLost, leaseHolderOf } from '../reader/lost-producer.ts';
import { encodeSseBatch, placeAt, type SseBatch, type SseFormat, type SseFrames, type SsePlace } from './sse-frames.ts';
import { type StreamState, stateKey } from './state.ts';

/** New records of a stream, read once for everybody. */
export interface FeedBatch extends SseBatch {
  /** Position of the first record. */
  readonly from: number;
  /** Its encodings so far, for all readers of a format. */
  readonly frames: Map<SseFormat, SharedFrames>;
}

/** A batch as shared events. */
export interface SharedFrames extends SseFrames {
  /** Only a reader at exactly this place may be sent the bytes. */
  readonly from: SsePlace;
}

/** A reader that is attached to a {@link LiveFeed}. Calls must not throw. */
export interface FeedSubscriber {
  /** New records, or the end, or both. */
  onBatch(batch: FeedBatch): void;
  /** The state changed without new records. */
  onState(state: StreamState): void;
  /** Nothing else happened for `heartbeatMs`. */
  onHeartbeat(): void;
  /** The stream was deleted or replaced, the store failed, or the server closes. Nothing follows. */
  onGone(error: unknown): void;
}

/** Options of {@link LiveFeed}. */
export interface LiveFeedOptions {
  readonly store: StreamStore;
  /** A fresh head; the feed starts at its tail. */
  readonly head: StreamHead;
  readonly heartbeatMs: number;
  /** What is known of the stream's lease, also from earlier feeds. */
  readonly lease: LeaseObserver;
  /** Cursor for shared control events. */
  readonly cursor: () => string;
  /** Is called once, when the last subscriber has left or the feed has failed. */
  readonly onStopped: () => void;
  /** Is told of store failures. */
  readonly onError: (error: unknown) => void;
}

/** One batch: small enough that a reader which cannot take it yet costs little. */
const BATCH = { limit: 1_000, maxBytes: 262_144 } as const;
/** Batches kept for readers that are a little behind. */
const RECENT_BYTES = 65_536;
/** Pause between two looks at an owner's lease, of whose renewals nobody is told. */
const OWNER_TICK_MS = 1_000;
/** Shortest pause between two looks at a lease. */
const MIN_TICK_MS = 20;

/**
 * Follows one stream for all its live readers: one wait, one read and, per view, one encoding of each batch, however many readers there
 * are. Runs while it has subscribers.
 *
 * States: idle → following (first subscriber) → ended (the stream's end was delivered) or stopped (no subscriber left, or failed).
 */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #subscribers = new Set<FeedSubscriber>();
  readonly #stop = new AbortController();
  readonly #lease: LeaseObserver;
  /** Latest batches, oldest first. */
  #recent: FeedBatch[] = [];
  #recentBytes = 0;
  /** Where the last shared encoding of each format stopped: the next one must go on there, or cut characters would be lost. */
  readonly #places = new Map<SseFormat, SsePlace>();
  #state: StreamState;
  #position: number;
  #following = false;
  #lastNews = performance.now();

  constructor(options: LiveFeedOptions) {
    this.#options = options;
    this.#lease = options.lease;
    this.#state = { head: options.head, stalled: false };
    this.#position = options.head.nextPosition;
  }

  /** The latest state seen. */
  get state(): StreamState {
    return this.#state;
  }

  /** Position up to which subscribers have been told. */
  get position(): number {
    return this.#position;
  }

  /** Attaches a reader and returns what detaches it, idempotently. */
  subscribe(subscriber: FeedSubscriber): () => void {
    this.#subscribers.add(subscriber);
    if (!this.#following) {
      this.#following = true;
      void this.#follow();
    }
    return () => {
      if (this.#subscribers.delete(subscriber) && this.#subscribers.size === 0) this.#stopNow();
    };
  }

  /** A recent batch that starts at `position`. */
  recent(position: number): FeedBatch | undefined {
    return this.#recent.find(({ from, to }) => from === position && to > from);
  }

  /** The batch as events, encoded at the first call for this format. */
  encode(batch: FeedBatch, format: SseFormat): SharedFrames {
    const known = batch.frames.get(format);
    if (known) return known;
    const last = this.#places.get(format);
    const from = last?.position === batch.from ? last : placeAt(batch.from);
    const frames: SharedFrames = { from, ...encodeSseBatch(format, from, batch, this.#options.cursor()) };
    if (!last || batch.to >= last.position) this.#places.set(format, frames.place);
    batch.frames.set(format, frames);
    return frames;
  }

  /** Tells all readers to go: the server closes. */
  close(error: unknown): void {
    this.#tell((subscriber) => subscriber.onGone(error));
    this.#stopNow();
  }

  async #follow(): Promise<void> {
    const { store } = this.#options;
    const first = this.#state.head;
    const { id, incarnation } = first;
    try {
      // Polls may all be too short for the pause that follows a look: the first one is at once.
      if (!first.owner && this.#lease.observe(first).state === 'lapsed') await this.#tick(first);
      while (!this.#stop.signal.aborted) {
        const { cancel } = this.#state.head;
        const head = await store.wait(id, {
          position: this.#position,
          cancel: cancel === null,
          signal: this.#stop.signal,
          timeoutMs: this.#tickMs(),
        });
        if (head.incarnation !== incarnation) throw new StreamNotFoundError(id);
        if (head.nextPosition > this.#position || head.end) await this.#deliver();
        else await this.#tick(head);
        const { end, nextPosition } = this.#state.head;
        if (end && this.#position >= nextPosition) return;
      }
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      if (!isStreamNotFound(error)) this.#options.onError(error);
      this.close(error);
    }
  }

  async #deliver(): Promise<void> {
    const { id, incarnation } = this.#state.head;
    const from = this.#position;
    const { records, head } = await this.#options.store.read(id, { ...BATCH, from });
    if (this.#stop.signal.aborted) return;
    if (head.incarnation !== incarnation) throw new StreamNotFoundError(id);
    this.#state = { head, stalled: false };
    if (head.owner === null) this.#lease.observe(head);
    const batch: FeedBatch = { from, to: from + records.length, records, state: this.#state, frames: new Map() };
    this.#position = batch.to;
    this.#remember(batch);
    this.#lastNews = performance.now();
    this.#tell((subscriber) => subscriber.onBatch(batch));
  }

  /** Nothing new to read: looks at the lease, keeps the stream from expiring under its readers, and keeps idle connections open. */
  async #tick(head: StreamHead): Promise<void> {
    // Of a stream that has an owner, the owner's (PROTOCOL.md, "Leases").
    const holder = await leaseHolderOf(this.#options.store, head);
    const lapsed = this.#lease.observe(holder).state === 'lapsed';
    if ((lapsed || holder.end) && (await this.#endLost(head, holder))) return;
    // A live reader uses the stream, so that its ttl starts again; and only a read finds out that the stream has expired.
    if (head.ttlMs !== null || head.expiresAt !== null)
      await this.#options.store.read(head.id, { from: this.#position, limit: 1 });
    if (this.#stop.signal.aborted) return;
    const before = stateKey(this.#state);
    this.#state = { head, stalled: lapsed };
    const now = performance.now();
    if (stateKey(this.#state) !== before) {
      this.#lastNews = now;
      this.#tell((subscriber) => subscriber.onState(this.#state));
    } else if (now - this.#lastNews >= this.#options.heartbeatMs) {
      this.#lastNews = now;
      this.#tell((subscriber) => subscriber.onHeartbeat());
    }
  }

  #endLost(head: StreamHead, holder: StreamHead): Promise<boolean> {
    return endLost(this.#options.store, head, holder).catch((error: unknown) => {
      // Losing the race against another observer, or a store that may not be written, is no reason to stop reading.
      if (!isStreamError(error) || error.code !== 'FENCED') this.#options.onError(error);
      return false;
    });
  }

  #tickMs(): number {
    const { head } = this.#state;
    const idleLeft = this.#options.heartbeatMs - (performance.now() - this.#lastNews);
    const life = head.ttlMs === null ? Infinity : head.ttlMs / 2;
    return Math.max(MIN_TICK_MS, Math.min(idleLeft, life, this.#leaseTickMs(head)));
  }

  /** When to look at the lease next: when it lapses, and a while later if it could not be acted upon then. */
  #leaseTickMs(head: StreamHead): number {
    if (head.owner !== null) return OWNER_TICK_MS;
    if (!head.lease) return Infinity;
    return this.#lease.observe(head).remainingMs || head.lease.durationMs / 4;
  }

  #remember(batch: FeedBatch): void {
    this.#recent.push(batch);
    this.#recentBytes += batchBytes(batch);
    while (this.#recentBytes > RECENT_BYTES && this.#recent.length > 1)
      this.#recentBytes -= batchBytes(this.#recent.shift());
  }

  #tell(call: (subscriber: FeedSubscriber) => void): void {
    // Readers leave while they are being told, which a Set's iteration allows.
    for (const subscriber of this.#subscribers) call(subscriber);
  }

  #stopNow(): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#subscribers.clear();
    this.#recent = [];
    this.#options.onStopped();
  }
}

function batchBytes(batch: FeedBatch | undefined): number {
  return batch ? batch.records.reduce((sum: number, record: StreamRecord) => sum + recordSize(record), 0) : 0;
}
