import type { AsyncResult, StreamError } from '@perennial/core';
import {
  type AnySessionOptions,
  createStreamSession,
  isStreamSnapshot,
  type ReduceSessionOptions,
  type StreamSession,
  type StreamSessionCallbacks,
  type StreamSessionState,
  type StreamSnapshot,
  type StreamSource,
} from '@perennial/core/client';
import { type QueryClient, type QueryKey, QueryObserver } from '@tanstack/react-query';

/** How long a stream without followers stays connected, in ms: StrictMode and route changes unmount and mount again at once. */
const DISPOSE_DELAY_MS = 250;

/** What a {@link StreamQuery} is made for. */
export interface StreamQueryOptions<TItem, TData> {
  readonly client: QueryClient;
  readonly queryKey: QueryKey;
  readonly source: StreamSource;
  readonly session: AnySessionOptions<TItem, TData>;
  readonly gcTime: number | undefined;
  /** Is called once nobody follows the stream any more. */
  readonly onDisposed: () => void;
}

/**
 * One stream of one `QueryClient`: a session, and the cache entry that its snapshots go to. The position is part of the entry, so that
 * whatever runs again (a remount, a focus, a retry, a hydrated page) resumes there.
 *
 * States: `unused` (no session; the state is what the cache has) -> `followed` (a session, one connection for all followers) ->
 * `lingering` (no followers for a moment) -> `followed` or `unused`.
 */
export class StreamQuery<TItem, TData> {
  readonly #options: StreamQueryOptions<TItem, TData>;
  readonly #listeners = new Set<() => void>();
  #source: StreamSource;
  #sessionOptions: AnySessionOptions<TItem, TData>;
  #session: StreamSession<TItem, TData> | null = null;
  #state: StreamSessionState<TData>;
  #followers = 0;
  #disposal: ReturnType<typeof setTimeout> | null = null;
  #unwatch: (() => void) | null = null;
  /** The snapshot we stored last: another one in the cache came from outside. */
  #stored: StreamSnapshot<TData> | null | undefined;

  constructor(options: StreamQueryOptions<TItem, TData>) {
    this.#options = options;
    this.#source = options.source;
    this.#sessionOptions = options.session;
    this.#state = this.#cachedState();
  }

  readonly getState = (): StreamSessionState<TData> => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly disconnect = (): void => this.#session?.disconnect();

  readonly reconnect = (): void => this.#session?.reconnect();

  readonly cancel = (reason?: string): AsyncResult<void, StreamError> => {
    // A stream may be cancelled without being followed.
    const session = this.#session ?? createStreamSession(this.#source);
    return session.cancel(reason);
  };

  /** Takes the newest source and options of a component. Functions count from their next use; nothing reconnects. */
  update(source: StreamSource, options: AnySessionOptions<TItem, TData>): void {
    this.#source = source;
    this.#sessionOptions = options;
    this.#session?.update(source, options);
  }

  /** Follows the stream for a component; returns what lets go of it. */
  follow(callbacks: StreamSessionCallbacks<TItem>): () => void {
    this.#followers++;
    if (this.#disposal) clearTimeout(this.#disposal);
    this.#disposal = null;
    const session = this.#session ?? this.#start();
    const stopObserving = session.observe(callbacks);
    session.connect();
    let following = true;
    return () => {
      if (!following) return;
      following = false;
      stopObserving();
      if (--this.#followers === 0) this.#disposal = setTimeout(() => this.#dispose(), DISPOSE_DELAY_MS);
    };
  }

  #start(): StreamSession<TItem, TData> {
    const { client, queryKey, gcTime } = this.#options;
    const session = this.#createSession();
    const observer = new QueryObserver<StreamSnapshot<TData> | null>(client, {
      queryKey,
      ...(gcTime !== undefined && { gcTime }),
      // The session keeps the entry up to date; a refetch only looks after the connection.
      queryFn: () => {
        this.#session?.refresh();
        return (this.#session ?? session).snapshot();
      },
      enabled: false,
      retry: false,
      staleTime: Infinity,
      // The data is new at every notification and grows with the stream: comparing it deeply would cost its whole length each time.
      structuralSharing: false,
    });
    this.#unwatch = observer.subscribe(({ data }) => this.#onCacheChange(data));
    return session;
  }

  #createSession(): StreamSession<TItem, TData> {
    const snapshot = this.#cachedSnapshot();
    const options = { ...this.#sessionOptions, ...(snapshot && { snapshot }) };
    const session = createStreamSession<TItem, TData>(this.#source, options as ReduceSessionOptions<TItem, TData>);
    session.subscribe(() => this.#publish(session));
    this.#session = session;
    return session;
  }

  #publish(session: StreamSession<TItem, TData>): void {
    if (session !== this.#session) return;
    const before = this.#state;
    this.#state = session.getState();
    if (this.#state.position !== before.position || this.#state.data !== before.data || this.#state.end !== before.end)
      this.#store(session);
    for (const listener of this.#listeners) listener();
  }

  #store(session: StreamSession<TItem, TData>): void {
    const { client, queryKey } = this.#options;
    const snapshot = session.snapshot();
    if (!snapshot) return;
    this.#stored = snapshot;
    client.setQueryData(queryKey, snapshot);
  }

  /** Somebody else emptied or replaced the entry (`resetQueries`, `removeQueries`, `setQueryData`): begin with what is there now. */
  #onCacheChange(data: StreamSnapshot<TData> | null | undefined): void {
    if (!this.#session || data === this.#stored) return;
    this.#stored = data;
    this.#session.close();
    const session = this.#createSession();
    if (this.#followers > 0) session.connect();
    this.#publish(session);
  }

  #dispose(): void {
    this.#disposal = null;
    this.#unwatch?.();
    this.#unwatch = null;
    if (this.#session) this.#store(this.#session);
    this.#session?.close();
    this.#session = null;
    this.#options.onDisposed();
  }

  #cachedSnapshot(): StreamSnapshot<TData> | undefined {
    const cached = this.#options.client.getQueryData(this.#options.queryKey);
    if (!isStreamSnapshot(cached)) return undefined;
    // What lies under a key of ours is a snapshot of this stream; the type of its data is the caller's promise.
    const snapshot = cached as StreamSnapshot<TData>;
    this.#stored = snapshot;
    return snapshot;
  }

  #cachedState(): StreamSessionState<TData> {
    const session = createStreamSession<TItem, TData>(this.#source, {
      ...this.#sessionOptions,
      snapshot: this.#cachedSnapshot(),
    } as ReduceSessionOptions<TItem, TData>);
    return session.getState();
  }
}
