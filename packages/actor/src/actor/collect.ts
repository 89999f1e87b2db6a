import type { StreamChunk, StreamProgress } from '@perennial/core';

import { ActorFailedError } from '../errors.ts';

/** All chunks, the last one included, whether it is `complete` or `error`. Keeps them in memory. */
export async function collectChunks<Data>(stream: AsyncIterable<StreamChunk<Data>>): Promise<StreamChunk<Data>[]> {
  const chunks: StreamChunk<Data>[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/**
 * The data of the `complete` chunk: what `execute` returns.
 *
 * @throws {@link ActorFailedError} when the last chunk is an error.
 */
export async function collectResult<Data>(stream: AsyncIterable<StreamChunk<Data>>): Promise<Data | undefined> {
  let result: Data | undefined;
  for await (const chunk of throwOnError(stream)) if (chunk.type === 'complete') result = chunk.data;
  return result;
}

/**
 * The same chunks, where an error chunk is thrown as an {@link ActorFailedError}: for a loop that treats what an actor reports and what
 * it throws alike, and local and remote actors alike.
 */
export async function* throwOnError<Data>(
  stream: AsyncIterable<StreamChunk<Data>>,
): AsyncGenerator<Exclude<StreamChunk<Data>, { readonly type: 'error' }>, void, unknown> {
  for await (const chunk of stream) {
    if (chunk.type === 'error') throw new ActorFailedError(chunk.error);
    yield chunk;
  }
}

/** Callbacks of {@link collectWithProgress}; the stream waits for the promises they return. */
export interface ProgressCallbacks<Data> {
  readonly onStart?: (data: Data | undefined) => void | Promise<void>;
  readonly onProgress?: (progress: StreamProgress) => void | Promise<void>;
  readonly onData?: (data: Data) => void | Promise<void>;
}

/**
 * The result, with callbacks on the way.
 *
 * @example
 * const answer = await collectWithProgress(actor.stream(input), { onProgress: updateProgressBar, onData: show });
 * @throws {@link ActorFailedError} when the last chunk is an error.
 */
export async function collectWithProgress<Data>(
  stream: AsyncIterable<StreamChunk<Data>>,
  callbacks: ProgressCallbacks<Data>,
): Promise<Data | undefined> {
  const { onStart, onProgress, onData } = callbacks;
  for await (const chunk of throwOnError(stream)) {
    if (chunk.type === 'complete') return chunk.data;
    if (chunk.type === 'start') await onStart?.(chunk.data);
    else if (chunk.type === 'progress') await onProgress?.(chunk.progress);
    else await onData?.(chunk.data);
  }
  return undefined;
}
