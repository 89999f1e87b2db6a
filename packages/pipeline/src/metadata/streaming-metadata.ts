import type { StreamingError } from '../errors/streaming-error.ts';

/** How a step was run. */
export type ExecutionMode = 'streaming' | 'parallel-streaming' | 'batch';

/** How long a step took per item, in ms: time inside the step, without the waits for its input and its consumer. */
export interface StreamingTiming {
  /** Values the step emitted. */
  readonly itemCount: number;
  /** Durations that were measured; fast streams are sampled. */
  readonly sampledCount: number;
  readonly avgDurationMs: number;
  readonly p50DurationMs?: number;
  readonly p95DurationMs?: number;
  readonly p99DurationMs?: number;
}

/** What is known about one step of a run. */
export interface StreamingMetadata {
  /** The step's key in the pipeline. */
  readonly key: string;
  /** The step's own name; its key where it has none. */
  readonly stepName: string;
  /** Items the step received. */
  readonly receivedCount: number;
  readonly timing: StreamingTiming;
  readonly traceId: string;
  readonly spanId: string;
  readonly errorCount: number;
  /** The first 1,000 errors of a `COLLECT_ERRORS` step, and the error that ended the run. */
  readonly errors?: readonly StreamingError[];
  readonly executionMode: ExecutionMode;
}

/** How a run ended: by itself, by an error, by its consumer leaving, or by `abort()` or its signal. */
export type RunOutcome = 'completed' | 'failed' | 'left' | 'aborted';

/** What is known about a whole run. */
export interface PipelineMetadata {
  readonly stepName: 'pipeline_complete';
  readonly outcome: RunOutcome;
  /** What ended the run, with `failed` and `aborted`. */
  readonly error?: StreamingError;
  /** Values that came out. */
  readonly itemCount: number;
  /** Values that earlier runs of the same run id had handed out already. */
  readonly resumedAt: number;
  readonly durationMs: number;
  /** Sum over the steps. */
  readonly errorCount: number;
  /** Errors of `SPLIT_ERRORS` steps that nobody read in time. */
  readonly droppedErrorCount: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly steps: readonly StreamingMetadata[];
}
