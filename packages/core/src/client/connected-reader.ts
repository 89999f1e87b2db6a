import type { StreamEnd } from '../log/end.ts';
import type { StreamError } from '../log/errors.ts';
import { aborted, MAX_TIMER_MS } from '../log/waiters.ts';
import { createRecordReader, type ReadViewOptions, type StreamReader } from '../reader/record-reader.ts';
import type { RecordSource, SourcePage } from '../reader/record-source.ts';
import type { StreamEndpoint } from './client-request.ts';
import { connectStream } from './connect-stream.ts';
import type { ConnectionHandlers, ConnectionOptions, ConnectionState, StreamConnection } from './connection-options.ts';
import type { ReceivedData, ReceivedRecord } from './received-record.ts';

/** Options of {@link getHttpStreamReader}. */
export type HttpStreamReaderOptions = StreamEndpoint &
  ReadViewOptions &
  Omit<ConnectionOptions, 'from'> & {
    /** Records received and not read above which the connection is held back. @default 1024 */
    readonly highWaterMark?: number;
  };

/**
 * Opens a reader on a stream over HTTP, in a browser or anywhere else: the same reader as over a store. The connection is made with the
 * first read; drops are resumed out of sight, so a read only fails for what the reader of a store reports too, or when the server refuses.
 *
 * @throws `INVALID_ARGUMENT` naming an option that makes no sense.
 * @example
 * const reader = getHttpStreamReader<string>({ url: '/api/streams/chats/42' });
 * for await (const token of reader) console.log(token);
 */
export function getHttpStreamReader<T = unknown>(options: HttpStreamReaderOptions): StreamReader<T> {
  const source = new ConnectionSource(
    (from, handlers) => connectStream({ ...options, ...handlers, from }),
    options.highWaterMark,
  );
  return createRecordReader<T, ReceivedData>(options.url, source, options);
}

type Connect = (from: number, handlers: ConnectionHandlers) => StreamConnection;

const DEFAULT_HIGH_WATER_MARK = 1_024;

/** Turns what a connection pushes into what a reader pulls, holding the connection back while the reader is behind. */
class ConnectionSource implements RecordSource<ReceivedData> {
  readonly #connect: Connect;
  readonly #highWaterMark: number;
  #connection: StreamConnection | null = null;
  #buffer: readonly ReceivedRecord[] = [];
  /** Position after what was handed to the reader. */
  #position = 0;
  #end: { readonly end: StreamEnd; readonly tail: number } | null = null;
  /** A failure that no read has reported yet. */
  #failure: StreamError | null = null;
  #closed = false;
  /** Lets a connection that is held back go on. */
  #release: (() => void) | null = null;
  #wakeReader: (() => void) | null = null;

  constructor(connect: Connect, highWaterMark: number = DEFAULT_HIGH_WATER_MARK) {
    this.#connect = connect;
    this.#highWaterMark = highWaterMark;
  }

  async read(from: number): Promise<SourcePage<ReceivedData>> {
    if (from !== this.#position || !this.#connection) this.#open(from);
    const failure = this.#failure;
    if (failure && this.#buffer.length === 0) {
      // Reported once; reading on is the reader's wish to try again.
      this.#failure = null;
      this.#connection = null;
      throw failure;
    }
    const records = this.#buffer;
    this.#buffer = [];
    this.#position += records.length;
    this.#release?.();
    return { records, end: this.#end?.end ?? null, tail: this.#end?.tail ?? 0 };
  }

  wait(
    _position: number,
    { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<void> {
    if (this.#buffer.length > 0 || this.#end || this.#failure) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        this.#wakeReader = null;
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        settle();
      };
      const abort = (): void => finish(() => reject(aborted(signal)));
      const timer =
        timeoutMs === Infinity ? undefined : setTimeout(() => finish(resolve), Math.min(timeoutMs, MAX_TIMER_MS));
      signal.addEventListener('abort', abort, { once: true });
      this.#wakeReader = () => finish(resolve);
    });
  }

  decode(record: ReceivedData): unknown {
    return record.value;
  }

  close(): void {
    this.#closed = true;
    this.#connection?.close();
    this.#release?.();
  }

  #open(from: number): void {
    this.#connection?.close();
    this.#release?.();
    this.#buffer = [];
    this.#position = from;
    this.#end = null;
    this.#failure = null;
    if (this.#closed) return;
    const connection = this.#connect(from, {
      onRecords: (records) => (this.#connection === connection ? this.#take(records) : undefined),
      onState: (state) => {
        if (this.#connection === connection) this.#note(state);
      },
    });
    this.#connection = connection;
  }

  #take(records: readonly ReceivedRecord[]): void | Promise<void> {
    this.#buffer = this.#buffer.length === 0 ? records : this.#buffer.concat(records);
    this.#wakeReader?.();
    if (this.#buffer.length < this.#highWaterMark) return undefined;
    return new Promise((resolve) => {
      this.#release = () => {
        this.#release = null;
        resolve();
      };
    });
  }

  #note({ phase, end, error, position }: ConnectionState): void {
    if (phase === 'ended' && end) this.#end = { end, tail: position ?? 0 };
    else if (phase === 'failed' && error) this.#failure = error;
    else return;
    this.#wakeReader?.();
  }
}
