import type { StandardSchemaV1 } from '@standard-schema/spec';

import type { StreamEnd } from '../log/end.ts';
import { InvalidArgumentError, quote, type StreamError } from '../log/errors.ts';
import type { AsyncResult } from '../result.ts';
import type { StartAt } from './attempt.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { assertStart } from './connection-options.ts';
import type { StepFloors } from './fold.ts';
import type { Batch } from './notifier.ts';
import { isCount, isObject } from './received-record.ts';
import type { Reducer } from './reduce-fold.ts';
import type { StreamSource } from './stream-source.ts';

/**
 * How a stream appears in a user interface.
 *
 * - `idle`: not asked to connect.
 * - `connecting`: the first answer is not there yet.
 * - `catching-up`: records arrive that were there before.
 * - `live`: everything is there; what comes is shown as it comes.
 * - `reconnecting`: the connection was lost; it is being made again. The data stays.
 * - `stalled`: live, but the producer shows no sign of life.
 * - `paused`: disconnected by `disconnect()`.
 * - `closed`: the stream has ended; `end` says how.
 * - `error`: reading cannot go on; `error` says why.
 */
export type StreamStatus =
  | 'idle'
  | 'connecting'
  | 'catching-up'
  | 'live'
  | 'reconnecting'
  | 'stalled'
  | 'paused'
  | 'closed'
  | 'error';

/** What a session shows. A new object with each notification, never changed. */
export interface StreamSessionState<TData> {
  /** The reduced value, or the items. Values that were retracted are not in it. */
  readonly data: TData;
  /** Position of the next record. */
  readonly position: number;
  /** Values that stand, also those that `maxItems` dropped. */
  readonly count: number;
  readonly status: StreamStatus;
  /** How the stream ended; null while it is open. */
  readonly end: StreamEnd | null;
  /** Set with status `error`. A stream that ended as failed is no error here: look at `end`. */
  readonly error: StreamError | null;
  /** Somebody asked the producer to stop, and it has not ended the stream yet. */
  readonly cancelRequested: boolean;
}

/** Everything that a later session needs to go on. Plain data: it survives JSON as far as `data` does. */
export interface StreamSnapshot<TData> {
  readonly data: TData;
  readonly position: number;
  readonly count: number;
  readonly end: StreamEnd | null;
  /** Position at which the data begins. */
  readonly start: number;
  /** Incarnation of the stream, so that data of a deleted stream is not continued with another's. */
  readonly incarnation: string | null;
  readonly steps?: StepFloors;
}

/** Whom a session tells, besides its subscribers. Exceptions are reported as uncaught and do no harm to the session. */
export interface StreamSessionCallbacks<TItem> {
  /** New values, each once, as often as subscribers are notified. Not called for values that a snapshot brought. */
  readonly onItems?: (items: readonly TItem[], info: { readonly position: number }) => void;
  /** The stream has ended. */
  readonly onEnd?: (end: StreamEnd) => void;
  /** Reading cannot go on. */
  readonly onError?: (error: StreamError) => void;
}

/** Options of every session. Functions are looked up when they are needed, so they may change. */
export interface StreamSessionOptions<TItem>
  extends StreamSessionCallbacks<TItem>, Omit<ConnectionOptions, 'incarnation'> {
  /** Checks and transforms values; may be asynchronous. A value that does not fit stops the session with a `StreamItemError`. */
  readonly schema?: StandardSchemaV1<unknown, TItem>;
  /** First position wanted, `now`, or so many records before the tail. A snapshot takes precedence. @default 0 */
  readonly from?: StartAt;
  /** When subscribers are notified: once per frame, at most once in so many ms, or at once. @default 'frame' */
  readonly batch?: Batch;
}

/** Options of a session whose data is the array of values. */
export interface ItemsSessionOptions<TItem> extends StreamSessionOptions<TItem> {
  readonly reduce?: undefined;
  readonly initial?: undefined;
  /** Values kept; older ones are dropped from the data. @default Infinity */
  readonly maxItems?: number;
  /** State to go on from. @default none */
  readonly snapshot?: StreamSnapshot<readonly TItem[]>;
}

/** Options of a session that reduces values to data. */
export interface ReduceSessionOptions<TItem, TData> extends StreamSessionOptions<TItem> {
  /** Adds a value to the data. Must return new data instead of changing the old. */
  readonly reduce: Reducer<TItem, TData>;
  /** Data before the first value. */
  readonly initial: TData;
  readonly maxItems?: undefined;
  /** Values of steps kept so that a retraction is carried out at once; beyond, the stream is read again. @default 10000 */
  readonly maxUndo?: number;
  /** State to go on from. @default none */
  readonly snapshot?: StreamSnapshot<TData>;
}

/** Either kind. */
export type AnySessionOptions<TItem, TData> = ItemsSessionOptions<TItem> | ReduceSessionOptions<TItem, TData>;

/** Follows one stream for a user interface. */
export interface StreamSession<TItem, TData> {
  /** What subscribers were last told. */
  getState(): StreamSessionState<TData>;
  /** Calls back after each change of state; returns the function that unsubscribes. */
  subscribe(listener: () => void): () => void;
  /** Adds callbacks beside those of the options; returns the function that removes them. */
  observe(callbacks: StreamSessionCallbacks<TItem>): () => void;
  /** Starts, or goes on after `disconnect()`. Idempotent. */
  connect(): void;
  /** Stops reading and keeps the data. The producer is not told. */
  disconnect(): void;
  /** Connects anew at once; also after an error. */
  reconnect(): void;
  /** Reads everything again, from where the data begins; what is shown stays until that has caught up. Values are not told of twice. */
  restart(): void;
  /** Looks after the connection: ends a pause between attempts and retries after an error. Leaves a live or paused one alone. */
  refresh(): void;
  /** Asks the producer to stop, for all readers. */
  cancel(reason?: string): AsyncResult<void, StreamError>;
  /** What a later session needs to go on from here; null while it is not known where the data begins (`from: 'now'`). */
  snapshot(): StreamSnapshot<TData> | null;
  /** Replaces source and options. Never reconnects: what is a function is looked up at its next use, the rest counts from the next connection. */
  update(source: StreamSource, options: AnySessionOptions<TItem, TData>): void;
  /** Disconnects for good and lets go of everything. Idempotent. */
  close(): void;
}

/** @throws {@link InvalidArgumentError} naming the first option that makes no sense. */
export function assertSessionOptions<TItem, TData>({
  from,
  batch = 'frame',
  ...options
}: AnySessionOptions<TItem, TData>): void {
  if (from !== undefined) assertStart(from);
  if (batch !== 'frame' && batch !== 'none' && !(typeof batch === 'number' && batch >= 0)) {
    throw new InvalidArgumentError(
      'batch',
      `\`batch\` is 'frame', 'none' or a number of milliseconds; got ${quote(batch)}.`,
    );
  }
  const { maxItems = Infinity, reduce } = options;
  if (!(maxItems === Infinity || (isCount(maxItems) && maxItems > 0))) {
    throw new InvalidArgumentError('maxItems', `\`maxItems\` must be a whole number above 0; got ${quote(maxItems)}.`);
  }
  if (reduce !== undefined && typeof reduce !== 'function')
    throw new InvalidArgumentError('reduce', `\`reduce\` must be a function; got ${quote(reduce)}.`);
  if (reduce && options.maxUndo !== undefined && !isCount(options.maxUndo)) {
    throw new InvalidArgumentError(
      'maxUndo',
      `\`maxUndo\` must be a whole number from 0; got ${quote(options.maxUndo)}.`,
    );
  }
}

/** True for what {@link StreamSession.snapshot} returns, also after a round trip through JSON. */
export function isStreamSnapshot(value: unknown): value is StreamSnapshot<unknown> {
  return (
    isObject(value) &&
    'data' in value &&
    isCount(value['position']) &&
    isCount(value['count']) &&
    isCount(value['start']) &&
    (value['end'] === null || isObject(value['end']))
  );
}
