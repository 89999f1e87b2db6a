import type { AsyncResult, StreamError } from '@perennial/core';
import type {
  AnySessionOptions,
  ItemsSessionOptions,
  ReduceSessionOptions,
  StreamSessionState,
} from '@perennial/core/client';
import type { QueryKey } from '@tanstack/react-query';

/** What {@link useStream} takes beside the options of a session. */
export interface HookOptions<TData, TSelected> {
  /** False: nothing is read, and what is in the cache is shown. @default true */
  readonly enabled?: boolean;
  /**
   * Makes what the component gets of the data. It renders only when the result, compared by structure, is another one, or when another
   * field that it uses has changed.
   */
  readonly select?: (data: TData) => TSelected;
  /**
   * Key of the cache entry. Two uses of one stream share an entry, and with it data and connection; give them different keys when they
   * reduce it in different ways.
   * @default streamQueryKey(source, options)
   */
  readonly queryKey?: QueryKey;
}

/** Options of {@link useStream} whose data is the array of values. */
export type UseStreamItemsOptions<TItem, TSelected = readonly TItem[]> = Omit<
  ItemsSessionOptions<TItem>,
  'snapshot' | 'signal'
> &
  HookOptions<readonly TItem[], TSelected>;

/** Options of {@link useStream} that reduces values to data. */
export type UseStreamReduceOptions<TItem, TData, TSelected = TData> = Omit<
  ReduceSessionOptions<TItem, TData>,
  'snapshot' | 'signal'
> &
  HookOptions<TData, TSelected>;

/** Either kind. */
export type UseStreamOptions<TItem, TData, TSelected = TData> = Omit<
  AnySessionOptions<TItem, TData>,
  'snapshot' | 'signal'
> &
  HookOptions<TData, TSelected>;

/** What {@link useStream} returns. A component renders anew only when a field that it has read changes. */
export interface UseStreamResult<TData> extends StreamSessionState<TData> {
  /** Stops reading and keeps the data, for all components that follow this stream. The producer is not told. */
  readonly disconnect: () => void;
  /** Goes on after `disconnect()` or an error, or connects anew at once. */
  readonly reconnect: () => void;
  /** Asks the producer to stop, for all readers. Resolves, and never rejects, once the request is stored. */
  readonly cancel: (reason?: string) => AsyncResult<void, StreamError>;
}
