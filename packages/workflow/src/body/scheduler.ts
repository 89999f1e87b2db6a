/**
 * Decides in which order the awaits of a run's body resume, so that a replay resumes them in the same order (PROTOCOL.md, "Runs").
 *
 * There are two kinds of events. *Operations* (writes, flushes, closes) resume in the order of their calls, however long each takes.
 * *Results* (of steps and of reads) resume in the order in which the journal has them, and only while no operation is pending. One event
 * is resumed per macrotask: several in one would continue in an order that depends on how many promises lie between each and its await.
 */
import type { JournalState } from '../journal/journal-state.ts';
import type { ResultNote } from '../journal/notes.ts';

/** Options of {@link BodyScheduler}. */
export interface BodySchedulerOptions {
  readonly state: JournalState;
  /** Is told of each result just before the body gets it. */
  readonly onDeliver: (note: ResultNote) => void;
  /** A recorded result has not been asked for within `replayTimeoutMs`. */
  readonly onStuck: (note: ResultNote) => void;
  /** How long a replayed body may take to ask for its next recorded result, in ms. */
  readonly replayTimeoutMs: number;
}

interface Operation {
  isDone: boolean;
  readonly resume: () => void;
}

interface Call {
  readonly promise: Promise<ResultNote>;
  readonly resolve: (note: ResultNote) => void;
  readonly reject: (error: unknown) => void;
  /** False while what the result refers to is still being fetched. */
  isReady: boolean;
}

/** See the head of this file. */
export class BodyScheduler {
  readonly #options: BodySchedulerOptions;
  /** Results recorded before this worker began. */
  readonly #recorded: number;
  #operations: Operation[] = [];
  readonly #calls = new Map<string, Call>();
  #delivered = 0;
  #scheduled = false;
  #stuckTimer: ReturnType<typeof setTimeout> | null = null;
  #stopped: { readonly error: unknown } | null = null;

  constructor(options: BodySchedulerOptions) {
    this.#options = options;
    this.#recorded = options.state.results.length;
  }

  /** Results the body has got. */
  get delivered(): number {
    return this.#delivered;
  }

  /** An operation of the body: resolves with its outcome when its turn has come; with `whenStopped()` when the run stops first. */
  operation<T>(outcome: Promise<T>, whenStopped: () => T): Promise<T> {
    if (this.#stopped) return Promise.resolve(whenStopped());
    return new Promise((resolve) => {
      let value: { readonly is: T } | null = null;
      const operation: Operation = {
        isDone: false,
        resume: () => resolve(value ? value.is : whenStopped()),
      };
      this.#operations.push(operation);
      void outcome.then((is) => {
        value = { is };
        operation.isDone = true;
        this.advance();
      });
    });
  }

  /** The result of a step, once the journal has it and its turn has come. Rejects when the run stops. */
  result(key: string, { isReady = true }: { readonly isReady?: boolean } = {}): Promise<ResultNote> {
    const known = this.#calls.get(key);
    if (known) return known.promise;
    const call: Call = { ...Promise.withResolvers<ResultNote>(), isReady };
    // A step that nobody awaits may fail without taking the process down.
    call.promise.catch(() => undefined);
    this.#calls.set(key, call);
    if (this.#stopped) call.reject(this.#stopped.error);
    else this.advance();
    return call.promise;
  }

  /** What a result refers to is there now. */
  ready(key: string): void {
    const call = this.#calls.get(key);
    if (call) call.isReady = true;
    this.advance();
  }

  /** A result recorded before this worker began that the body has not asked for; null when it has asked for all of them. */
  uncalled(): ResultNote | null {
    const recorded = this.#options.state.results.slice(0, this.#recorded);
    return recorded.find(({ key }) => !this.#calls.has(key)) ?? null;
  }

  /** Something happened that an event may have waited for. */
  advance(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#stopped && this.#resumeNext()) this.advance();
    });
  }

  /** Nothing is resumed in order any more: what waits is told so, and so is everything to come. */
  stop(error: unknown): void {
    if (this.#stopped) return;
    this.#stopped = { error };
    this.#clearStuck();
    for (const operation of this.#operations.splice(0)) operation.resume();
    for (const call of this.#calls.values()) call.reject(error);
  }

  #resumeNext(): boolean {
    const [operation] = this.#operations;
    if (operation) {
      if (!operation.isDone) return false;
      this.#operations.shift();
      operation.resume();
      return true;
    }
    const note = this.#options.state.results[this.#delivered];
    if (!note) return false;
    const call = this.#calls.get(note.key);
    if (!call?.isReady) {
      if (!call && this.#delivered < this.#recorded) this.#watchStuck(note);
      return false;
    }
    this.#clearStuck();
    this.#delivered++;
    this.#options.onDeliver(note);
    call.resolve(note);
    return true;
  }

  /** A body that changed since its results were recorded may never ask for the next one. */
  #watchStuck(note: ResultNote): void {
    this.#stuckTimer ??= setTimeout(() => this.#options.onStuck(note), this.#options.replayTimeoutMs);
  }

  #clearStuck(): void {
    if (this.#stuckTimer) clearTimeout(this.#stuckTimer);
    this.#stuckTimer = null;
  }
}
