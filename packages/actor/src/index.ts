export { Actor, isStreamingActor, type StreamingActor } from './actor/actor.ts';
export { type ActorStream, isLastChunk, type LooseChunk } from './actor/chunks.ts';
export {
  collectChunks,
  collectResult,
  collectWithProgress,
  type ProgressCallbacks,
  throwOnError,
} from './actor/collect.ts';
export { type ActorCallContext, type ActorContext, createActorContext } from './actor/context.ts';
export { type ActorFunction, defineActor } from './actor/define-actor.ts';
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
