import { type AnySessionOptions, sourceName, type StreamSource } from '@perennial/core/client';
import { hashKey, type QueryClient, type QueryKey } from '@tanstack/react-query';

import { StreamQuery } from './stream-query.ts';

/** What distinguishes the cache entries of one stream. */
export interface StreamKeyOptions {
  readonly from?: unknown;
  readonly maxItems?: number | undefined;
  readonly name?: string | undefined;
}

/** Cache key of a stream, for `queryClient.resetQueries`, `removeQueries` and persisters. */
export function streamQueryKey(
  source: StreamSource,
  { from = 0, maxItems, name = '' }: StreamKeyOptions = {},
): QueryKey {
  return ['perennial', sourceName(source), { from, name, ...(maxItems !== undefined && { maxItems }) }];
}

/** One {@link StreamQuery} per stream and client, whichever components use it. */
const registries = new WeakMap<QueryClient, Map<string, unknown>>();

/** What {@link openStreamQuery} needs to know. */
export interface OpenStreamQuery<TItem, TData> extends StreamKeyOptions {
  readonly client: QueryClient;
  readonly source: StreamSource;
  readonly session: AnySessionOptions<TItem, TData>;
  readonly gcTime: number | undefined;
}

/** The stream's query in this client, made at first use. Connects nothing. */
export function openStreamQuery<TItem, TData>({
  client,
  source,
  session,
  gcTime,
  ...keyOptions
}: OpenStreamQuery<TItem, TData>): StreamQuery<TItem, TData> {
  const queryKey = streamQueryKey(source, keyOptions);
  const hash = hashKey(queryKey);
  const registry = registries.get(client) ?? new Map<string, unknown>();
  registries.set(client, registry);
  const known = registry.get(hash) as StreamQuery<TItem, TData> | undefined;
  if (known) return known;
  const query: StreamQuery<TItem, TData> = new StreamQuery<TItem, TData>({
    client,
    queryKey,
    source,
    session,
    gcTime,
    onDisposed: () => {
      if (registry.get(hash) === query) registry.delete(hash);
    },
  });
  registry.set(hash, query);
  return query;
}
