export type { StartAt } from './attempt.ts';
export type { FetchLike, RequestHeaders, StreamEndpoint } from './client-request.ts';
export { type ClientClock, systemClock } from './clock.ts';
export type { Transport } from './connection-machine.ts';
export type {
  ConnectionHandlers,
  ConnectionOptions,
  ConnectionState,
  ReconnectOptions,
  StreamConnection,
} from './connection-options.ts';
export { getHttpStreamReader, type HttpStreamReaderOptions } from './connected-reader.ts';
export { connectStore, type StoreTarget } from './connect-store.ts';
export { connectStream } from './connect-stream.ts';
export { createHttpStore, type HttpStoreOptions } from './http-store.ts';
export type { ParseJson, ReceivedData, ReceivedRecord, ReceivedSupersede } from './received-record.ts';
export { isStreamReplaced, StreamReplacedError } from './stream-replaced-error.ts';
export { platformWakeSignals, type WakeReason, type WakeSignals } from './wake-signals.ts';
export { cancelStream, type CancelStreamOptions } from './cancel-stream.ts';
export type { ItemInfo, StepFloors } from './fold.ts';
export type { Batch } from './notifier.ts';
export type { Reducer } from './reduce-fold.ts';
export {
  type AnySessionOptions,
  isStreamSnapshot,
  type ItemsSessionOptions,
  type ReduceSessionOptions,
  type StreamSession,
  type StreamSessionCallbacks,
  type StreamSessionOptions,
  type StreamSessionState,
  type StreamSnapshot,
  type StreamStatus,
} from './session-options.ts';
export { createStreamSession } from './session.ts';
export { isStreamItemError, StreamItemError, type StreamItemIssue } from './stream-item-error.ts';
export { assertSource, sourceName, type StreamSource } from './stream-source.ts';
