import type { AsyncResult, StreamError } from '@perennial/core';
import type {
  ItemsSessionOptions,
  ReduceSessionOptions,
  StreamSessionState,
  StreamSource,
} from '@perennial/core/client';

/** What {@link useStream} takes as a source: anything but a source means that there is nothing to follow yet. */
export type StreamSourceInput = StreamSource | null | undefined | false;

/** Options of {@link useStream} that concern React and the cache. */
export interface HookOptions<TData, TSelected> {
  /** Derives what the component gets from the data. A result that is deeply equal to the last one keeps its identity. */
  readonly select?: (data: TData) => TSelected;
  /** False: shows what the cache has, and does not connect. @default true */
  readonly enabled?: boolean;
  /** Separates components that reduce the same stream in different ways; those that share one must pass the same `reduce`. @default '' */
  readonly name?: string;
  /** How long the data of a stream that no component follows stays in the cache, in ms. @default the QueryClient's */
  readonly gcTime?: number;
}

type SessionOnly = 'snapshot' | 'signal';

/** Options of {@link useStream} when the data is the array of values. */
export interface UseStreamItemsOptions<TItem, TSelected = readonly TItem[]>
  extends Omit<ItemsSessionOptions<TItem>, SessionOnly>, HookOptions<readonly TItem[], TSelected> {}

/** Options of {@link useStream} when values are reduced to data. */
export interface UseStreamReduceOptions<TItem, TData, TSelected = TData>
  extends Omit<ReduceSessionOptions<TItem, TData>, SessionOnly>, HookOptions<TData, TSelected> {}

/** Either kind. */
export type AnyUseStreamOptions<TItem, TData, TSelected> =
  | (UseStreamItemsOptions<TItem, TSelected> & { readonly initial?: undefined })
  | UseStreamReduceOptions<TItem, TData, TSelected>;

/** What {@link useStream} returns. The functions keep their identity. */
export interface UseStreamResult<TSelected> extends StreamSessionState<TSelected> {
  /** Stops reading in this page and keeps the data. The producer goes on. */
  readonly disconnect: () => void;
  /** Connects anew at once, from the position reached; also after `disconnect()` and after an error. */
  readonly reconnect: () => void;
  /** Asks the producer to stop, for every reader. Resolves with a Result once the request is durable. */
  readonly cancel: (reason?: string) => AsyncResult<void, StreamError>;
}
