import {
  type CancelRequest,
  isStreamError,
  keepLease,
  type RetryPolicy,
  type StreamEnd,
  StreamError,
  type StreamStore,
} from '@perennial/core';

import { callContext } from '../body/call-context.ts';
import { BodyScheduler } from '../body/scheduler.ts';
import { WorkflowError } from '../errors.ts';
import type { RunEventDetails } from '../events.ts';
import type { JournalState } from '../journal/journal-state.ts';
import { Journal } from '../journal/journal.ts';
import type { CallPoint, ResultNote } from '../journal/notes.ts';
import { unwrapResult } from '../steps/result-value.ts';
import { StepRunner } from '../steps/step-runner.ts';
import { supersedeUnfinished } from '../steps/supersede.ts';
import { RunStreams } from '../streams/run-streams.ts';
import { resultOf, type RunOutcome, toOutcome, type Verdict } from './outcome.ts';
import type { Caller, RunScope } from './run-scope.ts';

/** What makes a {@link RunExecution}. */
export interface RunExecutionOptions {
  readonly store: StreamStore;
  readonly runId: string;
  readonly journalId: string;
  readonly token: number;
  readonly nonce: string;
  readonly state: JournalState;
  readonly leaseMs: number;
  /** False for a run without an id: nobody can take it over, and its result need not be kept. */
  readonly isDurable: boolean;
  readonly replayTimeoutMs: number;
  /** A cancel request that the journal has already. */
  readonly cancel?: CancelRequest | null;
  readonly timeoutMs?: number;
  readonly ttlMs?: number;
  readonly retry?: RetryPolicy;
  readonly random: () => number;
  readonly onEvent: (event: RunEventDetails) => void;
}

const WATCH_AGAIN_MS = 1_000;

/**
 * Advances one run on this worker, from taking hold of it to its end (PROTOCOL.md, "Runs").
 *
 * States: restoring (streams that were opened before are fenced) → running (the body and its steps) → settling (steps stopped, what the
 * body wrote stored, the outcome journalled) → finishing (streams ended, then the journal) → ended. From each of them → lost, when
 * another worker has the run: then nothing more is written.
 */
export class RunExecution implements RunScope {
  readonly store: StreamStore;
  readonly runId: string;
  readonly journalId: string;
  readonly token: number;
  readonly nonce: string;
  readonly state: JournalState;
  readonly journal: Journal;
  readonly streams: RunStreams;
  readonly scheduler: BodyScheduler;
  readonly steps: StepRunner;
  readonly ttlMs?: number;
  readonly retry?: RetryPolicy;
  readonly #options: RunExecutionOptions;
  readonly #abort = new AbortController();
  readonly #dispose = new AbortController();
  readonly #verdict = Promise.withResolvers<Verdict>();
  readonly #started = new Set<string>();
  #settledWaits: { readonly keys: ReadonlySet<string>; readonly resolve: (isWhole: boolean) => void }[] = [];
  /** Set once the run stops: true when it finishes what its body began. */
  #isWhole: boolean | null = null;
  #readers = 0;
  #fault: Error | null = null;
  #isCancelled = false;
  #lost: WorkflowError | null = null;

  constructor(options: RunExecutionOptions) {
    const { store, runId, journalId, token, nonce, state, ttlMs, retry, random, replayTimeoutMs } = options;
    this.#options = options;
    this.store = store;
    this.runId = runId;
    this.journalId = journalId;
    this.token = token;
    this.nonce = nonce;
    this.state = state;
    if (ttlMs !== undefined) this.ttlMs = ttlMs;
    if (retry) this.retry = retry;
    const onBroken = (error: StreamError): void => this.lose(error);
    this.journal = new Journal({ store, journalId, token, nonce, state, onBroken, ...(retry && { retry }) });
    this.streams = new RunStreams(this);
    this.scheduler = new BodyScheduler({
      state,
      replayTimeoutMs,
      onDeliver: (note) => this.#closeAfter(note),
      onStuck: (note) => this.fault(stuck(note, replayTimeoutMs)),
    });
    this.steps = new StepRunner(this, { random });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** False once the run stops: its writers and steps take nothing more. */
  get isRunning(): boolean {
    return !this.#abort.signal.aborted;
  }

  get isDurable(): boolean {
    return this.#options.isDurable;
  }

  /**
   * Advances the run to its end.
   *
   * @throws {@link WorkflowError} `RUN_LOST` when this worker does not hold the run any more.
   */
  async execute(body: (run: RunExecution) => unknown): Promise<RunOutcome> {
    const stopLease = this.#holdLease();
    try {
      await Promise.all(this.streams.opened().map((stream) => stream.restore()));
      if (this.state.settled)
        return await this.#finish({ note: this.state.settled, result: resultOf(this.state.settled) });
      if (this.#options.cancel) this.cancelled(this.#options.cancel);
      if (!this.#isCancelled) this.#startBody(body);
      return await this.#settle(await this.#verdict.promise);
    } catch (error) {
      throw this.#lost ?? (isLoss(error) ? lostError(this.runId, error) : error);
    } finally {
      stopLease();
      this.#dispose.abort();
      if (this.isRunning) this.#abort.abort(new WorkflowError('CLOSED', 'The run is over.'));
    }
  }

  emit(event: RunEventDetails): void {
    this.#options.onEvent(event);
  }

  caller(): Caller {
    const context = callContext.getStore();
    if (context?.run === this)
      return context.attempt ? { kind: 'attempt', attempt: context.attempt } : { kind: 'body' };
    const [attempt, ...others] = this.steps.writing();
    return attempt && others.length === 0 ? { kind: 'attempt', attempt } : { kind: 'unknown' };
  }

  startedSteps(): ReadonlySet<string> {
    return this.#started;
  }

  /** Where the body stands. */
  callPoint(): CallPoint {
    return { results: this.scheduler.delivered, writes: this.streams.issued() };
  }

  /** Number of a reader that the body uses. */
  nextReaderIndex(): number {
    return this.#readers++;
  }

  /** The body calls a step. */
  begin(key: string): void {
    this.#started.add(key);
  }

  settled(keys: ReadonlySet<string>): Promise<boolean> {
    if (this.#isWhole !== null) return Promise.resolve(this.#isWhole);
    if (this.#areSettled(keys)) return Promise.resolve(true);
    return new Promise((resolve) => this.#settledWaits.push({ keys, resolve }));
  }

  /** The journal has a new result. */
  learnt(): void {
    this.scheduler.advance();
    this.#settledWaits = this.#settledWaits.filter(({ keys, resolve }) => {
      if (!this.#areSettled(keys)) return true;
      resolve(true);
      return false;
    });
  }

  fault(error: Error): void {
    this.#fault ??= error;
    this.#verdict.resolve({ kind: 'fault', error });
  }

  /** A step could not be advanced: the journal refused a note, or the runtime failed. */
  stepBroke(error: unknown): void {
    if (this.#lost || !this.isRunning) return;
    if (isLoss(error)) this.lose(error);
    else this.fault(error instanceof Error ? error : new Error(String(error)));
  }

  broken(error: StreamError): void {
    if (isLoss(error)) this.lose(error);
  }

  cancelled({ reason }: Pick<CancelRequest, 'reason'>): void {
    this.#isCancelled = true;
    this.#verdict.resolve({ kind: 'cancelled', ...(reason !== undefined && { reason }) });
  }

  /** This worker stops at once and writes nothing more. Idempotent. */
  lose(cause: unknown): void {
    if (this.#lost) return;
    const error = lostError(this.runId, cause);
    this.#lost = error;
    this.#verdict.resolve({ kind: 'lost', error });
    this.#stop(error, false);
    const broken = isStreamError(cause) ? cause : new StreamError('FENCED', error.message, { cause });
    this.streams.break(broken);
    this.journal.break(broken);
  }

  #startBody(body: (run: RunExecution) => unknown): void {
    void this.#watchCancel();
    const { timeoutMs } = this.#options;
    if (timeoutMs !== undefined) {
      const timer = setTimeout(() => this.#verdict.resolve({ kind: 'timeout', timeoutMs }), timeoutMs);
      this.#abort.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    }
    callContext
      .run({ run: this, attempt: null }, async () => body(this))
      .then(
        (returned) => this.#verdict.resolve({ kind: 'returned', result: unwrapResult(returned) }),
        (error: unknown) => this.#verdict.resolve({ kind: 'threw', error }),
      );
  }

  async #settle(reached: Verdict): Promise<RunOutcome> {
    if (reached.kind === 'lost') throw reached.error;
    const verdict = this.#unlessCutShort(reached);
    const isWhole = verdict.kind === 'returned' || verdict.kind === 'threw';
    const planned = toOutcome(verdict, this.isDurable);
    // Branches of the body that still wait must not take the failure of another branch for that of their step.
    const why = isWhole || planned.result.ok ? new WorkflowError('CLOSED', 'The run is over.') : planned.result.error;
    this.#stop(why, isWhole);
    await this.steps.stop();
    const streams = [...this.streams.used()];
    if (!isWhole) await Promise.all(streams.map((stream) => stream.dropBody()));
    // A note of an attempt that was on its way says which attempt is the last.
    await this.journal.drained();
    await supersedeUnfinished(this);
    const failures = isWhole ? await Promise.all(streams.map((stream) => stream.flush())) : [];
    this.#throwIfLost();
    const fault = isWhole ? (this.#fault ?? failures.find((failure) => failure !== null)) : null;
    const outcome = fault ? toOutcome({ kind: 'fault', error: fault }, true) : planned;
    await this.journal.note(outcome.note);
    return this.#finish(outcome);
  }

  /** A replayed body may only be over behind what it did before. */
  #unlessCutShort(verdict: Exclude<Verdict, { kind: 'lost' }>): Exclude<Verdict, { kind: 'lost' }> {
    if (verdict.kind !== 'returned' && verdict.kind !== 'threw') return verdict;
    const step = this.scheduler.uncalled();
    const stream = [...this.streams.opened()].find(({ isReplaying }) => isReplaying);
    if (!step && !stream) return verdict;
    const what = step
      ? `step ${JSON.stringify(step.key)}, whose result the journal has`
      : `all its writes to stream ${JSON.stringify(stream?.namespace)}`;
    const message = `Replaying the run, the body was over before it had repeated ${what}. Did the body change since the run began?`;
    return { kind: 'fault', error: new WorkflowError('NONDETERMINISTIC', message) };
  }

  /** Ends what is open, the journal last: whoever sees its end knows that everything else has ended. */
  async #finish(outcome: RunOutcome): Promise<RunOutcome> {
    const { end } = outcome.note;
    await Promise.all(this.streams.opened().map((stream) => stream.finish(end)));
    await this.journal.end(end);
    this.emit({ type: 'run_ended', end });
    return outcome;
  }

  #stop(reason: unknown, isWhole: boolean): void {
    this.#isWhole ??= isWhole;
    if (this.isRunning) this.#abort.abort(reason);
    this.scheduler.stop(reason);
    for (const { resolve } of this.#settledWaits.splice(0)) resolve(isWhole);
  }

  #throwIfLost(): void {
    if (this.#lost) throw this.#lost;
  }

  #areSettled(keys: ReadonlySet<string>): boolean {
    for (const key of keys) if (!this.state.result(key)) return false;
    return true;
  }

  /** A step that closed streams has succeeded: now, and in the order of the journal, they are closed. */
  #closeAfter({ closes = [] }: ResultNote): void {
    for (const { ns, end } of closes) void this.closeFromBody(ns, end);
  }

  /** Closes a stream as an operation of the body. */
  closeFromBody(namespace: string, end: StreamEnd): Promise<StreamError | null> {
    if (!this.isRunning) return Promise.resolve(new StreamError('CLOSED', 'The run is over.'));
    const closed = this.streams.get(namespace).close(end);
    return this.scheduler.operation(closed, () => new StreamError('ABORTED', 'The run stopped.'));
  }

  #holdLease(): () => void {
    const { store, journalId, token } = this;
    return keepLease({
      store,
      streamId: journalId,
      leaseMs: this.#options.leaseMs,
      token,
      onHead: ({ cancel }) => {
        if (cancel) this.cancelled(cancel);
      },
      onLost: (error) => this.lose(error),
    });
  }

  /** Waits for a cancel request, by notification. */
  async #watchCancel(): Promise<void> {
    const { signal } = this.#dispose;
    while (!signal.aborted) {
      try {
        const { cancel, end } = await this.store.wait(this.journalId, { position: Infinity, cancel: true, signal });
        if (cancel) return this.cancelled(cancel);
        if (end) return;
      } catch (error) {
        if (signal.aborted) return;
        if (isStreamError(error) && !error.retryable) return this.lose(error);
        await new Promise((resolve) => setTimeout(resolve, WATCH_AGAIN_MS));
      }
    }
  }
}

/** True for errors that say that another worker has the run, or that this one has no store any more. */
function isLoss(error: unknown): error is StreamError {
  return isStreamError(error) && ['FENCED', 'STORE_CLOSED', 'STORE_LOCKED'].includes(error.code);
}

function lostError(runId: string, cause: unknown): WorkflowError<'RUN_LOST'> {
  const why = cause instanceof Error ? ` ${cause.message}` : '';
  return new WorkflowError('RUN_LOST', `This worker does not hold run ${JSON.stringify(runId)} any more.${why}`, {
    cause,
  });
}

function stuck(note: ResultNote, timeoutMs: number): WorkflowError<'NONDETERMINISTIC'> {
  return new WorkflowError(
    'NONDETERMINISTIC',
    `Replaying the run, the body did not call step ${JSON.stringify(note.key)} within ${timeoutMs} ms, whose result the journal has next. ` +
      'Did the body change since the run began?',
  );
}
