import { endError } from '../log/end.ts';
import {
  InvalidArgumentError,
  isStreamError,
  quote,
  StreamError,
  type StreamReadError,
  StreamSupersededError,
  StreamTimeoutError,
  toStoreError,
} from '../log/errors.ts';
import type { SupersedeRecord } from '../log/record.ts';
import { aborted } from '../log/waiters.ts';
import { type AsyncResult, err, ok, type Result } from '../result.ts';
import { createPullIterator } from '../transform/pull-iterator.ts';
import { type END, PULL, type Pull, type Pullable, type Receiver, WAIT } from '../transform/pull.ts';
import { Retractions } from '../view/views.ts';
import type { RecordSource, SourceRecord } from './record-source.ts';

/** How a reader presents a stream, wherever its records come from. */
export interface ReadViewOptions {
  /** First position wanted. @default 0 */
  readonly startIndex?: number;
  /** How long one read waits for a record, in ms; then it reports `STREAM_TIMEOUT`, which is not an end. @default none */
  readonly pollTimeout?: number;
  /** Stops the reader with `STREAM_ABORTED`. Never cancels the producer. */
  readonly signal?: AbortSignal;
  /**
   * `live`: the data that stands, retractions applied. `raw`: all data ever written. `committed`: data of a step only once the step has
   * succeeded, by `isCommitted` (PROTOCOL.md, "Views").
   * @default 'live'
   */
  readonly view?: 'live' | 'raw' | 'committed';
  /** With `view: 'committed'`: resolves once it is known whether the step succeeded with this attempt. */
  readonly isCommitted?: (step: string, attempt: number) => boolean | Promise<boolean>;
  /** Is told of retractions of values already handed out; without it they are a `STREAM_SUPERSEDED` error, and reading may go on. */
  readonly onSupersede?: (superseded: StreamSupersededError) => void;
  /** Monotonic milliseconds. @default performance.now */
  readonly monotonic?: () => number;
}

/** Reads one stream from any position. Calls resolve with a {@link Result} and never reject; iteration throws the same typed errors. */
export interface StreamReader<T> extends AsyncIterable<T>, Pullable<T> {
  readonly streamId: string;
  /** True while more may come: the reader is open and has not reached the stream's end. */
  readonly readable: boolean;
  /** Position of the next record to be read; a new reader with this `startIndex` goes on here. */
  readonly position: number;
  /** The next value. Waits for it by notification. At the end: `STREAM_ENDED`, `STREAM_FAILED` or `STREAM_CANCELLED`. */
  read(): AsyncResult<T, StreamReadError>;
  /** At least one value, and as many more as are there, up to `limit` (default 512). */
  readBatch(options?: { readonly limit?: number }): AsyncResult<readonly T[], StreamReadError>;
  /** Stops reading; a pending read resolves with `STREAM_READER_CLOSED`. Idempotent. */
  close(): Promise<void>;
}

const DEFAULT_BATCH_LIMIT = 512;
const NOT_READY: unique symbol = Symbol('not ready');

/**
 * Reads the records of a source as a {@link StreamReader}.
 *
 * @throws {@link InvalidArgumentError} naming the first option that makes no sense.
 */
export function createRecordReader<T, R extends SourceRecord>(
  streamId: string,
  source: RecordSource<R>,
  options: ReadViewOptions,
): StreamReader<T> {
  assertReadView(options);
  return new RecordReader<T, R>(streamId, source, options);
}

/** Turns, views, retractions and timeouts: the one implementation behind every reader. */
class RecordReader<T, R extends SourceRecord> implements StreamReader<T>, Pull<T> {
  readonly streamId: string;
  readonly #source: RecordSource<R>;
  readonly #options: ReadViewOptions;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  readonly #retractions = new Retractions();
  /** Attempts of steps of which values were handed out: only their retraction concerns the consumer. */
  #handedOut = new Map<string, Set<number>>();
  /** Retractions the consumer knows of, so that starting over does not report them again. */
  readonly #reported = new Map<string, number>();
  #page: readonly (R | SupersedeRecord)[] = [];
  #index = 0;
  #position: number;
  #ended = false;
  /** The signal is aborted: asking the signal itself for every value would cost as much as a stage. */
  #over = false;
  /** Reads take turns, so that concurrent calls get different values. */
  #turn: Promise<unknown> = Promise.resolve();
  #busy = false;

  constructor(streamId: string, source: RecordSource<R>, options: ReadViewOptions) {
    this.streamId = streamId;
    this.#source = source;
    this.#options = options;
    this.#position = options.startIndex ?? 0;
    this.#signal = options.signal ? AbortSignal.any([options.signal, this.#closing.signal]) : this.#closing.signal;
    const stop = (): void => {
      this.#over = true;
      source.close?.();
    };
    if (this.#signal.aborted) stop();
    else this.#signal.addEventListener('abort', stop, { once: true });
  }

  get readable(): boolean {
    return !this.#ended && !this.#signal.aborted;
  }

  get position(): number {
    return this.#position;
  }

  read(): AsyncResult<T, StreamReadError> {
    if (!this.#busy && this.#index < this.#page.length && !this.#signal.aborted) {
      try {
        const value = this.#readyValue();
        if (value !== NOT_READY) return Promise.resolve(ok(value));
      } catch (error) {
        return Promise.resolve(err(this.#readError(error)));
      }
    }
    return this.#inTurn(async () => ok(await this.#nextValue()));
  }

  readBatch({ limit = DEFAULT_BATCH_LIMIT }: { readonly limit?: number } = {}): AsyncResult<
    readonly T[],
    StreamReadError
  > {
    return this.#inTurn(async () => {
      if (!(Number.isSafeInteger(limit) && limit > 0))
        throw new InvalidArgumentError('limit', `\`limit\` must be a whole number above 0; got ${quote(limit)}.`);
      const batch: T[] = [await this.#nextValue()];
      while (batch.length < limit) {
        const value = this.#readyValue();
        if (value === NOT_READY) break;
        batch.push(value);
      }
      return ok(batch);
    });
  }

  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) this.#closing.abort();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return createPullIterator(this);
  }

  [PULL](): Pull<T> {
    return this;
  }

  /** {@link Pull.next}: at once where the value is in the current page. */
  next(receiver: Receiver<T>): T | typeof END | typeof WAIT {
    const record = this.#page[this.#index];
    // Data outside steps is never retracted nor held back: most of what is read, so it takes the short way.
    if (record?.kind === 'data' && record.step === undefined && !this.#over) return this.#take(record);
    const value = this.#over ? NOT_READY : this.#readyValue();
    if (value !== NOT_READY) return value;
    void this.#nextValue().then(
      (late) => receiver.onValue(late),
      (error: unknown) => {
        if (isStreamError(error) && error.code === 'ENDED') receiver.onEnd();
        else receiver.onError(this.#readError(error));
      },
    );
    return WAIT;
  }

  rewind(): boolean {
    if (this.#signal.aborted) return false;
    this.#page = [];
    this.#index = 0;
    this.#position = this.#options.startIndex ?? 0;
    this.#handedOut = new Map();
    this.#ended = false;
    return true;
  }

  async #inTurn<V>(read: () => Promise<Result<V, StreamReadError>>): AsyncResult<V, StreamReadError> {
    const before = this.#busy ? this.#turn : null;
    this.#busy = true;
    const mine = (async () => {
      if (before) await before;
      try {
        return await read();
      } catch (error) {
        return err(this.#readError(error));
      }
    })();
    this.#turn = mine;
    const result = await mine;
    if (this.#turn === mine) this.#busy = false;
    return result;
  }

  /** The next value of the page that is here already. */
  #readyValue(): T | typeof NOT_READY {
    for (let record = this.#page[this.#index]; record; record = this.#page[this.#index]) {
      if (record.kind === 'supersede') {
        if (this.#mustReport(record)) return NOT_READY;
      } else if (!this.#retractions.hides(record)) {
        if (this.#options.view === 'committed' && record.step !== undefined) return NOT_READY;
        return this.#take(record);
      }
      this.#advance();
    }
    return NOT_READY;
  }

  async #nextValue(): Promise<T> {
    for (;;) {
      if (this.#signal.aborted) throw this.#stopped();
      const value = this.#readyValue();
      if (value !== NOT_READY) return value;
      const record = this.#page[this.#index];
      if (record?.kind === 'supersede') {
        this.#advance();
        this.#report(record);
      } else if (record) {
        const committed = await this.#options.isCommitted?.(record.step ?? '', record.attempt ?? 1);
        if (committed) return this.#take(record);
        this.#advance();
      } else {
        await this.#fetchPage();
      }
    }
  }

  #take(record: R): T {
    this.#position = record.position + 1;
    this.#index++;
    if (record.step !== undefined) this.#noteHandedOut(record.step, record.attempt ?? 1);
    try {
      // The type of a stream's values is its writer's promise; `unknown` is all that a log can vouch for.
      return this.#source.decode(record) as T;
    } catch (cause) {
      throw new StreamError(
        'CORRUPT',
        `The record at position ${record.position} of stream ${this.streamId} is no JSON text.`,
        { cause },
      );
    }
  }

  #noteHandedOut(step: string, attempt: number): void {
    const attempts = this.#handedOut.get(step);
    if (attempts) attempts.add(attempt);
    else this.#handedOut.set(step, new Set([attempt]));
  }

  #advance(): void {
    this.#position = (this.#page[this.#index]?.position ?? this.#position) + 1;
    this.#index++;
  }

  /** A retraction concerns the consumer when it has values of the step: from this reader, or, after a resume, from an earlier one. */
  #mustReport(record: SupersedeRecord): boolean {
    if ((this.#options.view ?? 'live') !== 'live') return false;
    for (const attempt of this.#handedOut.get(record.step) ?? []) if (attempt < record.belowAttempt) return true;
    return (this.#options.startIndex ?? 0) > 0 && (this.#reported.get(record.step) ?? 0) < record.belowAttempt;
  }

  #report(record: SupersedeRecord): void {
    const attempts = this.#handedOut.get(record.step);
    for (const attempt of attempts ?? []) if (attempt < record.belowAttempt) attempts?.delete(attempt);
    this.#reported.set(record.step, record.belowAttempt);
    const superseded = new StreamSupersededError(record.step, record.belowAttempt, record.position);
    if (!this.#options.onSupersede) throw superseded;
    this.#options.onSupersede(superseded);
  }

  /** Gets the next page, waiting for it at the tail; throws the end's error once there is nothing left. */
  async #fetchPage(): Promise<void> {
    const { pollTimeout, monotonic = () => performance.now() } = this.#options;
    const deadline = pollTimeout === undefined ? Infinity : monotonic() + pollTimeout;
    for (;;) {
      const { records, end, tail } = await this.#source.read(this.#position);
      if (this.#signal.aborted) throw this.#stopped();
      if (records.length > 0) {
        this.#page = records;
        this.#index = 0;
        if (this.#options.view !== 'raw' && this.#options.view !== 'committed')
          for (const record of records) this.#retractions.note(record);
        return;
      }
      if (end) {
        this.#ended = true;
        throw endError(end, tail);
      }
      const remainingMs = deadline - monotonic();
      if (remainingMs <= 0) throw new StreamTimeoutError(this.#position, pollTimeout ?? 0);
      await this.#source.wait(this.#position, { signal: this.#signal, timeoutMs: remainingMs });
    }
  }

  #stopped(): StreamError {
    if (this.#closing.signal.aborted)
      return new StreamError('READER_CLOSED', `The reader of stream ${this.streamId} was closed.`);
    return aborted(this.#options.signal);
  }

  #readError(error: unknown): StreamReadError {
    if (this.#signal.aborted && isStreamError(error) && error.code === 'ABORTED')
      return this.#stopped() as StreamReadError;
    return toStoreError(error, `reading stream ${this.streamId}`) as StreamReadError;
  }
}

function assertReadView(options: ReadViewOptions): void {
  assertPosition('startIndex', options.startIndex);
  if (options.pollTimeout !== undefined && !(options.pollTimeout >= 0)) {
    throw new InvalidArgumentError(
      'pollTimeout',
      `\`pollTimeout\` must be a number of milliseconds; got ${quote(options.pollTimeout)}.`,
    );
  }
  if (options.view === 'committed' && !options.isCommitted)
    throw new InvalidArgumentError('isCommitted', "`view: 'committed'` needs `isCommitted`.");
}

function assertPosition(name: string, value: number | undefined): void {
  if (value !== undefined && (!Number.isSafeInteger(value) || value < 0)) {
    throw new InvalidArgumentError(
      name,
      `\`${name}\` must be a position, a whole number from 0; got ${typeof value === 'number' ? value : quote(value)}.`,
    );
  }
}
