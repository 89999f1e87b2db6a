import { isStreamNotFound } from '../log/errors.ts';
import type { StreamHead } from '../log/head.ts';
import type { ReadResult } from '../log/store.ts';
import { encodeSseComment } from '../sse/encode.ts';
import type { BodySink, LiveBody } from './live-body.ts';
import type { FeedBatch, FeedSubscriber, LiveFeed } from './live-feed.ts';
import {
  encodeSseBatch,
  encodeSseControl,
  isFinal,
  type SseBatch,
  type SseFormat,
  type SseFrames,
  type SsePlace,
} from './sse-frames.ts';
import { type StreamState, stateKey } from './state.ts';

/** Options of {@link SseReader}. */
export interface SseReaderOptions {
  readonly feed: LiveFeed;
  readonly format: SseFormat;
  /** Where the reader starts. */
  readonly place: SsePlace;
  /** What it starts with: read from `place`, or with nothing the state to begin with. */
  readonly first: SseBatch;
  /** Reads on from a position. */
  readonly read: (position: number) => Promise<ReadResult>;
  /** The reader's own cursor, when it may not get the shared one. */
  readonly cursor: (() => string) | null;
  /** When to cut the response, in ms. */
  readonly maxMs: number;
  /** How long bytes may wait for the client, in ms. */
  readonly slowReaderMs: number;
  /** Is called once, however the response ends. */
  readonly onClosed: () => void;
  /** Is told of store failures. */
  readonly onError: (error: unknown) => void;
  /** Shared cursor. */
  readonly sharedCursor: () => string;
}

const HEARTBEAT = new TextEncoder().encode(encodeSseComment());

/**
 * One SSE response. At most one chunk waits in it at any time; a client that does not take it gets nothing further until it does, and then
 * goes on from where it stands.
 *
 * States: `behind` (reads for itself, one chunk per pull) ⇄ `live` (everything sent; the feed pushes) → `closed`.
 */
export class SseReader implements FeedSubscriber, LiveBody {
  readonly #options: SseReaderOptions;
  readonly #detach: () => void;
  #sink: BodySink | null = null;
  #mode: 'behind' | 'live' | 'closed' = 'behind';
  #place: SsePlace;
  /** State the client knows. */
  #known = '';
  /** A read of our own is on its way. */
  #busy = false;
  /** A chunk waits for the client, or the response has not started. */
  #waiting = true;
  /** When the waiting chunk was first found in the way; 0 = it was not. */
  #stuckSince = 0;
  /** The response is over once the waiting chunk is taken. */
  #cutting = false;
  #timer: ReturnType<typeof setTimeout>;

  constructor(options: SseReaderOptions) {
    this.#options = options;
    this.#place = options.place;
    this.#timer = setTimeout(() => this.#cut(), options.maxMs);
    this.#detach = options.feed.subscribe(this);
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    if (this.#mode === 'closed') return sink.end();
    this.#send(this.#encode(this.#options.first));
    if (this.#mode === 'behind' && this.#canSend()) void this.#advance();
  }

  /** Ends the response where it is. Idempotent. */
  close(): void {
    if (this.#mode === 'closed') return;
    this.#release();
    this.#sink?.end();
  }

  onBatch(batch: FeedBatch): void {
    if (this.#mode !== 'live') return this.#dropIfStuck();
    const { position } = this.#place;
    if (batch.to < position || (batch.to === position && !isFinal(batch))) return;
    if (!this.#canSend()) {
      this.#mode = 'behind';
      return;
    }
    if (batch.from === position) return this.#send(this.#encodeShared(batch));
    // The feed started elsewhere than this reader did: one read of our own brings the two together.
    this.#mode = 'behind';
    void this.#advance();
  }

  onState(state: StreamState): void {
    if (this.#mode !== 'live') return this.#dropIfStuck();
    if (this.#canSend()) this.#tell(state);
    else this.#mode = 'behind';
  }

  onHeartbeat(): void {
    if (this.#mode === 'live' && this.#canSend()) this.#enqueue(HEARTBEAT);
    else this.#dropIfStuck();
  }

  onGone(error: unknown): void {
    // The client resumes, and learns then what has become of the stream: an SSE response has no way of saying 404.
    if (this.#mode === 'closed') return;
    if (isStreamNotFound(error)) this.close();
    else this.#cut();
  }

  onDrain(): void {
    this.#waiting = false;
    this.#stuckSince = 0;
    if (this.#mode === 'closed') return;
    if (this.#cutting) this.#sayGoodbye();
    else if (this.#mode === 'behind') void this.#advance();
  }

  /** Sends what is there until the client has enough for now, or there is no more and the reader goes live. */
  async #advance(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      // More than one chunk when the client is that fast: its next pull came while this one was busy, and is not repeated.
      while (this.#mode === 'behind' && this.#canSend()) await this.#catchUp();
    } catch (error) {
      if (!isStreamNotFound(error)) this.#options.onError(error);
      this.close();
    } finally {
      this.#busy = false;
      if (this.#cutting && this.#isOpen && !this.#waiting) this.#sayGoodbye();
    }
  }

  async #catchUp(): Promise<void> {
    const { feed, read } = this.#options;
    const { position } = this.#place;
    const { state } = feed;
    if (position >= feed.position) {
      this.#mode = 'live';
      if (state.head.end && position >= state.head.nextPosition)
        this.#send(this.#encode({ records: [], to: position, state }));
      else this.#tell(state);
      return;
    }
    const recent = feed.recent(position);
    if (recent) return this.#send(this.#encodeShared(recent));
    const { records, head } = await read(position);
    if (this.#mode === 'closed') return;
    if (head.incarnation !== state.head.incarnation) return this.close();
    const batch: SseBatch = { records, to: position + records.length, state: { head, stalled: feed.state.stalled } };
    // The feed has been further than the store now admits: only starting over can tell what is true.
    if (records.length === 0 && !isFinal(batch)) return this.close();
    this.#send(this.#encode(batch));
  }

  /** Nothing that is the same for all readers is worked out here: this runs once per reader and batch. */
  #send({ bytes, place, known, isFinal: final }: SseFrames): void {
    this.#place = place;
    this.#known = known;
    this.#enqueue(bytes);
    if (final) this.close();
  }

  /** Sends the state by itself, if it is news. */
  #tell(state: StreamState): void {
    if (stateKey(state) === this.#known) return;
    this.#known = stateKey(state);
    this.#enqueue(
      encodeSseControl({ format: this.#options.format, place: this.#place, state, cursor: this.#cursor() }),
    );
  }

  #encodeShared(batch: FeedBatch): SseFrames {
    const { feed, format, cursor } = this.#options;
    if (cursor === null) {
      const shared = feed.encode(batch, format);
      if (shared.from.offset === this.#place.offset) return shared;
    }
    return this.#encode(batch);
  }

  #encode(batch: SseBatch): SseFrames {
    return encodeSseBatch(this.#options.format, this.#place, batch, this.#cursor());
  }

  #cursor(): string {
    return (this.#options.cursor ?? this.#options.sharedCursor)();
  }

  get #isOpen(): boolean {
    return this.#mode !== 'closed';
  }

  #canSend(): boolean {
    return !this.#waiting && !this.#cutting;
  }

  #enqueue(bytes: Uint8Array): void {
    // Set before: a sink whose client was waiting drains within the call.
    this.#waiting = true;
    if (this.#sink?.write(bytes)) this.#waiting = false;
  }

  /** The response has lasted long enough; the client resumes at the offset of the last control event. */
  #cut(): void {
    if (this.#mode === 'closed') return;
    if (this.#canSend() && !this.#busy) return this.#sayGoodbye();
    this.#cutting = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#drop(), this.#options.slowReaderMs);
  }

  #sayGoodbye(): void {
    const { feed, format } = this.#options;
    const state: StreamState = { head: this.#headToShow(feed.state.head), stalled: feed.state.stalled };
    this.#enqueue(encodeSseControl({ format, place: this.#place, state, cursor: this.#cursor() }));
    this.close();
  }

  /** The feed's head may be older than what this reader has been sent. */
  #headToShow(head: StreamHead): StreamHead {
    return head.nextPosition >= this.#place.position ? head : { ...head, nextPosition: this.#place.position };
  }

  #dropIfStuck(): void {
    if (!this.#waiting) return;
    if (this.#stuckSince === 0) this.#stuckSince = performance.now();
    else if (performance.now() - this.#stuckSince > this.#options.slowReaderMs) this.#drop();
  }

  /** Cuts a client that does not read: failing the body is what makes a server give up the connection. */
  #drop(): void {
    if (this.#mode === 'closed') return;
    this.#release();
    this.#sink?.fail(new Error(`The client left data unread for more than ${this.#options.slowReaderMs} ms.`));
  }

  #release(): void {
    this.#mode = 'closed';
    clearTimeout(this.#timer);
    this.#detach();
    this.#options.onClosed();
  }
}
