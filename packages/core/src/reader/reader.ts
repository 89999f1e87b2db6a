import { InvalidArgumentError, quote } from '../log/errors.ts';
import type { DataRecord } from '../log/record.ts';
import type { StreamStore } from '../log/store.ts';
import { type StreamAddress, streamIdOf } from '../stream-address.ts';
import { createRecordReader, type ReadViewOptions, type StreamReader } from './record-reader.ts';
import { createStoreSource } from './store-source.ts';

export type { ReadViewOptions, StreamReader };

/** Options of {@link getStreamReader}, besides the stream's address. */
export interface StreamReaderOptions extends ReadViewOptions {
  readonly store: StreamStore;
  /** Records fetched from the store at once. @default 512, growing to 4096 while catching up */
  readonly pageSize?: number;
  /** Fetch the next page while the current one is consumed: faster, for one more page in memory. @default true */
  readonly readAhead?: boolean;
}

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
  return createRecordReader<T, DataRecord>(streamId, createStoreSource(streamId, options), options);
}
