export {
  type MaterializeOptions,
  pipelineToStreaming,
  stepToStreamingStep,
  streamingStepToStep,
  streamingToPipeline,
} from './batch/adapters.ts';
export { type ItemOf, type ItemStep, type ListOptions, Pipeline, type PipelineResult } from './batch/pipeline.ts';
export { createStep, type Step, type StepContext, type StepResult } from './batch/step.ts';
export { FirstPipeline, type Flattened, type ItemMapper, StreamingPipeline } from './builder/streaming-pipeline.ts';
export type {
  AddOptions,
  BatchOptions,
  ExecuteOptions,
  PipelineOptions,
  StepOptions,
  StreamingOptions,
} from './builder/options.ts';
export { type PipelineClock, systemClock } from './clock/clock.ts';
export type { CheckpointOptions } from './durable/checkpoint-options.ts';
export type { ErrorChannel } from './errors/error-channel.ts';
export { StreamingErrorStrategy } from './errors/error-strategy.ts';
export {
  CheckpointOverflow,
  isStreamingError,
  PipelineError,
  type PipelineErrorCode,
  StateNotRetained,
  StreamingError,
  type StreamingErrorContext,
} from './errors/streaming-error.ts';
export type { SamplingRate } from './metadata/sampler.ts';
export type {
  ExecutionMode,
  PipelineMetadata,
  RunOutcome,
  StreamingMetadata,
  StreamingTiming,
} from './metadata/streaming-metadata.ts';
export type { RunProgress, StepProgress } from './run/progress.ts';
export type { StreamingRun } from './run/streaming-run.ts';
export {
  type PublishedChunk,
  type PublishedError,
  type PublishOptions,
  publishProgress,
  publishRun,
} from './sinks/publish-run.ts';
export type { StreamOutput, StreamOutputOptions } from './sinks/run-to-stream.ts';
export type { NodeWritable, PipelineSink } from './sinks/sink.ts';
export { asyncGeneratorOf } from './stages/async-generator-of.ts';
export type { Group, GroupOptions } from './stages/groups.ts';
export type { ItemContext } from './stages/item-function.ts';
export type { Joined, JoinOptions } from './stages/join.ts';
export { type PositionedSource, positionedSource } from './stages/positioned-source.ts';
export type { PipelineSource } from './stages/source-link.ts';
export type { CountWindowOptions, TimeWindowOptions, WindowOptions } from './stages/windows.ts';
export type { RetryOptions } from './step/retry.ts';
export type { AddToState, Snapshot, StateItem, StreamingState, ValidateNewKey } from './step/streaming-state.ts';
export {
  createStreamingStep,
  type FirstInput,
  type StreamingStep,
  type StreamingStepAccumulated,
  type StreamingStepContext,
  type StreamingStepInput,
  type StreamingStepOutput,
  type StreamingStepResult,
} from './step/streaming-step.ts';
export type { PipelineSpan, PipelineTracer, SpanAttributes } from './trace/trace.ts';
