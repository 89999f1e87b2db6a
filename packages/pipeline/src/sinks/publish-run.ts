import {
  isStreamError,
  type ProducedStream,
  produceStream,
  type StreamAddress,
  type StreamWriter,
  type StreamWriterOptions,
} from '@perennial/core';

import type { StreamingError } from '../errors/streaming-error.ts';
import type { RunProgress } from '../run/progress.ts';
import type { StreamingRun } from '../run/streaming-run.ts';

/** What a published run consists of. */
export type PublishedChunk<T> =
  | { readonly type: 'progress'; readonly progress: RunProgress }
  | { readonly type: 'item'; readonly item: T }
  | { readonly type: 'error'; readonly error: PublishedError };

/** An error without what readers may not know. */
export interface PublishedError {
  readonly code: string;
  /** The message of errors marked as public (`expose: true`), as `PublicError` is; else a general one. */
  readonly message: string;
  readonly stepName: string;
  readonly itemIndex?: number;
}

/** Options of {@link publishRun} and {@link publishProgress}, besides the stream's address. */
export interface PublishOptions extends StreamWriterOptions {
  /** How often progress is written, in ms. @default 250 */
  readonly intervalMs?: number;
}

const DEFAULT_INTERVAL_MS = 250;

/**
 * Runs, and writes what happens into a live stream: values, errors that steps split off, and progress. A cancel request for the stream
 * aborts the run; the stream ends as the run does.
 *
 * @example
 * const { streamId, done } = publishRun(pipeline.execute(files), { store, streamId: `imports/${id}`, items: false });
 */
export function publishRun<T>(
  run: StreamingRun<T>,
  { items = true, ...options }: PublishOptions & StreamAddress & { readonly items?: boolean },
): ProducedStream {
  return publish<T>(
    run,
    options,
    () => true,
    async (writer) => {
      const errors = writeErrors(run, writer);
      for await (const item of run) if (items) await write(writer, { type: 'item', item });
      await errors;
    },
  );
}

/**
 * Writes the progress of a run that somebody else consumes into a live stream, until it is over. With `errors`, also the errors that steps
 * split off; it then reads `run.errors`, where each error goes to one reader only.
 */
export function publishProgress(
  run: StreamingRun<unknown>,
  { errors = false, ...options }: PublishOptions & StreamAddress & { readonly errors?: boolean },
): ProducedStream {
  // The run is not this stream's: who loses the stream loses the view, and only somebody who asks for it stops the run.
  return publish<never>(run, options, isCancel, async (writer) => {
    if (errors) await writeErrors(run, writer);
    const { error } = await run.metadata;
    if (error) throw error;
  });
}

function publish<T>(
  run: StreamingRun<unknown>,
  { intervalMs = DEFAULT_INTERVAL_MS, ...options }: PublishOptions & StreamAddress,
  stops: (reason: unknown) => boolean,
  work: (writer: StreamWriter<PublishedChunk<T>>) => Promise<void>,
): ProducedStream {
  return produceStream<PublishedChunk<T>>(options, async (writer) => {
    const stop = (): void => {
      if (stops(writer.signal.reason)) run.abort(writer.signal.reason);
    };
    writer.signal.addEventListener('abort', stop, { once: true });
    const progress = writeProgress(run, writer, intervalMs);
    try {
      await work(writer);
    } catch (error) {
      if (stops(error)) run.abort(error);
      throw error;
    } finally {
      // The last progress tells how the run ended; it comes before the end of the stream.
      await progress;
      writer.signal.removeEventListener('abort', stop);
    }
  });
}

function isCancel(reason: unknown): boolean {
  return isStreamError(reason) && reason.code === 'CANCELLED';
}

async function writeProgress<T>(
  run: StreamingRun<unknown>,
  writer: StreamWriter<PublishedChunk<T>>,
  intervalMs: number,
): Promise<void> {
  for await (const progress of run.progressUpdates({ intervalMs })) {
    const { error, ...rest } = progress;
    const shown = error && { ...error, message: GENERAL_MESSAGE };
    // A stream that takes no more writes shows in the work itself.
    await writer.write({ type: 'progress', progress: { ...rest, ...(shown && { error: shown }) } });
  }
}

async function writeErrors<T>(run: StreamingRun<T>, writer: StreamWriter<PublishedChunk<T>>): Promise<void> {
  for await (const error of run.errors) await writer.write({ type: 'error', error: toPublished(error) });
}

async function write<T>(writer: StreamWriter<PublishedChunk<T>>, chunk: PublishedChunk<T>): Promise<void> {
  const written = await writer.write(chunk);
  if (!written.ok) throw written.error;
}

const GENERAL_MESSAGE = 'The step failed.';

function toPublished({ code, cause, stepName, itemIndex }: StreamingError): PublishedError {
  const exposed = cause instanceof Error && 'expose' in cause && cause.expose === true;
  return {
    code,
    message: exposed ? cause.message : GENERAL_MESSAGE,
    stepName,
    ...(itemIndex !== undefined && { itemIndex }),
  };
}
