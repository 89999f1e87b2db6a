'use client';

import {
  type AnySessionOptions,
  createStreamSession,
  type StreamSessionCallbacks,
  type StreamSource,
} from '@perennial/core/client';
import { hashKey, useIsRestoring, useQueryClient } from '@tanstack/react-query';
import { useCallback, useInsertionEffect, useMemo, useRef, useSyncExternalStore } from 'react';

import { streamQueryKey } from './stream-query-key.ts';
import { cachedSnapshot, findSession, holdSession } from './stream-registry.ts';
import { StreamView } from './stream-view.ts';
import type {
  UseStreamItemsOptions,
  UseStreamOptions,
  UseStreamReduceOptions,
  UseStreamResult,
} from './use-stream-options.ts';

/**
 * Follows a stream in a component. All components that follow one stream share one connection and one entry of the query cache, which holds
 * the data together with its position: a refocus, a retry, a remount or a hydration goes on where the entry stops.
 *
 * Options may be written inline: their identity never causes a reconnect. `from` and `initial` count where the cache has nothing.
 *
 * @param source URL of the stream, `{ url, headers, fetch }`, or `{ store, streamId }` in the process of the store.
 * @throws `INVALID_ARGUMENT` naming an argument that makes no sense.
 * @example
 * const { data, status, cancel } = useStream(`/api/streams/chats/${id}`, { reduce: (text, token: string) => text + token, initial: '' });
 */
export function useStream<TItem, TData, TSelected = TData>(
  source: StreamSource,
  options: UseStreamReduceOptions<TItem, TData, TSelected>,
): UseStreamResult<TSelected>;
export function useStream<TItem = unknown, TSelected = readonly TItem[]>(
  source: StreamSource,
  options?: UseStreamItemsOptions<TItem, TSelected>,
): UseStreamResult<TSelected>;
export function useStream<TItem, TData, TSelected>(
  source: StreamSource,
  options: UseStreamOptions<TItem, TData, TSelected> = {},
): UseStreamResult<TSelected> {
  const client = useQueryClient();
  const restoring = useIsRestoring();
  const following = options.enabled !== false && !restoring;
  const givenKey = options.queryKey ?? streamQueryKey(source, options);
  const hash = hashKey(givenKey);
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the hash stands for the key, whose identity means nothing
  const queryKey = useMemo(() => givenKey, [hash]);
  const { view } = useMemo(() => ({ client, queryKey, view: new StreamView<TData, TSelected>() }), [client, queryKey]);

  const latest = useRef({ source, options });
  useInsertionEffect(() => {
    latest.current = { source, options };
    findSession<TItem, TData>(client, queryKey)?.update(source, toSessionOptions(options));
  });

  const subscribe = useCallback(
    (onChange: () => void) => {
      if (!following) return () => undefined;
      const { source: current, options: now } = latest.current;
      const spec = { queryKey, source: current, options: toSessionOptions(now) };
      return holdSession<TItem, TData>(client, spec, {
        onChange,
        callbacks: callbacksOf(() => latest.current.options),
      });
    },
    [client, queryKey, following],
  );
  const cold = (): object =>
    view.look(view.cold(cachedSnapshot(client, queryKey, options), emptySnapshot(options), following), options.select);
  const look = (): object => {
    const state = findSession<TItem, TData>(client, queryKey)?.getState();
    if (!state || state.status === 'idle') return cold();
    return view.look(following ? state : view.aside(state), options.select);
  };
  const token = useSyncExternalStore(subscribe, look, cold);

  const actions = useMemo(() => {
    const session = () => findSession<TItem, TData>(client, queryKey);
    return {
      disconnect: () => session()?.disconnect(),
      reconnect: () => session()?.reconnect(),
      cancel: (reason?: string) => (session() ?? createStreamSession(latest.current.source)).cancel(reason),
    };
  }, [client, queryKey]);
  // A new object for each change, so that memoised children notice it.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  return useMemo(() => toResult(view, actions), [view, actions, token]);
}

type Actions = Pick<UseStreamResult<unknown>, 'disconnect' | 'reconnect' | 'cancel'>;

/** Own, enumerable getters: destructuring uses a field, spreading uses all. */
function toResult<TData, TSelected>(view: StreamView<TData, TSelected>, actions: Actions): UseStreamResult<TSelected> {
  return {
    get data() {
      return view.use('data');
    },
    get position() {
      return view.use('position');
    },
    get count() {
      return view.use('count');
    },
    get status() {
      return view.use('status');
    },
    get end() {
      return view.use('end');
    },
    get error() {
      return view.use('error');
    },
    get cancelRequested() {
      return view.use('cancelRequested');
    },
    ...actions,
  };
}

function toSessionOptions<TItem, TData, TSelected>(
  options: UseStreamOptions<TItem, TData, TSelected>,
): AnySessionOptions<TItem, TData> {
  const {
    enabled: _enabled,
    select: _select,
    queryKey: _queryKey,
    onItems: _onItems,
    onEnd: _onEnd,
    onError: _onError,
    ...session
  } = options;
  return session as AnySessionOptions<TItem, TData>;
}

/** The callbacks of one component, looked up at each call. */
function callbacksOf<TItem>(options: () => StreamSessionCallbacks<TItem>): StreamSessionCallbacks<TItem> {
  return {
    onItems: (items, info) => options().onItems?.(items, info),
    onEnd: (end) => options().onEnd?.(end),
    onError: (error) => options().onError?.(error),
  };
}

function emptySnapshot<TItem, TData, TSelected>({ reduce, initial, from }: UseStreamOptions<TItem, TData, TSelected>) {
  const position = typeof from === 'number' ? from : 0;
  const data = reduce ? initial : [];
  return { data: data as TData, position, start: position, count: 0, end: null, incarnation: null };
}
