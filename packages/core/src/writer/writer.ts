import { encodeJson, isJsonContentType, JSON_CONTENT_TYPE } from '../log/codec.ts';
import { type StreamEnd, toStreamFailure } from '../log/end.ts';
import {
  InvalidArgumentError,
  isStreamError,
  quote,
  StreamError,
  StreamNotFoundError,
  StreamWriteError,
  writeErrorReason,
} from '../log/errors.ts';
import type { StreamHead } from '../log/head.ts';
import type { RecordData } from '../log/record.ts';
import type { CreateOptions, SegmentProducer, StreamStore } from '../log/store.ts';
import { type AsyncResult, err, ok, type Result } from '../result.ts';
import { type StreamAddress, streamIdOf } from '../stream-address.ts';
import { ACCEPTED, AppendQueue } from './append-queue.ts';
import { keepLease } from './lease-keeper.ts';
import type { RetryPolicy } from './retry.ts';

/** Options of {@link getStreamWriter}, besides the stream's address. */
export interface StreamWriterOptions {
  readonly store: StreamStore;
  /** Payloads are JSON when this is a JSON type, else `Uint8Array`s. @default 'application/json' */
  readonly contentType?: string;
  /** Create the stream when it does not exist. @default true */
  readonly create?: boolean;
  /** Promise a sign of life within this time; when it lapses, readers end the stream as failed `PRODUCER_LOST`. @default none */
  readonly leaseMs?: number;
  /** Sliding time to live of a stream this writer creates, in ms. @default none */
  readonly ttlMs?: number;
  /** Id of the journal that owns the stream. @default none */
  readonly owner?: string;
  /** Fencing token of this writer. @default none */
  readonly token?: number;
  /** Continues a known producer instead of a new, unique one: what it already stored is not stored again. */
  readonly producer?: SegmentProducer;
  /** Records that may wait for the store before `write()` pauses its caller. @default 256 */
  readonly highWaterMark?: number;
  /** Payload bytes that may wait for the store before `write()` pauses its caller. @default 4 MiB */
  readonly highWaterMarkBytes?: number;
  /** How failures of the store that may pass are repeated. */
  readonly retry?: RetryPolicy;
}

/** Writes one stream (PROTOCOL.md, "Append"). No call throws or rejects: each resolves with a {@link Result}. */
export interface StreamWriter<T> {
  readonly streamId: string;
  /** True while the stream takes writes from this writer. */
  readonly writable: boolean;
  /** The position the next record will get, by what this writer knows; exact while it is the only one. */
  readonly position: number;
  /** The end this writer gave the stream; null before. */
  readonly given: StreamEnd | null;
  /** Fires when somebody asks the producer to stop, or when another writer took the stream over. */
  readonly signal: AbortSignal;
  /** Opens the stream now instead of with the first write. */
  open(): AsyncResult<void, StreamWriteError>;
  /** Resolves once the value is accepted; pauses while `highWaterMark` is reached. A value that was refused was not written. */
  write(value: T): AsyncResult<void, StreamWriteError>;
  /** Resolves once everything accepted so far is durable. After a failure that may pass, tries again. */
  flush(): AsyncResult<void, StreamWriteError>;
  /** Ends the stream as completed, after everything accepted. Resolves once durable. Idempotent. */
  close(): AsyncResult<void, StreamWriteError>;
  /** Ends the stream as failed with `reason`, or as cancelled when a cancel request had fired {@link signal}. */
  abort(reason?: unknown): AsyncResult<void, StreamWriteError>;
  /** Ends the stream with any outcome. The first end stands; later calls report its success or failure. */
  end(end: StreamEnd): AsyncResult<void, StreamWriteError>;
}

const DEFAULT_HIGH_WATER_MARK = 256;
const DEFAULT_HIGH_WATER_MARK_BYTES = 4_194_304;
const WATCH_RETRY_MS = 1_000;
const DONE: AsyncResult<void, never> = Promise.resolve(ok());

/**
 * Opens a writer on a stream. Nothing happens in the store until the first write, `open()` or use of `signal`.
 *
 * @example
 * const writer = getStreamWriter<string>({ store, streamId: 'chats/42/answer' });
 * await writer.write('Hello');
 * await writer.close();
 */
export function getStreamWriter<T = unknown>(options: StreamWriterOptions & StreamAddress): StreamWriter<T> {
  assertPositive('highWaterMark', options.highWaterMark);
  assertPositive('highWaterMarkBytes', options.highWaterMarkBytes);
  assertPositive('leaseMs', options.leaseMs);
  return new QueueWriter<T>(streamIdOf(options), options);
}

/** The writer's end on its way to the store. */
interface Ending {
  readonly kind: 'closed' | 'aborted';
  readonly end: StreamEnd;
  /** The queue has taken it. */
  accepted: boolean;
  /** The store failed before it answered: ending again means flushing again. */
  unsure: boolean;
  done: AsyncResult<void, StreamWriteError>;
}

class QueueWriter<T> implements StreamWriter<T> {
  readonly streamId: string;
  readonly #options: StreamWriterOptions;
  readonly #queue: AppendQueue;
  readonly #lane;
  readonly #isJson: boolean;
  readonly #abort = new AbortController();
  /** Stops the watch for cancel requests and the lease. */
  readonly #dispose = new AbortController();
  #stopLease: (() => void) | null = null;
  #watching = false;
  #head: StreamHead | null = null;
  /** Set by the first call that ends the stream. */
  #ending: Ending | null = null;

  constructor(streamId: string, options: StreamWriterOptions) {
    const {
      store,
      contentType = JSON_CONTENT_TYPE,
      token,
      producer,
      highWaterMark = DEFAULT_HIGH_WATER_MARK,
      highWaterMarkBytes = DEFAULT_HIGH_WATER_MARK_BYTES,
      retry,
    } = options;
    this.streamId = streamId;
    this.#options = options;
    this.#isJson = isJsonContentType(contentType);
    this.#queue = new AppendQueue({
      store,
      streamId,
      contentType,
      highWaterMark,
      highWaterMarkBytes,
      open: () => this.#openStream(),
      onHead: (head) => this.#onHead(head),
      ...(token !== undefined && { token }),
      ...(retry && { retry }),
    });
    this.#lane = this.#queue.lane(producer?.id ?? crypto.randomUUID(), producer?.epoch ?? 0, producer?.seq);
  }

  get writable(): boolean {
    return !this.#ending && !this.#queue.broken && !this.#lane.failure;
  }

  get position(): number {
    return (this.#head?.nextPosition ?? 0) + this.#queue.size;
  }

  get given(): StreamEnd | null {
    return this.#ending?.end ?? null;
  }

  get signal(): AbortSignal {
    this.#watch();
    return this.#abort.signal;
  }

  async open(): AsyncResult<void, StreamWriteError> {
    return this.#result(await this.#queue.open());
  }

  write(value: T): AsyncResult<void, StreamWriteError> {
    if (this.#ending) return Promise.resolve(err(this.#endedError(this.#ending.kind)));
    let data: RecordData;
    try {
      data = this.#encode(value);
    } catch (error) {
      return Promise.resolve(
        err(
          this.#error(
            error instanceof StreamError ? error : new StreamError('UNSERIALISABLE', String(error), { cause: error }),
          ),
        ),
      );
    }
    return this.#settle(this.#queue.push(this.#lane, { data }));
  }

  flush(): AsyncResult<void, StreamWriteError> {
    return this.#settle(this.#queue.flush(this.#lane));
  }

  close(): AsyncResult<void, StreamWriteError> {
    return this.#end('closed', () => ({ outcome: 'completed' }));
  }

  abort(reason?: unknown): AsyncResult<void, StreamWriteError> {
    return this.#end('aborted', () => {
      const cancel = this.#head?.cancel;
      if (cancel) return { outcome: 'cancelled', ...(cancel.reason !== undefined && { reason: cancel.reason }) };
      return {
        outcome: 'failed',
        error: toStreamFailure(reason ?? new StreamError('ABORTED', 'The writer aborted the stream.')),
      };
    });
  }

  end(end: StreamEnd): AsyncResult<void, StreamWriteError> {
    return this.#end(end.outcome === 'completed' ? 'closed' : 'aborted', () => end);
  }

  #end(kind: 'closed' | 'aborted', make: () => StreamEnd): AsyncResult<void, StreamWriteError> {
    if (this.#ending && !this.#ending.unsure) return this.#ending.done;
    const ending: Ending = this.#ending ?? { kind, end: make(), accepted: false, unsure: false, done: DONE };
    ending.unsure = false;
    ending.done = this.#appendEnd(ending);
    this.#ending = ending;
    return ending.done;
  }

  async #appendEnd(ending: Ending): AsyncResult<void, StreamWriteError> {
    let failure = ending.accepted ? null : await this.#queue.push(this.#lane, null, ending.end);
    ending.accepted ||= failure === null;
    failure ??= await this.#queue.flush(this.#lane);
    if (failure?.retryable) {
      // Perhaps nobody tries again: readers are not to wait for a producer that does no more than give signs of life.
      this.#rest();
      // An end the queue holds stays, to be flushed by the next call; one that it refused was never given.
      if (ending.accepted) ending.unsure = true;
      else this.#ending = null;
    } else this.#stop();
    return this.#result(failure);
  }

  async #openStream(): Promise<StreamHead> {
    const { store, create = true, contentType, leaseMs, ttlMs, owner, token } = this.#options;
    let head: StreamHead | null;
    if (create) {
      const options: CreateOptions = {
        ...(contentType !== undefined && { contentType }),
        ...(leaseMs !== undefined && { leaseMs }),
        ...(ttlMs !== undefined && { ttlMs }),
        ...(owner !== undefined && { owner }),
        ...(token !== undefined && { token }),
      };
      const result = await store.create(this.streamId, options);
      if (result.created) return result.head;
      ({ head } = result);
    } else {
      head = await store.head(this.streamId);
      if (!head) throw new StreamNotFoundError(this.streamId);
    }
    if (leaseMs === undefined || head.end) return head;
    return store.mark(this.streamId, { type: 'lease', durationMs: leaseMs, ...(token !== undefined && { token }) });
  }

  /** What the store answered to this writer: where the stream is open, its producer is alive. */
  #onHead(head: StreamHead): void {
    this.#note(head);
    const { store, leaseMs, token } = this.#options;
    if (head.end || leaseMs === undefined || this.#stopLease || this.#dispose.signal.aborted) return;
    this.#stopLease = keepLease({
      store,
      streamId: this.streamId,
      leaseMs,
      ...(token !== undefined && { token }),
      onHead: (renewed) => this.#onRenewed(renewed),
      onLost: (error) => this.#lose(error),
    });
  }

  #note(head: StreamHead): void {
    this.#head = head;
    if (head.cancel && !this.#abort.signal.aborted) {
      const { reason } = head.cancel;
      this.#abort.abort(
        new StreamError(
          'CANCELLED',
          `A cancel was requested for stream ${this.streamId}${reason === undefined ? '' : `: ${reason}`}.`,
          { cause: reason },
        ),
      );
    }
    if (head.end) this.#stop();
  }

  #onRenewed(head: StreamHead): void {
    // A renewal can overtake the answer of an append; positions must not run backwards.
    if (head.end) this.#lose(new StreamError('CLOSED', `Stream ${this.streamId} has ended (${head.end.outcome}).`));
    else if (head.nextPosition >= (this.#head?.nextPosition ?? 0)) this.#note(head);
  }

  /** Another writer owns or ended the stream: nothing this producer does can matter any more. */
  #lose(error: StreamError): void {
    if (this.#ending) return;
    this.#queue.break(error);
    this.#stop();
    if (!this.#abort.signal.aborted) this.#abort.abort(error);
  }

  /** Renews the lease no more, until something is stored again. */
  #rest(): void {
    this.#stopLease?.();
    this.#stopLease = null;
  }

  #stop(): void {
    this.#rest();
    if (!this.#dispose.signal.aborted) this.#dispose.abort();
  }

  /** Follows the head for cancel requests and foreign ends, from the first use of {@link signal} on. */
  #watch(): void {
    if (this.#watching || this.#dispose.signal.aborted) return;
    this.#watching = true;
    void this.#watchHead();
  }

  async #watchHead(): Promise<void> {
    const { signal } = this.#dispose;
    const failure = await this.#queue.open();
    while (!failure && !signal.aborted) {
      try {
        const head = await this.#options.store.wait(this.streamId, {
          position: Infinity,
          cancel: !this.#abort.signal.aborted,
          signal,
        });
        if (head.end)
          return this.#lose(
            new StreamError('CLOSED', `Stream ${this.streamId} was ended (${head.end.outcome}) by somebody else.`),
          );
        this.#note(head);
      } catch (error) {
        if (signal.aborted) return;
        if (isStreamError(error) && !error.retryable) return this.#lose(error);
        await new Promise((resolve) => setTimeout(resolve, WATCH_RETRY_MS));
      }
    }
  }

  #encode(value: T): RecordData {
    if (this.#isJson) return encodeJson(value);
    if (value instanceof Uint8Array) return value;
    throw new StreamError(
      'UNSERIALISABLE',
      `A stream of ${this.#options.contentType} takes Uint8Array values; got ${quote(value)}.`,
    );
  }

  #settle(pushed: Promise<StreamError | null>): AsyncResult<void, StreamWriteError> {
    // Most writes are accepted at once; they share one promise instead of chaining a new one each.
    return pushed === ACCEPTED ? DONE : pushed.then((failure) => this.#result(failure));
  }

  #result(failure: StreamError | null): Result<void, StreamWriteError> {
    return failure ? err(this.#error(failure)) : ok();
  }

  #endedError(kind: 'closed' | 'aborted'): StreamWriteError {
    const message = `The writer of stream ${this.streamId} was ${kind}; it takes no more writes.`;
    return new StreamWriteError(message, { reason: kind, code: 'CLOSED', position: this.position });
  }

  #error(failure: StreamError): StreamWriteError {
    const { code, message } = failure;
    return new StreamWriteError(message, {
      reason: writeErrorReason(code),
      code,
      position: this.position,
      cause: failure,
    });
  }
}

function assertPositive(name: string, value: number | undefined): void {
  if (value !== undefined && !(Number.isInteger(value) && value > 0)) {
    throw new InvalidArgumentError(name, `\`${name}\` must be a whole number above 0; got ${quote(value)}.`);
  }
}
