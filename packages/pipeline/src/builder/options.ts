import type { PipelineClock } from '../clock/clock.ts';
import { assertNumber, assertWhole, invalid, show } from '../errors/arguments.ts';
import { StreamingErrorStrategy } from '../errors/error-strategy.ts';
import type { SamplingRate } from '../metadata/sampler.ts';
import { assertRetry, type RetryOptions } from '../step/retry.ts';
import type { PipelineTracer } from '../trace/trace.ts';

/** Options that every step with a function or generator takes. */
export interface StepOptions {
  /** What becomes of items that failed. @default StreamingErrorStrategy.FAIL_FAST */
  readonly errorStrategy?: StreamingErrorStrategy;
  /** Tries failed items again; overrides the step's own. @default none */
  readonly retry?: RetryOptions;
  /** Values kept for `state.stream` and `state.materialize` of later steps: all, up to `retainLimit`, or the last n. @default false */
  readonly retain?: boolean | number;
}

/** Options of `add`. */
export interface AddOptions extends StepOptions {
  /** The step carries nothing from one item to the next: a resumed run may start it between two items instead of from the beginning. @default false */
  readonly stateless?: boolean;
}

/** Options of `map` and `flatMap`. */
export interface StreamingOptions extends StepOptions {
  /** Several items at once: a generator step runs once per item, a function is called without waiting for its last call. @default false */
  readonly parallel?: boolean;
  /** With `parallel`: items being read, in flight, and finished but not taken over by the next step, together. @default 10 */
  readonly concurrencyLimit?: number;
  /** With `parallel`: emit in the order of the items. False: as they complete. @default true */
  readonly ordered?: boolean;
}

/** Options of `batch`. */
export interface BatchOptions {
  /** Emit an incomplete batch once its first item has waited this long, in ms. @default none: wait for the batch to fill */
  readonly maxWaitMs?: number;
}

/** Options of `StreamingPipeline.start`. */
export interface PipelineOptions {
  /** Whether `add` keeps what its step emits: `on-demand` the latest value, `always` every value, `never` none. @default 'on-demand' */
  readonly checkpoints?: 'always' | 'never' | 'on-demand';
  /** Which items are timed: a share from 0 to 1, or `auto`: all of them up to about 10,000 a second. @default 'auto' */
  readonly samplingRate?: SamplingRate;
  /** Values that a reading of state, `retain: true`, or the replay of a retried generator may hold. @default 100_000 */
  readonly retainLimit?: number;
  /** Errors that `run.errors` holds for a reader who is late. @default 1_000 */
  readonly errorBuffer?: number;
  /** @default the system's clock */
  readonly clock?: PipelineClock;
  /** Uniform in [0, 1), for jitter and sampling. @default Math.random */
  readonly random?: () => number;
  /** Makes the spans of runs; null: ids only. @default the OpenTelemetry provider registered in this process, if there is one */
  readonly tracer?: PipelineTracer | null;
}

/** Options of the `execute` methods. */
export interface ExecuteOptions {
  /** Aborts the run. */
  readonly signal?: AbortSignal;
  /** Names the run for its durable checkpoints: another run of the same id goes on where this one stopped. */
  readonly runId?: string;
  /** Items the source is going to give, as far as known: then progress tells how long the rest takes. */
  readonly total?: number;
}

/** @throws `INVALID_ARGUMENT` naming the first option that cannot be followed. */
export function assertStepOptions({ errorStrategy, retry, retain }: StepOptions): void {
  if (errorStrategy !== undefined && !Object.hasOwn(StreamingErrorStrategy, errorStrategy)) {
    const known = Object.keys(StreamingErrorStrategy).join(', ');
    throw invalid(`\`errorStrategy\` is one of ${known}; got ${show(errorStrategy)}.`);
  }
  assertRetry(retry);
  if (typeof retain === 'number') assertWhole('retain', retain, 0);
}

/** @throws `INVALID_ARGUMENT` naming the first option that cannot be followed. */
export function assertStreamingOptions(options: StreamingOptions): void {
  assertStepOptions(options);
  const { parallel = false, concurrencyLimit, ordered } = options;
  if (concurrencyLimit !== undefined) assertWhole('concurrencyLimit', concurrencyLimit, 1);
  if (!parallel && (concurrencyLimit !== undefined || ordered !== undefined)) {
    throw invalid('`concurrencyLimit` and `ordered` need `parallel: true`.');
  }
}

/** @throws `INVALID_ARGUMENT` naming the first option that cannot be followed. */
export function assertPipelineOptions({ checkpoints, samplingRate, retainLimit, errorBuffer }: PipelineOptions): void {
  if (checkpoints !== undefined && !['always', 'never', 'on-demand'].includes(checkpoints)) {
    throw invalid(`\`checkpoints\` is 'always', 'never' or 'on-demand'; got ${show(checkpoints)}.`);
  }
  if (samplingRate !== 'auto') assertNumber('samplingRate', samplingRate, 1);
  if (retainLimit !== undefined) assertWhole('retainLimit', retainLimit, 1);
  if (errorBuffer !== undefined) assertWhole('errorBuffer', errorBuffer, 0);
}
