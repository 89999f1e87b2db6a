/** What actors, agents and activities report while they work: a vocabulary for the values of a stream. */
import { encodeJson } from './log/codec.ts';
import { toStreamFailure } from './log/end.ts';
import { isError } from './log/is-error.ts';

/** How far a piece of work is. */
export interface StreamProgress {
  readonly current: number;
  readonly total: number;
  readonly message?: string;
}

/** An error as a chunk carries it. It is data: whoever may read the stream sees it, so it has no stack. */
export interface StreamChunkError {
  /** Machine-readable, such as `TIMEOUT` or `PRODUCER_LOST`. */
  readonly code: string;
  readonly message: string;
  readonly name?: string;
}

/** The work began. */
export interface StartChunk<T = unknown> {
  readonly type: 'start';
  readonly data?: T;
}

/** The work advanced. */
export interface ProgressChunk<T = unknown> {
  readonly type: 'progress';
  readonly progress: StreamProgress;
  readonly data?: T;
}

/** A part of the result. */
export interface DataChunk<T = unknown> {
  readonly type: 'data';
  readonly data: T;
}

/** The last chunk of work that succeeded. */
export interface CompleteChunk<T = unknown> {
  readonly type: 'complete';
  readonly data?: T;
}

/** The last chunk of work that failed. */
export interface ErrorChunk<T = unknown> {
  readonly type: 'error';
  readonly error: StreamChunkError;
  readonly data?: T;
}

/** One report of a piece of work, discriminated by `type`. Made of JSON values as far as `T` is. */
export type StreamChunk<T = unknown> =
  | StartChunk<T>
  | ProgressChunk<T>
  | DataChunk<T>
  | CompleteChunk<T>
  | ErrorChunk<T>;

/** A {@link StreamChunk} as a producer may write it: with anything that was thrown for an error. */
export type StreamChunkInput<T = unknown> =
  | Exclude<StreamChunk<T>, { readonly type: 'error' }>
  | { readonly type: 'error'; readonly error: unknown; readonly data?: T };

const TYPES: ReadonlySet<unknown> = new Set(['start', 'progress', 'data', 'complete', 'error']);

/**
 * The chunk as it can be stored and sent.
 *
 * @throws `UNSERIALISABLE` when JSON cannot carry `data`. An absent or undefined `data` is left out.
 */
export function toStreamChunk<T>(chunk: StreamChunkInput<T>): StreamChunk<T> {
  if (chunk.data !== undefined) encodeJson(chunk.data);
  return chunk.type === 'error' ? { ...chunk, error: toChunkError(chunk.error) } : chunk;
}

/** True for values that look like a {@link StreamChunk}; `data` may be anything. */
export function isStreamChunk(value: unknown): value is StreamChunk {
  return typeof value === 'object' && value !== null && 'type' in value && TYPES.has(value.type);
}

function toChunkError(thrown: unknown): StreamChunkError {
  const { code, message, name } = isFailure(thrown) ? thrown : toStreamFailure(thrown);
  return { code, message, ...(name !== undefined && { name }) };
}

/** A failure that was serialised before, such as one that came with another stream. */
function isFailure(value: unknown): value is StreamChunkError {
  return (
    typeof value === 'object' &&
    value !== null &&
    !isError(value) &&
    'code' in value &&
    typeof value.code === 'string' &&
    'message' in value &&
    typeof value.message === 'string'
  );
}
