import { createPullIterator, PULL, type Pull, type Pullable } from '@perennial/core/engine';

import { assertNumber } from '../errors/arguments.ts';
import type { ErrorChannel } from '../errors/error-channel.ts';
import type { PipelineMetadata } from '../metadata/streaming-metadata.ts';
import { pipeRun } from '../sinks/pipe-run.ts';
import type { PipelineSink } from '../sinks/sink.ts';
import { toReadableStream } from '../sinks/to-readable-stream.ts';
import type { RunProgress } from './progress.ts';
import type { RunState } from './run-state.ts';

/**
 * One execution of a pipeline: an async generator of its values, and what there is to know about it. Nothing runs before the first
 * value is asked for.
 */
export interface StreamingRun<T> extends AsyncGenerator<T, undefined, undefined>, Pullable<T> {
  /** Leaves the run: the source is closed, a pending `next()` ends. */
  return(value?: undefined): Promise<IteratorResult<T, undefined>>;
  /** Errors of `SPLIT_ERRORS` steps, while the run goes on. */
  readonly errors: ErrorChannel;
  /** Resolves when the run is over, however it ended. Never rejects. */
  readonly metadata: Promise<PipelineMetadata>;
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits: the run within its trace. */
  readonly spanId: string;
  /** How far the run is. */
  progress(): RunProgress;
  /** How far the run is, every so often while it runs, and once when it is over. @default intervalMs 1000 */
  progressUpdates(options?: { readonly intervalMs?: number }): AsyncGenerator<RunProgress, undefined, undefined>;
  /** Stops the run at once: pending and further pulls throw `ABORTED`, the source is closed, the steps' signal fires. */
  abort(reason?: unknown): void;
  /**
   * Runs into a sink: a stream writer, a web or Node stream, or a function. Ends the sink where it can be ended.
   *
   * @throws The run's error; `SINK_FAILED` with the sink's as its cause.
   */
  pipeTo(sink: PipelineSink<T>): Promise<PipelineMetadata>;
  /** The values as a pull-based `ReadableStream`; cancelling it stops the run. */
  toReadableStream(): ReadableStream<T>;
}

/** Makes the face of a run. */
export function createStreamingRun<T>(state: RunState<T>): StreamingRun<T> {
  return new PipelineRun(state);
}

class PipelineRun<T> implements StreamingRun<T> {
  readonly #state: RunState<T>;
  readonly #iterator: AsyncIterableIterator<T>;

  constructor(state: RunState<T>) {
    this.#state = state;
    this.#iterator = createPullIterator(state.pull);
  }

  get errors(): ErrorChannel {
    return this.#state.errors;
  }

  get metadata(): Promise<PipelineMetadata> {
    return this.#state.metadata;
  }

  get traceId(): string {
    return this.#state.span.traceId;
  }

  get spanId(): string {
    return this.#state.span.spanId;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return this.#iterator.next();
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.#iterator.return?.();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<never> {
    await this.#iterator.return?.();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#iterator.return?.();
  }

  [PULL](): Pull<T> {
    return this.#state.pull;
  }

  progress(): RunProgress {
    return this.#state.progress();
  }

  async *progressUpdates({ intervalMs = 1_000 }: { readonly intervalMs?: number } = {}): AsyncGenerator<
    RunProgress,
    undefined,
    undefined
  > {
    assertNumber('intervalMs', intervalMs);
    const { clock, over } = this.#state;
    while (!over.aborted) {
      yield this.progress();
      // The end of the run cuts the wait short.
      await clock.sleep(intervalMs, over).catch(() => undefined);
    }
    yield this.progress();
    return undefined;
  }

  abort(reason?: unknown): void {
    this.#state.abort(reason);
  }

  pipeTo(sink: PipelineSink<T>): Promise<PipelineMetadata> {
    return pipeRun(this, sink);
  }

  toReadableStream(): ReadableStream<T> {
    return toReadableStream(this);
  }
}
