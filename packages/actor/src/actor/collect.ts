import type { StreamChunk, StreamProgress } from '@perennial/core';

import { ActorFailedError } from '../errors.ts';
import type { LooseChunk } from './chunks.ts';

/** The data of a chunk type's `complete` chunk; unknown where the type does not tell. */
export type ResultOf<Chunk> = [CompleteData<Chunk>] extends [never] ? unknown : CompleteData<Chunk>;
type CompleteData<Chunk> = Chunk extends { readonly type: 'complete' } ? DataOf<Chunk> : never;
type DataOf<Chunk> = Chunk extends { readonly data?: infer Data } ? Data : undefined;
type DataOfType<Chunk, Type> = Chunk extends { readonly type: Type } ? DataOf<Chunk> : never;

/** All chunks, the last one included, whether it is `complete` or `error`. Keeps them in memory. */
export async function collectChunks<Chunk extends LooseChunk>(stream: AsyncIterable<Chunk>): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/**
 * The data of the `complete` chunk: what `execute` returns.
 *
 * @throws {@link ActorFailedError} when the last chunk is an error.
 */
export function collectResult<Chunk extends LooseChunk>(stream: AsyncIterable<Chunk>): Promise<ResultOf<Chunk>> {
  return collectWithProgress(stream, {});
}

/**
 * The same chunks, where an error chunk is thrown as an {@link ActorFailedError}: for a loop that treats what an actor reports and what
 * it throws alike, and local and remote actors alike.
 */
export async function* throwOnError<Chunk extends LooseChunk>(
  stream: AsyncIterable<Chunk>,
): AsyncGenerator<Exclude<Chunk, { readonly type: 'error' }>, void, unknown> {
  for await (const chunk of stream) {
    assertNoError(chunk);
    yield chunk as Exclude<Chunk, { readonly type: 'error' }>;
  }
}

/** Callbacks of {@link collectWithProgress}; the stream waits for the promises they return. */
export interface ProgressCallbacks<Chunk> {
  readonly onStart?: (data: DataOfType<Chunk, 'start'> | undefined) => void | Promise<void>;
  readonly onProgress?: (progress: StreamProgress) => void | Promise<void>;
  readonly onData?: (data: DataOfType<Chunk, 'data'>) => void | Promise<void>;
}

/**
 * The result, with callbacks on the way.
 *
 * @example
 * const answer = await collectWithProgress(actor.stream(input), { onProgress: updateProgressBar, onData: show });
 * @throws {@link ActorFailedError} when the last chunk is an error.
 */
export async function collectWithProgress<Chunk extends LooseChunk>(
  stream: AsyncIterable<Chunk>,
  { onStart, onProgress, onData }: ProgressCallbacks<Chunk>,
): Promise<ResultOf<Chunk>> {
  let result: unknown;
  for await (const loose of stream) {
    assertNoError(loose);
    // Loose in its type only: a managed stream checked it.
    const chunk = loose as LooseChunk as StreamChunk<never>;
    if (chunk.type === 'complete') result = chunk.data;
    else if (chunk.type === 'start') await onStart?.(chunk.data);
    else if (chunk.type === 'progress') await onProgress?.(chunk.progress);
    else if (chunk.type === 'data') await onData?.(chunk.data);
  }
  return result as ResultOf<Chunk>;
}

function assertNoError(loose: LooseChunk): void {
  const chunk = loose as StreamChunk;
  if (chunk.type === 'error') throw new ActorFailedError(chunk.error);
}
