/**
 * One session per stream and QueryClient, however many components follow it.
 *
 * An entry lives from the first `hold` until shortly after the last release: a release that is followed by another hold, as in StrictMode
 * or when a page gives way to the next, must not cost a connection. What the session knows is written into the query cache with each
 * notification, together with its position, so that whoever starts from the cache goes on where it stopped.
 */
import {
  type AnySessionOptions,
  createStreamSession,
  isStreamSnapshot,
  type ReduceSessionOptions,
  type StreamSession,
  type StreamSessionCallbacks,
  type StreamSnapshot,
  type StreamSource,
} from '@perennial/core/client';
import { hashKey, type QueryClient, type QueryKey, QueryObserver } from '@tanstack/react-query';

/** What a component wants to follow. */
export interface StreamSpec<TItem, TData> {
  readonly queryKey: QueryKey;
  readonly source: StreamSource;
  readonly options: AnySessionOptions<TItem, TData>;
}

/** How long a session without components is kept, in ms. */
const LINGER_MS = 100;

interface Entry {
  readonly session: StreamSession<unknown, unknown>;
  holders: number;
  /** Set while the entry lingers. */
  timer: ReturnType<typeof setTimeout> | null;
  /** Closes the session and takes the entry out. */
  dispose(): void;
}

const registries = new WeakMap<QueryClient, Map<string, Entry>>();

function entriesOf(client: QueryClient): Map<string, Entry> {
  const known = registries.get(client);
  if (known) return known;
  const entries = new Map<string, Entry>();
  registries.set(client, entries);
  return entries;
}

/** The session of a stream, if some component holds it or just released it. */
export function findSession<TItem, TData>(client: QueryClient, queryKey: QueryKey): StreamSession<TItem, TData> | null {
  // The types are those of whoever made the entry; the key is what tells uses of different types apart.
  return (entriesOf(client).get(hashKey(queryKey))?.session ?? null) as StreamSession<TItem, TData> | null;
}

/** What the cache holds of a stream; null when there is nothing, or something that is no snapshot of this kind of data. */
export function cachedSnapshot<TData>(
  client: QueryClient,
  queryKey: QueryKey,
  { reduce }: { readonly reduce?: unknown },
): StreamSnapshot<TData> | null {
  const cached: unknown = client.getQueryData(queryKey);
  const fits = isStreamSnapshot(cached) && (reduce !== undefined || Array.isArray(cached.data));
  return fits ? (cached as StreamSnapshot<TData>) : null;
}

/**
 * Holds the session of a stream, making it if need be, and connects it.
 *
 * @returns The function that releases it, idempotently.
 */
export function holdSession<TItem, TData>(
  client: QueryClient,
  spec: StreamSpec<TItem, TData>,
  { onChange, callbacks }: { readonly onChange: () => void; readonly callbacks: StreamSessionCallbacks<TItem> },
): () => void {
  const entries = entriesOf(client);
  const hash = hashKey(spec.queryKey);
  const entry = entries.get(hash) ?? createEntry(client, spec, () => entries.delete(hash));
  entries.set(hash, entry);
  entry.holders++;
  if (entry.timer !== null) clearTimeout(entry.timer);
  entry.timer = null;
  const unsubscribe = entry.session.subscribe(onChange);
  const unobserve = entry.session.observe(callbacks as StreamSessionCallbacks<unknown>);
  if (entry.session.getState().status === 'idle') entry.session.connect();
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    unsubscribe();
    unobserve();
    if (--entry.holders === 0) entry.timer = setTimeout(() => entry.dispose(), LINGER_MS);
  };
}

function createEntry<TItem, TData>(
  client: QueryClient,
  { queryKey, source, options }: StreamSpec<TItem, TData>,
  onDispose: () => void,
): Entry {
  const snapshot = cachedSnapshot<TData>(client, queryKey, options);
  // One of the two kinds of options; which one does not matter here.
  const session = createStreamSession<TItem, TData>(source, {
    ...options,
    ...(snapshot && { snapshot }),
  } as ReduceSessionOptions<TItem, TData>);
  let written: StreamSnapshot<TData> | null = snapshot;
  // Keeps the query alive while the session is, and answers refetches with what is there.
  const observer = new QueryObserver<StreamSnapshot<TData> | null>(client, {
    queryKey,
    queryFn: () => {
      session.refresh();
      return session.snapshot();
    },
    staleTime: Infinity,
    retry: false,
    networkMode: 'always',
    refetchOnMount: 'always',
    refetchOnReconnect: false,
    refetchOnWindowFocus: false,
    refetchInterval: false,
    // Comparing old and new data would cost more with each record, and find them different.
    structuralSharing: false,
    notifyOnChangeProps: ['data'],
  });
  const write = (): void => {
    written = session.snapshot();
    if (written) observer.getCurrentQuery().setData(written, { manual: true });
  };
  const stopObserving = observer.subscribe(({ data }) => {
    if (data === written) return;
    // By `resetQueries`, as nothing else takes the data out of an entry.
    if (data === undefined && written) {
      written = null;
      session.restart();
      return;
    }
    // The session is the truth: a refetch that was overtaken, or data hydrated later, must not turn it back.
    const now = session.snapshot();
    if (now && (!isStreamSnapshot(data) || data.position !== now.position)) write();
  });
  const stopWriting = session.subscribe(write);
  return {
    session: session as unknown as StreamSession<unknown, unknown>,
    holders: 0,
    timer: null,
    dispose() {
      write();
      stopWriting();
      session.close();
      stopObserving();
      onDispose();
    },
  };
}
