import { decodeData } from '../log/codec.ts';
import { InvalidArgumentError, quote } from '../log/errors.ts';
import type { StreamHead } from '../log/head.ts';
import type { DataRecord } from '../log/record.ts';
import type { StreamStore } from '../log/store.ts';
import { type StreamAddress, streamIdOf } from '../stream-address.ts';
import { createLeaseObserver, endLapsed, type LeaseObserver } from './lease-observer.ts';
import { createReadAhead, type ReadAhead } from './read-ahead.ts';
import { createRecordReader, type ReadViewOptions, type StreamReader } from './record-reader.ts';
import type { RecordSource, SourcePage } from './record-source.ts';

export type { ReadViewOptions, StreamReader };

/** Options of {@link getStreamReader}, besides the stream's address. */
export interface StreamReaderOptions extends ReadViewOptions {
  readonly store: StreamStore;
  /** Records fetched from the store at once. @default 512, growing to 4096 while catching up */
  readonly pageSize?: number;
  /** Fetch the next page while the current one is consumed: faster, for one more page in memory. @default true */
  readonly readAhead?: boolean;
}

const DEFAULT_PAGE_SIZE = 512;
const DEFAULT_MAX_PAGE_SIZE = 4_096;

/**
 * Opens a reader on a stream, anywhere, at any time, in any process that reaches the store.
 *
 * @example
 * const reader = getStreamReader<string>({ store, streamId: 'chats/42/answer', startIndex: 0 });
 * for await (const token of reader) process.stdout.write(token);
 */
export function getStreamReader<T = unknown>(options: StreamReaderOptions & StreamAddress): StreamReader<T> {
  if (options.pageSize !== undefined && !(Number.isSafeInteger(options.pageSize) && options.pageSize > 0)) {
    throw new InvalidArgumentError(
      'pageSize',
      `\`pageSize\` must be a whole number above 0; got ${quote(options.pageSize)}.`,
    );
  }
  const streamId = streamIdOf(options);
  return createRecordReader<T, DataRecord>(streamId, new StoreSource(streamId, options), options);
}

/** Reads pages from a store, and ends standalone streams whose lease lapsed. */
class StoreSource implements RecordSource<DataRecord> {
  readonly #streamId: string;
  readonly #options: StreamReaderOptions;
  readonly #lease: LeaseObserver;
  readonly #pages: ReadAhead;
  #head: StreamHead | null = null;

  constructor(streamId: string, options: StreamReaderOptions) {
    this.#streamId = streamId;
    this.#options = options;
    this.#lease = createLeaseObserver(options.monotonic);
    const { store, pageSize = DEFAULT_PAGE_SIZE } = options;
    this.#pages = createReadAhead({
      read: (from, limit) => store.read(streamId, { from, limit }),
      pageSize,
      maxPageSize: options.pageSize ?? DEFAULT_MAX_PAGE_SIZE,
      enabled: options.readAhead ?? true,
    });
  }

  async read(from: number): Promise<SourcePage<DataRecord>> {
    const { records, head } = await this.#pages.page(from);
    this.#head = head;
    return { records, end: head.end, tail: head.nextPosition };
  }

  async wait(position: number, options: { readonly signal: AbortSignal; readonly timeoutMs: number }): Promise<void> {
    const { store } = this.#options;
    const head = this.#head;
    let { timeoutMs } = options;
    if (head) {
      const lease = this.#lease.observe(head);
      if (lease.state === 'lapsed' && head.owner === null) {
        // Not being allowed to end it (a read-only process, a race with another reader) is no reason to stop reading.
        const ended = await endLapsed(store, head).catch(() => false);
        if (ended) return;
      }
      const leaseMs = lease.state === 'lapsed' ? (head.lease?.durationMs ?? Infinity) : lease.remainingMs;
      timeoutMs = Math.min(timeoutMs, leaseMs);
    }
    await store.wait(this.#streamId, {
      position,
      signal: options.signal,
      ...(timeoutMs !== Infinity && { timeoutMs }),
    });
  }

  decode(record: DataRecord): unknown {
    return decodeData(record.data);
  }
}
