import {
  isStreamChunk,
  type StreamChunk,
  type StreamChunkError,
  type StreamProgress,
  toStreamChunk,
} from '@perennial/core';

import { ActorError, ActorFailedError, quote } from '../errors.ts';

/** A chunk as an untyped actor may write it: `yield { type: 'start' }` without `as const`. `type` has to be one of `StreamChunk`. */
export interface LooseChunk {
  readonly type: string;
  readonly data?: unknown;
  readonly error?: unknown;
  readonly progress?: StreamProgress;
}

/** What actors stream, and workers, executors and helpers consume. */
export type ActorStream<Data = unknown> = AsyncGenerator<StreamChunk<Data>, void, unknown>;

/**
 * What an actor yielded as the chunk that consumers get: errors become serialisable, and a value that is no chunk becomes the data of one.
 *
 * @throws `INVALID_CHUNK` for a progress chunk without numbers.
 */
export function toChunk(value: unknown): StreamChunk {
  if (!isStreamChunk(value)) return { type: 'data', data: value };
  if (value.type === 'error') return toStreamChunk(value);
  if (value.type === 'progress' && !isProgress(value.progress))
    throw new ActorError(
      'INVALID_CHUNK',
      `A progress chunk needs \`progress: { current, total }\` with numbers; got ${quote(value)}.`,
    );
  return value;
}

/** True for the chunks after which nothing comes. */
export function isLastChunk(chunk: StreamChunk): boolean {
  return chunk.type === 'complete' || chunk.type === 'error';
}

/** Anything thrown as the error of a chunk; that of an {@link ActorFailedError} is the one the actor reported. */
export function toChunkError(thrown: unknown): StreamChunkError {
  if (thrown instanceof ActorFailedError) return thrown.failure;
  const chunk = toStreamChunk({ type: 'error', error: thrown });
  return chunk.type === 'error' ? chunk.error : { code: 'ERROR', message: String(thrown) };
}

function isProgress(progress: unknown): boolean {
  if (typeof progress !== 'object' || progress === null || !('current' in progress) || !('total' in progress))
    return false;
  return Number.isFinite(progress.current) && Number.isFinite(progress.total);
}
