/**
 * The connection of a reader to one stream. States and transitions:
 *
 * - `connecting`: a request is out. -> `open` with the first byte; -> `waiting`; -> `ended`, `failed`, `closed`.
 * - `open`: bytes arrive, or a long-poll is out. The server's planned end of a response, and a wake-up, lead to a new request without
 *   leaving this state. -> `waiting` when the connection breaks, falls silent or brings damage; -> `ended`, `failed`, `closed`.
 * - `waiting`: a pause after a failure. -> `connecting` when it is over, at once on a wake-up; -> `closed`.
 * - `ended`: the stream's typed end was received, and everything before it. Final. Nothing else leads here.
 * - `failed`: asking again would not help (no access, no such stream, a gap), or the failures allowed are used up. -> `connecting` by `reconnect()`.
 * - `closed`: by its owner. -> `connecting` by `reconnect()`.
 */
import { toStoreError } from '../log/errors.ts';
import {
  type AttemptContext,
  type AttemptOutcome,
  ConsumerError,
  type Delivery,
  type StartAt,
  type StopReason,
} from './attempt.ts';
import { type ClientClock, systemClock } from './clock.ts';
import {
  initialMemory,
  type MachineMemory,
  type MachinePolicy,
  nextStep,
  type Step,
  type Transport,
} from './connection-machine.ts';
import {
  assertStart,
  type ConnectionHandlers,
  type ConnectionOptions,
  type ConnectionState,
  type ConnectionTimes,
  resolvePolicy,
  resolveTimes,
  type StreamConnection,
} from './connection-options.ts';
import { createRecordCursor } from './record-cursor.ts';
import { safely } from './safely.ts';
import { platformWakeSignals, type WakeReason } from './wake-signals.ts';
import { createWatchdog, type Watchdog } from './watchdog.ts';

/** What a connection leads to. */
export interface ConnectionTarget {
  /** For messages: the URL or the id of the stream. */
  readonly name: string;
  /** Makes one attempt. Resolves with its outcome; stops when the context's signal is aborted. */
  attempt(context: AttemptContext, transport: Transport): Promise<AttemptOutcome>;
}

/**
 * Opens a connection to anything that can be attempted, and keeps at it.
 *
 * @throws {@link InvalidArgumentError} naming the first option that makes no sense.
 */
export function openConnection(
  target: ConnectionTarget,
  options: ConnectionOptions & ConnectionHandlers,
): StreamConnection {
  return new ManagedConnection(target, options, assertStart(options.from ?? 0));
}

type Options = ConnectionOptions & ConnectionHandlers;

class ManagedConnection implements StreamConnection {
  readonly #target: ConnectionTarget;
  readonly #options: Options;
  readonly #start: StartAt;
  readonly #times: ConnectionTimes;
  readonly #policy: MachinePolicy;
  readonly #clock: ClientClock;
  #state: ConnectionState;
  #memory: MachineMemory;
  #cacheCursor: string | null = null;
  /** The run of the loop that counts; null while there is none. A run that was overtaken must change nothing any more. */
  #run: { readonly startedAt: number } | null = null;
  /** The attempt under way. Whoever replaces it aborts it first: two at once would deliver twice. */
  #attempt: { readonly controller: AbortController; readonly watchdog: Watchdog } | null = null;
  /** Records the consumer is still taking. The next attempt waits for it, else it would start before them. */
  #taking: Promise<void> | null = null;
  /** Ends the pause under way. */
  #endPause: (() => void) | null = null;
  /** The next poll is to answer at once: it shows whether the server is there. */
  #probe = true;
  #stopListening: () => void = () => undefined;

  constructor(target: ConnectionTarget, options: Options, start: StartAt) {
    this.#target = target;
    this.#options = options;
    this.#start = start;
    this.#times = resolveTimes(options);
    this.#policy = resolvePolicy(options);
    this.#clock = options.clock ?? systemClock;
    this.#memory = initialMemory(this.#policy);
    this.#state = {
      phase: 'connecting',
      position: typeof start === 'number' ? start : null,
      upToDate: false,
      stalled: false,
      cancelRequested: false,
      end: null,
      error: null,
      incarnation: options.incarnation ?? null,
      transport: this.#memory.transport,
    };
    this.#begin();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  reconnect(): void {
    if (this.#state.phase === 'ended') return;
    this.#memory = { ...initialMemory(this.#policy), found: this.#memory.found };
    if (this.#run) this.#restart();
    else this.#begin();
  }

  close(): void {
    if (this.#state.phase === 'ended' || this.#state.phase === 'closed') return;
    this.#finish({ phase: 'closed' });
    this.#attempt?.controller.abort('closed' satisfies StopReason);
    this.#endPause?.();
  }

  #begin(): void {
    const { signal, wakeSignals = platformWakeSignals } = this.#options;
    if (signal?.aborted) {
      // Later, because the caller does not hold the connection yet.
      queueMicrotask(() => this.close());
      return;
    }
    const close = (): void => this.close();
    signal?.addEventListener('abort', close, { once: true });
    const unlisten = wakeSignals((reason) => this.#onWake(reason));
    this.#stopListening = () => {
      signal?.removeEventListener('abort', close);
      unlisten();
    };
    const run = { startedAt: this.#clock.now() };
    this.#run = run;
    this.#probe = true;
    this.#setState({ phase: 'connecting', upToDate: false });
    void this.#loop(run);
  }

  async #loop(run: { readonly startedAt: number }): Promise<void> {
    while (this.#run === run) {
      const step = await this.#attemptOnce(run);
      if (this.#run !== run || !step) return;
      switch (step.type) {
        case 'connect':
          break;
        case 'wait':
          // A pause that is no failure, as between quick polls, does not show.
          if (step.error || this.#state.phase !== 'open')
            this.#setState({ phase: 'waiting', error: step.error, upToDate: false });
          this.#probe = true;
          await this.#pause(step.delayMs);
          if (this.#run === run && this.#state.phase === 'waiting') this.#setState({ phase: 'connecting' });
          break;
        case 'ended':
          return this.#finish({ phase: 'ended', end: step.end, error: null, upToDate: true, stalled: false });
        case 'failed':
          return this.#finish({ phase: 'failed', error: step.error });
        case 'closed':
          return;
      }
    }
  }

  /** Makes one attempt and decides what follows; null when it was overtaken meanwhile. */
  async #attemptOnce(run: { readonly startedAt: number }): Promise<Step | null> {
    if (this.#taking) await this.#taking;
    if (this.#run !== run) return null;
    const controller = new AbortController();
    const watchdog = createWatchdog(this.#clock, this.#times.connectTimeoutMs, () =>
      controller.abort('silent' satisfies StopReason),
    );
    const attempt = { controller, watchdog };
    this.#attempt = attempt;
    const startedAt = this.#clock.now();
    const seen = { answered: false, progressed: false };
    const context = this.#context(attempt, seen);
    this.#probe = false;
    let outcome: AttemptOutcome;
    try {
      outcome = await this.#target.attempt(context, this.#memory.transport);
    } catch (error) {
      outcome = { type: 'fatal', error: toStoreError(error, `reading ${this.#target.name}`) };
    }
    watchdog.stop();
    if (this.#run !== run) return null;
    this.#attempt = null;
    const now = this.#clock.now();
    const [memory, step] = nextStep(
      this.#memory,
      { ...seen, outcome, durationMs: now - startedAt, elapsedMs: now - run.startedAt },
      this.#policy,
    );
    this.#memory = memory;
    return step;
  }

  #context(
    { controller, watchdog }: { readonly controller: AbortController; readonly watchdog: Watchdog },
    seen: { answered: boolean; progressed: boolean },
  ): AttemptContext {
    const { signal } = controller;
    const { position, upToDate, incarnation } = this.#state;
    const { transport } = this.#memory;
    const cursor = createRecordCursor(position);
    return {
      name: this.#target.name,
      start: this.#start,
      times: this.#times,
      clock: this.#clock,
      cacheCursor: this.#cacheCursor,
      cursor,
      watchdog,
      signal,
      upToDate: upToDate && !this.#probe,
      incarnation,
      parseJson: this.#options.parseJson ?? JSON.parse,
      onAnswer: (found) => {
        seen.answered = true;
        if (!signal.aborted)
          this.#setState({ phase: 'open', error: null, transport, incarnation: found ?? incarnation });
      },
      deliver: (delivery) => {
        if (signal.aborted) return undefined;
        if (delivery.records.length > 0) seen.progressed = true;
        return this.#deliver(delivery, cursor.position);
      },
    };
  }

  /** Hands records to the consumer; the position moves on only once it has taken them. */
  #deliver({ records, state }: Delivery, position: number | null): void | Promise<void> {
    const commit = (): void => {
      this.#taking = null;
      if (state?.cursor) this.#cacheCursor = state.cursor;
      // A burst leaves the tail behind for a moment; that is no falling back behind it.
      const upToDate = this.#state.upToDate || state?.upToDate === true;
      // With the end, the state that follows it says everything.
      const news = state && !state.end && { upToDate, stalled: state.stalled, cancelRequested: state.cancelRequested };
      this.#setState({ position, ...news });
    };
    const refuse = (error: unknown): never => {
      this.#taking = null;
      throw new ConsumerError(toStoreError(error, `handling records from ${this.#target.name}`));
    };
    if (records.length === 0) return commit();
    let taken: void | Promise<void>;
    try {
      taken = this.#options.onRecords(records);
    } catch (error) {
      return refuse(error);
    }
    if (!taken) return commit();
    const settled = taken.then(commit, refuse);
    this.#taking = settled.catch(() => undefined);
    return settled;
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        if (this.#endPause === end) this.#endPause = null;
        unschedule();
        resolve();
      };
      const unschedule = this.#clock.schedule(end, delayMs);
      this.#endPause = end;
    });
  }

  #onWake(reason: WakeReason): void {
    if (reason === 'visible' && this.#attempt) {
      this.#attempt.watchdog.tighten(this.#times.wakeSilenceMs);
      return;
    }
    // Going offline is no reason to hurry, but a live connection is known to be dead then.
    if (reason === 'offline' && this.#endPause) return;
    // Another network may have another proxy.
    if (reason === 'online') this.#memory = { ...initialMemory(this.#policy), found: this.#memory.found };
    this.#restart();
  }

  #restart(): void {
    this.#memory = { ...this.#memory, failures: 0 };
    this.#probe = true;
    this.#attempt?.controller.abort('woken' satisfies StopReason);
    this.#endPause?.();
  }

  #finish(change: Partial<ConnectionState>): void {
    this.#run = null;
    this.#stopListening();
    this.#setState(change);
  }

  #setState(change: Partial<ConnectionState>): void {
    const before = this.#state;
    const after = { ...before, ...change };
    const keys = Object.keys(after) as (keyof ConnectionState)[];
    if (keys.every((key) => before[key] === after[key])) return;
    this.#state = after;
    safely(() => this.#options.onState?.(after));
  }
}
