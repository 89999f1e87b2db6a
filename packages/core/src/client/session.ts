/**
 * A session follows one stream for a user interface. What it shows comes from a fold; while the stream has to be read again, because a
 * retraction reaches further back than can be undone, a second fold is built and the first one stays in view, so that nothing flickers.
 *
 * States: idle -> connected (`connect`) <-> paused (`disconnect`, `connect`); connected -> closed with the stream's end, or error ->
 * connected (`reconnect`, `refresh`). `close()` ends it from anywhere.
 */
import type { StreamEnd } from '../log/end.ts';
import { InvalidArgumentError, quote, type StreamError } from '../log/errors.ts';
import type { AsyncResult } from '../result.ts';
import { systemClock } from './clock.ts';
import type { ConnectionState, StreamConnection } from './connection-options.ts';
import type { FoldSnapshot } from './fold.ts';
import { createNotifier, type Notifier } from './notifier.ts';
import { Reading, type ReadingStart } from './reading.ts';
import type { ReceivedRecord } from './received-record.ts';
import { safely } from './safely.ts';
import {
  type AnySessionOptions,
  assertSessionOptions,
  type ItemsSessionOptions,
  type ReduceSessionOptions,
  type StreamSession,
  type StreamSessionCallbacks,
  type StreamSessionState,
  type StreamSnapshot,
  type StreamStatus,
} from './session-options.ts';
import { isStreamReplaced } from './stream-replaced-error.ts';
import { assertSource, cancelSource, connectSource, sourceName, type StreamSource } from './stream-source.ts';

/**
 * Creates a session, which waits for `connect()`.
 *
 * @throws {@link InvalidArgumentError} naming an argument that makes no sense.
 * @example
 * const session = createStreamSession('/api/streams/chats/42', { reduce: (text, token: string) => text + token, initial: '' });
 * session.subscribe(() => render(session.getState()));
 * session.connect();
 */
export function createStreamSession<TItem, TData>(
  source: StreamSource,
  options: ReduceSessionOptions<TItem, TData>,
): StreamSession<TItem, TData>;
export function createStreamSession<TItem = unknown>(
  source: StreamSource,
  options?: ItemsSessionOptions<TItem>,
): StreamSession<TItem, readonly TItem[]>;
export function createStreamSession<TItem, TData>(
  source: StreamSource,
  options: AnySessionOptions<TItem, TData> = {},
): StreamSession<TItem, TData> {
  assertSource(source);
  assertSessionOptions(options);
  return new Session<TItem, TData>(source, options);
}

class Session<TItem, TData> implements StreamSession<TItem, TData> {
  #source: StreamSource;
  #options: AnySessionOptions<TItem, TData>;
  readonly #listeners = new Set<() => void>();
  readonly #observers = new Set<StreamSessionCallbacks<TItem>>();
  readonly #notifier: Notifier;
  /** What is shown. */
  #shown: Reading<TItem, TData>;
  /** What records go into: the same, but for the time it takes to read the stream again. */
  #reading: Reading<TItem, TData>;
  #connection: StreamConnection | null = null;
  /** Set once the connection has told something. */
  #remote: ConnectionState | null = null;
  #end: StreamEnd | null;
  #error: StreamError | null = null;
  #wanted: 'idle' | 'connected' | 'paused' | 'closed' = 'idle';
  /** Values that observers have not been told of, and the position up to which they have ever been told. */
  #newItems: TItem[] = [];
  #toldUpTo: number;
  #toldEnd: boolean;
  #toldError: StreamError | null = null;
  #state: StreamSessionState<TData>;

  constructor(source: StreamSource, options: AnySessionOptions<TItem, TData>) {
    this.#source = source;
    this.#options = options;
    const { snapshot, from = 0 } = options;
    const first = typeof from === 'number' ? from : null;
    if (snapshot && !options.reduce && !Array.isArray(snapshot.data)) {
      throw new InvalidArgumentError(
        'snapshot',
        `The data of a snapshot of items must be an array; got ${quote(snapshot.data)}.`,
      );
    }
    const { position = first, start = first, incarnation = null } = snapshot ?? {};
    this.#shown = this.#newReading({
      position,
      start,
      incarnation,
      snapshot: snapshot as FoldSnapshot<TData> | undefined,
    });
    this.#reading = this.#shown;
    this.#end = snapshot?.end ?? null;
    this.#toldEnd = this.#end !== null;
    this.#toldUpTo = snapshot?.position ?? 0;
    this.#notifier = createNotifier(options.clock ?? systemClock, () => this.#publish());
    this.#state = this.#makeState();
  }

  getState(): StreamSessionState<TData> {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    // An own function, so that the same listener may subscribe twice.
    const entry = (): void => listener();
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  observe(callbacks: StreamSessionCallbacks<TItem>): () => void {
    this.#observers.add(callbacks);
    return () => void this.#observers.delete(callbacks);
  }

  connect(): void {
    if (this.#wanted === 'closed' || this.#wanted === 'connected') return;
    this.#wanted = 'connected';
    if (!this.#end) {
      if (this.#connection) this.#connection.reconnect();
      else this.#open();
    }
    // At once: who called this looks at the state next.
    this.#publish();
  }

  disconnect(): void {
    if (this.#wanted !== 'connected' && this.#wanted !== 'idle') return;
    this.#wanted = 'paused';
    this.#error = null;
    this.#connection?.close();
    this.#publish();
  }

  reconnect(): void {
    if (this.#wanted === 'closed' || this.#end) return;
    const connected = this.#wanted === 'connected';
    this.#error = null;
    this.#toldError = null;
    if (!connected) return this.connect();
    this.#connection?.reconnect();
    this.#publish();
  }

  restart(): void {
    if (this.#wanted === 'closed') return;
    this.#wanted = 'connected';
    this.#end = null;
    this.#error = null;
    this.#readAgain({ ...begin(this.#shown.start), incarnation: null });
    this.#publish();
  }

  refresh(): void {
    const waiting = this.#remote?.phase === 'waiting' || this.#error !== null;
    if (this.#wanted === 'connected' && waiting) this.reconnect();
  }

  cancel(reason?: string): AsyncResult<void, StreamError> {
    return cancelSource(() => this.#source, reason);
  }

  snapshot(): StreamSnapshot<TData> | null {
    const { fold, position, start, incarnation } = this.#shown;
    if (position === null || start === null) return null;
    return { ...fold.snapshot(), position, start, incarnation, end: this.#end };
  }

  update(source: StreamSource, options: AnySessionOptions<TItem, TData>): void {
    assertSource(source);
    assertSessionOptions(options);
    if (sourceName(source) !== sourceName(this.#source)) {
      throw new InvalidArgumentError(
        'source',
        `A session stays with its stream, ${quote(sourceName(this.#source))}; create another one for ${quote(sourceName(source))}.`,
      );
    }
    this.#source = source;
    this.#options = options;
  }

  close(): void {
    if (this.#wanted === 'closed') return;
    this.#wanted = 'closed';
    this.#notifier.cancel();
    this.#connection?.close();
    this.#listeners.clear();
    this.#observers.clear();
  }

  #newReading(begin: ReadingStart<TData>): Reading<TItem, TData> {
    return new Reading<TItem, TData>(() => this.#options, begin);
  }

  #open(): void {
    const reading = this.#reading;
    const connection = connectSource(() => this.#source, {
      ...this.#options,
      ...(reading.incarnation !== null && { incarnation: reading.incarnation }),
      from: reading.position ?? this.#options.from ?? 0,
      onRecords: (records) => (this.#connection === connection ? this.#take(reading, records) : undefined),
      onState: (state) => {
        if (this.#connection === connection) this.#note(reading, state);
      },
    });
    this.#connection = connection;
    this.#remote = null;
  }

  #take(reading: Reading<TItem, TData>, records: readonly ReceivedRecord[]): void | Promise<void> {
    const late = reading.take(records, {
      isCurrent: () => this.#reading === reading,
      onValue: (position, value) => this.#gather(position, value),
      onLost: () =>
        this.#readAgain({
          ...begin(reading.start),
          incarnation: reading.incarnation,
          retractions: reading.retractions,
        }),
    });
    const taken = (): void => {
      this.#caughtUp(reading, false);
      this.#changed();
    };
    return late ? late.then(taken) : taken();
  }

  /** Keeps a value for observers, unless they were told of it before. */
  #gather(position: number, value: TItem): void {
    if (position < this.#toldUpTo) return;
    this.#toldUpTo = position + 1;
    // Also without observers: one that comes before the notification has not seen this value yet.
    this.#newItems.push(value);
  }

  /** Builds the data again from where it began; what is shown stays until then. */
  #readAgain(from: ReadingStart<TData>): void {
    const before = this.#connection;
    // First, so that nothing it still tells is listened to.
    this.#connection = null;
    before?.close();
    this.#reading = this.#newReading(from);
    this.#open();
  }

  #caughtUp(reading: Reading<TItem, TData>, force: boolean): void {
    if (this.#shown === reading || this.#reading !== reading) return;
    if (force || (reading.position ?? 0) >= (this.#shown.position ?? 0)) this.#shown = reading;
  }

  #note(reading: Reading<TItem, TData>, state: ConnectionState): void {
    this.#remote = state;
    reading.incarnation = state.incarnation;
    reading.beginAt(state.position);
    if (state.phase === 'failed' && isStreamReplaced(state.error)) {
      this.#toldUpTo = 0;
      this.#readAgain({ ...begin(0), incarnation: null });
    } else if (state.phase === 'failed') {
      this.#error = state.error;
    } else if (state.phase === 'ended') {
      this.#end = state.end;
    } else if (state.phase === 'closed' && this.#wanted === 'connected') {
      // By the signal of the options.
      this.#wanted = 'paused';
    }
    this.#caughtUp(reading, state.upToDate);
    this.#changed();
  }

  #changed(): void {
    if (this.#wanted !== 'closed') this.#notifier.schedule(this.#options.batch ?? 'frame');
  }

  #publish(): void {
    const before = this.#state;
    const after = this.#makeState();
    const keys = Object.keys(after) as (keyof StreamSessionState<TData>)[];
    if (keys.some((key) => before[key] !== after[key])) this.#state = after;
    this.#tell(after);
    if (this.#state !== before) for (const listener of this.#listeners) safely(listener);
  }

  #tell({ end, error, position }: StreamSessionState<TData>): void {
    const observers = [this.#options, ...this.#observers];
    const items = this.#newItems;
    this.#newItems = [];
    if (items.length > 0) for (const { onItems } of observers) safely(() => onItems?.(items, { position }));
    if (end && !this.#toldEnd) {
      this.#toldEnd = true;
      for (const { onEnd } of observers) safely(() => onEnd?.(end));
    }
    if (error && error !== this.#toldError) {
      this.#toldError = error;
      for (const { onError } of observers) safely(() => onError?.(error));
    }
  }

  #makeState(): StreamSessionState<TData> {
    const { fold, position } = this.#shown;
    const end = this.#end;
    const status = this.#status(end);
    const cancelRequested = !end && this.#remote?.cancelRequested === true;
    return {
      data: fold.data,
      position: position ?? 0,
      count: fold.count,
      status,
      end,
      error: status === 'error' ? this.#error : null,
      cancelRequested,
    };
  }

  #status(end: StreamEnd | null): StreamStatus {
    if (end) return 'closed';
    if (this.#wanted === 'idle' || this.#wanted === 'closed') return 'idle';
    if (this.#wanted === 'paused') return 'paused';
    if (this.#error) return 'error';
    const remote = this.#remote;
    if (remote?.error) return 'reconnecting';
    if (remote?.phase !== 'open') return 'connecting';
    if (!remote.upToDate || this.#shown !== this.#reading) return 'catching-up';
    return remote.stalled ? 'stalled' : 'live';
  }
}

function begin(start: number | null): { readonly position: number | null; readonly start: number | null } {
  return { position: start, start };
}
