export type { StreamChunk, StreamChunkError, StreamChunkInput, StreamProgress } from '@perennial/core';

export {
  type Activity,
  type ActivityBatch,
  type ActivityOptions,
  type Dataset,
  defineActivity,
} from './activity/activity.ts';
export { Actor, isStreamingActor, type StreamingActor } from './actor/actor.ts';
export { type ActorStream, isLastChunk, type LooseChunk } from './actor/chunks.ts';
export {
  collectChunks,
  collectResult,
  collectWithProgress,
  type ProgressCallbacks,
  type ResultOf,
  throwOnError,
} from './actor/collect.ts';
export { type ActorCallContext, type ActorContext, createActorContext } from './actor/context.ts';
export { defineActor } from './actor/define-actor.ts';
export type { AI, AIFinish, AIOptions, AIUsage, ChatMessage, Prompt } from './ai/ai.ts';
export { AIError, type AIErrorCode } from './ai/ai-error.ts';
export { AIService, type AIServiceOptions } from './ai/ai-service.ts';
export {
  type ConfiguredActor,
  DEFAULT_ADDRESS,
  defineConfig,
  type PerennialConfig,
  resolveConfig,
  type ResolvedConfig,
} from './config/config.ts';
export { ActorError, type ActorErrorCode, ActorFailedError, isActorError, UnknownActorError } from './errors.ts';
export { createMemoryQueue, type MemoryQueueOptions } from './queue/memory-queue.ts';
export type {
  ActorMessage,
  ConsumeMessagesOptions,
  Delivery,
  MessageConsumer,
  MessageQueue,
} from './queue/message-queue.ts';
export {
  type ActorInfo,
  type ActorRegistry,
  type ActorRegistryOptions,
  type AnyActor,
  createActorRegistry,
  type RegisterOptions,
} from './registry/registry.ts';
export { type Contribution, createTeam, type Team, type TeamMember, type TeamOptions } from './team/team.ts';
export { toUpdate, type WorkflowStreamChunk, type WorkflowUpdate } from './workflow/chunks.ts';
export type {
  ActionInput,
  ActionScope,
  ActivityAction,
  ActorAction,
  WorkflowAction,
  WorkflowDefinition,
} from './workflow/definition.ts';
export {
  type ExecutableWorkflow,
  WorkflowExecutor,
  type WorkflowExecutorOptions,
} from './workflow/workflow-executor.ts';
export { ActorWorker, type ActorWorkerOptions } from './remote/actor-worker.ts';
export { cancelJob } from './remote/cancel-job.ts';
export { type PositionedChunk, readChunks, type ReadChunksOptions, type Restart } from './remote/chunk-reader.ts';
export {
  type ReadOptions,
  RemoteStreamingActor,
  type RemoteStreamingActorOptions,
  type StartedJob,
} from './remote/remote-streaming-actor.ts';
