import { getStreamWriter, type StreamAddress, type StreamWriter, type StreamWriterOptions } from '@perennial/core';

import type { ExecuteOptions } from '../builder/options.ts';
import { messageOf } from '../errors/streaming-error.ts';
import type { PipelineMetadata } from '../metadata/streaming-metadata.ts';
import type { RunState } from '../run/run-state.ts';
import type { StreamingRun } from '../run/streaming-run.ts';
import { sinkError } from './pipe-run.ts';

/** Options of `executeToStream`, besides the stream's address. */
export interface StreamOutputOptions extends Omit<StreamWriterOptions, 'producer'>, ExecuteOptions {
  /** What becomes of the stream when the run fails: `end` it as failed, or `keep` it open for a run that goes on. @default 'keep' with a `runId`, else 'end' */
  readonly onFailure?: 'end' | 'keep';
}

/** A run on its way into a stream. */
export interface StreamOutput<T> {
  /** For progress, errors and `abort()`; its values go into the stream. */
  readonly run: StreamingRun<T>;
  /** Resolves once the stream is complete and durable. Rejects with the run's error. */
  readonly done: Promise<PipelineMetadata>;
}

/** A run, and what only its sink may know of it. */
export interface SinkRun<T> {
  readonly run: StreamingRun<T>;
  readonly state: RunState<T>;
}

/**
 * Runs into a stream. With a `runId` each value has its fixed number there, whichever run makes it, so that it is stored once.
 *
 * @param start Makes the run, given the function that makes its values durable.
 */
export function runToStream<T>(
  start: (flushSink: () => Promise<void>) => SinkRun<T>,
  options: StreamOutputOptions & StreamAddress,
): StreamOutput<T> {
  let writer: StreamWriter<T> | null = null;
  const { run, state } = start(async () => {
    const flushed = await writer?.flush();
    if (flushed && !flushed.ok) throw sinkError(run, flushed.error, undefined);
  });
  const open = (): StreamWriter<T> => {
    const { runId, signal: _, total: __, onFailure: ___, ...rest } = options;
    const producer = runId === undefined ? undefined : { id: `pipeline/${runId}`, epoch: 0, seq: state.resumedAt };
    writer = getStreamWriter<T>({ ...rest, ...(producer && { producer }) });
    return writer;
  };
  return { run, done: drain(run, open, options) };
}

async function drain<T>(
  run: StreamingRun<T>,
  open: () => StreamWriter<T>,
  { runId, onFailure = runId === undefined ? 'end' : 'keep' }: StreamOutputOptions,
): Promise<PipelineMetadata> {
  let writer: StreamWriter<T> | null = null;
  const stop = (): void => run.abort(writer?.signal.reason);
  try {
    // The first answer tells where the run goes on, and with it the number of its first value.
    let step = await run.next();
    writer = open();
    writer.signal.addEventListener('abort', stop, { once: true });
    for (let index = 0; !step.done; index++) {
      const written = await writer.write(step.value);
      if (!written.ok) throw sinkError(run, written.error, index);
      step = await run.next();
    }
    const closed = await writer.close();
    if (!closed.ok) throw sinkError(run, closed.error, undefined);
    return await run.metadata;
  } catch (error) {
    await run.return();
    if (onFailure === 'end') {
      // Readers have to learn of it, also when the run never gave a value.
      const sink: StreamWriter<T> = writer ?? open();
      await sink.abort(error instanceof Error ? error : new Error(messageOf(error)));
    } else await writer?.flush();
    throw error;
  } finally {
    writer?.signal.removeEventListener('abort', stop);
  }
}
