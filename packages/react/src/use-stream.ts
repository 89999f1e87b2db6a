import { err, StreamError } from '@perennial/core';
import type { AnySessionOptions, StreamSessionCallbacks, StreamSessionState } from '@perennial/core/client';
import { replaceEqualDeep, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';

import type {
  AnyUseStreamOptions,
  StreamSourceInput,
  UseStreamItemsOptions,
  UseStreamReduceOptions,
  UseStreamResult,
} from './options.ts';
import { openStreamQuery } from './registry.ts';
import type { StreamQuery } from './stream-query.ts';

/**
 * Follows a stream in a component. The data and the position are one entry of TanStack Query's cache, so that a remount, a refocus, a
 * retry or a hydrated page resumes where it was; components that use the same stream share one connection. Renders at most about once per
 * frame. New functions or option objects never reconnect; another source, `from`, `maxItems` or `name` is another stream.
 *
 * @example
 * const { data, status, cancel } = useStream('/api/streams/answers/42', {
 *   reduce: (text: string, token: string) => text + token,
 *   initial: '',
 * });
 */
export function useStream<TItem, TData, TSelected = TData>(
  source: StreamSourceInput,
  options: UseStreamReduceOptions<TItem, TData, TSelected>,
): UseStreamResult<TSelected>;
export function useStream<TItem = unknown, TSelected = readonly TItem[]>(
  source: StreamSourceInput,
  options?: UseStreamItemsOptions<TItem, TSelected>,
): UseStreamResult<TSelected>;
export function useStream<TItem, TData, TSelected>(
  source: StreamSourceInput,
  options: AnyUseStreamOptions<TItem, TData, TSelected> = {},
): UseStreamResult<TSelected> {
  const { select, enabled = true, name, gcTime, ...session } = options;
  const sessionOptions = withoutCallbacks(session) as AnySessionOptions<TItem, TData>;
  const client = useQueryClient();
  const query = source
    ? openStreamQuery<TItem, TData>({
        client,
        source,
        session: sessionOptions,
        gcTime,
        from: session.from,
        maxItems: session.maxItems,
        name,
      })
    : null;

  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
    if (query && source) query.update(source, sessionOptions);
  });
  useEffect(() => (query && enabled ? query.follow(latestCallbacks(latest)) : undefined), [query, enabled]);

  const state = useStreamState(query, options.initial as TData);
  // Which kind of options it is decides what the data is; the overloads keep the two together.
  const data = useSelected(state.data, select as ((data: TData) => TSelected) | undefined);
  const shown = enabled && query && state.status === 'idle' ? 'connecting' : state.status;
  return {
    ...state,
    data,
    status: shown,
    ...(query
      ? { disconnect: query.disconnect, reconnect: query.reconnect, cancel: query.cancel }
      : NOTHING_TO_CONTROL),
  };
}

const NOTHING_TO_CONTROL: Pick<UseStreamResult<unknown>, 'disconnect' | 'reconnect' | 'cancel'> = {
  disconnect: () => undefined,
  reconnect: () => undefined,
  cancel: async () =>
    err(new StreamError('INVALID_ARGUMENT', 'There is no stream to cancel: `useStream` has no source.')),
};

const NO_ITEMS: readonly never[] = [];

/** The query's state, or that of a stream which is not known yet. */
function useStreamState<TItem, TData>(
  query: StreamQuery<TItem, TData> | null,
  initial: TData,
): StreamSessionState<TData> {
  const [empty] = useState<StreamSessionState<TData>>(() => ({
    // Without `reduce` the data is the array of values.
    data: initial === undefined ? (NO_ITEMS as TData) : initial,
    position: 0,
    count: 0,
    status: 'idle',
    end: null,
    error: null,
    cancelRequested: false,
  }));
  const getState = query ? query.getState : () => empty;
  return useSyncExternalStore(query ? query.subscribe : subscribeToNothing, getState, getState);
}

function subscribeToNothing(): () => void {
  return () => undefined;
}

/** Applies `select`, keeping what is equal to the last result. */
function useSelected<TData, TSelected>(data: TData, select: ((data: TData) => TSelected) | undefined): TSelected {
  const [memory] = useState<{ last: { readonly selected: TSelected } | null }>(() => ({ last: null }));
  // Without `select` what is selected is the data itself.
  const fresh = select ? select(data) : (data as unknown as TSelected);
  const selected = select && memory.last ? replaceEqualDeep(memory.last.selected, fresh) : fresh;
  useEffect(() => {
    memory.last = { selected };
  });
  return selected;
}

/** Callbacks are each component's own; the rest of the options is shared by all that follow the stream. */
function withoutCallbacks<T extends StreamSessionCallbacks<never>>({
  onItems: _items,
  onEnd: _end,
  onError: _error,
  ...rest
}: T): Omit<T, keyof StreamSessionCallbacks<never>> {
  return rest;
}

function latestCallbacks<TItem>(latest: {
  readonly current: StreamSessionCallbacks<TItem>;
}): StreamSessionCallbacks<TItem> {
  return {
    onItems: (items, info) => latest.current.onItems?.(items, info),
    onEnd: (end) => latest.current.onEnd?.(end),
    onError: (error) => latest.current.onError?.(error),
  };
}
