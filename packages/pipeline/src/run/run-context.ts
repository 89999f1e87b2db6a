import type { PipelineClock } from '../clock/clock.ts';
import type { ErrorQueue } from '../errors/error-channel.ts';
import type { SamplingRate } from '../metadata/sampler.ts';
import type { PipelineSpan } from '../trace/trace.ts';

/** What the stages of one run share. */
export interface RunContext {
  readonly clock: PipelineClock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Aborted when the run is over, however it ended. */
  readonly signal: AbortSignal;
  readonly errors: ErrorQueue;
  readonly span: PipelineSpan;
  readonly samplingRate: SamplingRate;
  /** Items that a reading of state, or a replay buffer, may hold. */
  readonly retainLimit: number;
  /** What the context builder made. */
  readonly context: unknown;
  /** The plain object or other single item the run was started with; null for a stream. */
  readonly single: { readonly item: unknown } | null;
  /** A durable checkpoint asks for snapshots: stages have to remember where they could start again. */
  readonly durable: boolean;
}
