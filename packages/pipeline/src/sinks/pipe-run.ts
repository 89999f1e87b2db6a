import { isStreamingError, messageOf, StreamingError } from '../errors/streaming-error.ts';
import type { PipelineMetadata } from '../metadata/streaming-metadata.ts';
import type { StreamingRun } from '../run/streaming-run.ts';
import { openSink } from './open-sink.ts';
import type { OpenSink, PipelineSink } from './sink.ts';

/** Runs into a sink. See `StreamingRun.pipeTo`. */
export async function pipeRun<T>(run: StreamingRun<T>, sink: PipelineSink<T>): Promise<PipelineMetadata> {
  const opened = openSink(sink);
  const stop = (): void => run.abort(opened.signal?.reason);
  if (opened.signal?.aborted) stop();
  opened.signal?.addEventListener('abort', stop, { once: true });
  try {
    await drain(run, opened);
    return await run.metadata;
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(messageOf(error));
    // The first failure is the one to report.
    await opened.abort(failure).catch(() => undefined);
    await run.return();
    throw failure;
  } finally {
    opened.signal?.removeEventListener('abort', stop);
  }
}

async function drain<T>(run: StreamingRun<T>, sink: OpenSink<T>): Promise<void> {
  let index = 0;
  for await (const value of run) {
    try {
      await sink.write(value, index++);
    } catch (cause) {
      throw sinkError(run, cause, index - 1);
    }
  }
  try {
    await sink.end();
  } catch (cause) {
    throw sinkError(run, cause, undefined);
  }
}

/** The error of a sink that refused a value or its end. */
export function sinkError(run: StreamingRun<unknown>, cause: unknown, itemIndex: number | undefined): StreamingError {
  if (isStreamingError(cause)) return cause;
  return new StreamingError('SINK_FAILED', `The sink failed: ${messageOf(cause)}`, {
    stepName: 'output',
    itemIndex,
    retryable: false,
    traceId: run.traceId,
    spanId: run.spanId,
    cause,
  });
}
