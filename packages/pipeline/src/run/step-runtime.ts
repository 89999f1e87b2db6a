import { SKIP } from '@perennial/core/engine';

import { StreamingErrorStrategy } from '../errors/error-strategy.ts';
import { codeOf, messageOf, StreamingError, type StreamingErrorContext } from '../errors/streaming-error.ts';
import { Histogram } from '../metadata/histogram.ts';
import { Sampler } from '../metadata/sampler.ts';
import type { ExecutionMode, StreamingMetadata } from '../metadata/streaming-metadata.ts';
import { isRetryable, type RetryOptions } from '../step/retry.ts';
import type { PipelineSpan } from '../trace/trace.ts';
import { Recorder } from './recorder.ts';
import type { RunContext } from './run-context.ts';

/** What a step is, independent of a run. */
export interface StepDescription {
  readonly key: string;
  /** The step's own name; the key where it has none. */
  readonly stepName: string;
  readonly executionMode: ExecutionMode;
  readonly errorStrategy?: StreamingErrorStrategy;
  readonly retry?: RetryOptions;
  /** Values kept for later readers: all of them, the last n, or none. @default false */
  readonly retain?: boolean | number;
  /** Bound of `retain: true`; the run's `retainLimit` where absent. */
  readonly retainLimit?: number;
  /** False: not even the latest value is kept. @default true */
  readonly latest?: boolean;
  /** The step is a checkpoint: its state is all it recorded. */
  readonly checkpoint?: boolean;
}

/** The item an error is about. */
export interface FailedItem {
  readonly index?: number | undefined;
  readonly item?: unknown;
  readonly attempts?: number;
}

/** Errors that a step's metadata keeps. */
const MAX_ERRORS = 1_000;

/** One step of one run: what it counted, measured, kept and failed at. */
export class StepRuntime {
  readonly run: RunContext;
  readonly description: StepDescription;
  readonly span: PipelineSpan;
  /** Index of the next item the step receives. */
  received = 0;
  /** Values emitted in this run. */
  emitted = 0;
  latest: unknown = undefined;
  /** Null while nobody asked for values: the common case costs one comparison per value. */
  recorder: Recorder | null = null;
  /** A barrier has everything: its recording may be shown. */
  complete = false;
  /** Items up to and including the next one to time. */
  untilSample: number;
  errorCount = 0;
  /** Items received by earlier runs that this one continues. */
  #receivedBefore = 0;
  readonly #keepLatest: boolean;
  readonly #errors: StreamingError[] = [];
  readonly #sampler: Sampler;
  #histogram: Histogram | null = null;

  constructor(run: RunContext, description: StepDescription) {
    this.run = run;
    this.description = description;
    this.span = run.span.child(description.stepName, { 'perennial.key': description.key });
    this.#keepLatest = description.latest ?? true;
    this.#sampler = new Sampler(run.samplingRate, run.random);
    this.untilSample = this.#sampler.first();
    if (description.retain) this.recorder = this.#createRecorder(description.retain);
  }

  get key(): string {
    return this.description.key;
  }

  /** Whether durations are wanted at all. */
  get timed(): boolean {
    return this.#sampler.enabled;
  }

  /** Continues the count of an earlier run. */
  resume(received: number): void {
    this.received = received;
    this.#receivedBefore = received;
  }

  /** Notes a value on its way to the next stage. */
  emit<T>(value: T): T {
    this.emitted++;
    if (this.#keepLatest) this.latest = value;
    if (this.recorder !== null) this.recorder.push(value);
    return value;
  }

  /** Notes a value that was recorded before, on its way to the next stage. */
  passOn<T>(value: T): T {
    this.emitted++;
    this.latest = value;
    return value;
  }

  /** Notes a duration in ms, taken at `now`, and when to take the next one. */
  sampled(durationMs: number, now: number): void {
    this.#histogram ??= new Histogram();
    this.#histogram.record(durationMs);
    this.untilSample = this.#sampler.next(now);
  }

  /** No duration this time, but go on looking for one. */
  skipSample(): void {
    this.untilSample = this.#sampler.next(this.run.clock.now());
  }

  /** The recorder, from now on. */
  record(): Recorder {
    this.recorder ??= this.#createRecorder(false);
    return this.recorder;
  }

  /**
   * Does with a failed item what the step's strategy says.
   *
   * @throws The {@link StreamingError} with `FAIL_FAST`.
   */
  failItem(cause: unknown, failed: FailedItem): typeof SKIP {
    const error = this.error(cause, failed);
    this.errorCount++;
    switch (this.description.errorStrategy ?? StreamingErrorStrategy.FAIL_FAST) {
      case StreamingErrorStrategy.FAIL_FAST:
        this.#errors.push(error);
        throw error;
      case StreamingErrorStrategy.COLLECT_ERRORS:
        if (this.#errors.length < MAX_ERRORS) this.#errors.push(error);
        break;
      case StreamingErrorStrategy.SPLIT_ERRORS:
        this.run.errors.push(error);
        break;
      case StreamingErrorStrategy.SKIP_FAILED:
        break;
    }
    return SKIP;
  }

  /** A failure that no strategy covers: it ends the run. */
  fatal(error: StreamingError): StreamingError {
    this.errorCount++;
    if (this.#errors.length < MAX_ERRORS) this.#errors.push(error);
    return error;
  }

  /** What the step threw, with its place in the run. */
  error(cause: unknown, failed: FailedItem = {}): StreamingError {
    const code = codeOf(cause);
    const { stepName } = this.description;
    const where = failed.index === undefined ? '' : ` at item ${failed.index}`;
    return new StreamingError(
      code === undefined || code === 'Error' ? 'STEP_FAILED' : code,
      `Step '${stepName}' failed${where}: ${messageOf(cause)}`,
      this.errorContext(cause, failed),
    );
  }

  errorContext(cause?: unknown, { index, item, attempts }: FailedItem = {}): StreamingErrorContext {
    const { retry, stepName } = this.description;
    return {
      stepName,
      itemIndex: index,
      item,
      attempts,
      retryable: cause !== undefined && isRetryable(cause, retry),
      traceId: this.span.traceId,
      spanId: this.span.spanId,
      cause,
    };
  }

  metadata(): StreamingMetadata {
    const histogram = this.#histogram;
    const { key, stepName, executionMode } = this.description;
    const percentile = (share: number): number => histogram?.percentile(share) ?? 0;
    return {
      key,
      stepName,
      receivedCount: this.received - this.#receivedBefore,
      timing: {
        itemCount: this.emitted,
        sampledCount: histogram?.count ?? 0,
        avgDurationMs: histogram?.mean ?? 0,
        ...(histogram && {
          p50DurationMs: percentile(0.5),
          p95DurationMs: percentile(0.95),
          p99DurationMs: percentile(0.99),
        }),
      },
      traceId: this.span.traceId,
      spanId: this.span.spanId,
      errorCount: this.errorCount,
      ...(this.#errors.length > 0 && { errors: [...this.#errors] }),
      executionMode,
    };
  }

  #createRecorder(retain: boolean | number): Recorder {
    return new Recorder(this, { retain, limit: this.description.retainLimit ?? this.run.retainLimit });
  }
}
