import { answer, END, type Pull, type Receiver, WAIT } from '@perennial/core/engine';

/** What the outermost pull of a run is told and asked. */
export interface RunHooks {
  /** Sets the stages up; a promise where that needs a store. Null: there is nothing to do. */
  readonly open: () => Pull<unknown> | null | Promise<Pull<unknown> | null>;
  /** Everything handed out so far has been used. Throws what stops the run. */
  readonly used: (() => void) | null;
  /** The stages have ended; a promise where that has to be saved first. */
  readonly ended: () => void | Promise<void>;
  /** Turns what was thrown into the run's error, and notes it. */
  readonly failed: (thrown: unknown) => Error;
  /** The consumer left. */
  readonly left: () => void;
  /** Closes a source that no stage has opened. */
  readonly closeUnopened: () => void | Promise<void>;
}

/**
 * The outermost pull of a run.
 *
 * States: `new` -> `opening` -> `running` -> `over`; nothing happens before the first pull. `stop` and `close` lead to `over` from anywhere,
 * at once: what the stages still owe is no longer waited for.
 */
export class RunPull<T> implements Pull<T>, Receiver<unknown> {
  /** Values handed out. */
  outputs = 0;
  readonly #hooks: RunHooks;
  readonly #used: (() => void) | null;
  #state: 'new' | 'opening' | 'running' | 'over' = 'new';
  #stages: Pull<unknown> | null = null;
  /** The stages in state `running`, else null: one look tells the most frequent call all it needs. */
  #running: Pull<unknown> | null = null;
  #receiver: Receiver<T> | null = null;
  #closing: Promise<void> | null = null;
  /** Why the run was stopped while nobody waited: the next pull reports it. */
  #stopped: { readonly error: Error } | null = null;

  constructor(hooks: RunHooks) {
    this.#hooks = hooks;
    this.#used = hooks.used;
  }

  next(receiver: Receiver<T>): T | typeof END | typeof WAIT {
    const stages = this.#running;
    if (stages === null) return this.#notRunning(receiver);
    let value: unknown;
    try {
      if (this.#used !== null) this.#used();
      value = stages.next(this);
    } catch (thrown) {
      throw this.#failed(thrown);
    }
    if (value === WAIT) return this.#wait(receiver);
    if (value === END) return this.#ended(receiver);
    this.outputs++;
    // The pipeline's type vouches for what its last stage yields.
    return value as T;
  }

  /** Ends the run with an error, from outside. */
  stop(failure: Error): void {
    if (this.#state === 'over') return;
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#close().catch(ignore);
    if (receiver) receiver.onError(failure);
    else this.#stopped = { error: failure };
  }

  async close(): Promise<void> {
    const open = this.#state !== 'over';
    this.#receiver = null;
    if (open) this.#hooks.left();
    await this.#close();
  }

  rewind(): boolean {
    return false;
  }

  onValue(value: unknown): void {
    const receiver = this.#receiver;
    if (!receiver) return;
    this.#receiver = null;
    this.outputs++;
    receiver.onValue(value as T);
  }

  onEnd(): void {
    const receiver = this.#receiver;
    if (!receiver) return;
    this.#receiver = null;
    answer(receiver, () => this.#ended(receiver));
  }

  onError(thrown: unknown): void {
    const receiver = this.#receiver;
    if (!receiver) return;
    this.#receiver = null;
    receiver.onError(this.#failed(thrown));
  }

  #notRunning(receiver: Receiver<T>): T | typeof END | typeof WAIT {
    if (this.#state === 'new') return this.#open(receiver);
    const stopped = this.#stopped;
    this.#stopped = null;
    if (stopped) throw stopped.error;
    return END;
  }

  #open(receiver: Receiver<T>): T | typeof END | typeof WAIT {
    this.#state = 'opening';
    let opened: ReturnType<RunHooks['open']>;
    try {
      opened = this.#hooks.open();
    } catch (thrown) {
      throw this.#failed(thrown);
    }
    if (!(opened instanceof Promise)) {
      this.#opened(opened);
      return this.next(receiver);
    }
    this.#receiver = receiver;
    opened.then(
      (stages) => {
        this.#opened(stages);
        const waiting = this.#receiver;
        if (waiting) answer(waiting, () => this.next(waiting));
      },
      (thrown: unknown) => this.onError(thrown),
    );
    return WAIT;
  }

  #opened(stages: Pull<unknown> | null): void {
    if (this.#state === 'over') {
      void Promise.resolve(stages?.close()).catch(() => undefined);
      return;
    }
    this.#state = 'running';
    this.#stages = stages ?? EMPTY;
    this.#running = this.#stages;
  }

  /** A step that was called meanwhile may have stopped the run. */
  #wait(receiver: Receiver<T>): T | typeof END | typeof WAIT {
    if (this.#running === null) return this.#notRunning(receiver);
    this.#receiver = receiver;
    return WAIT;
  }

  #ended(receiver: Receiver<T>): typeof END | typeof WAIT {
    let saved: void | Promise<void>;
    try {
      saved = this.#hooks.ended();
    } catch (thrown) {
      throw this.#failed(thrown);
    }
    if (!saved) {
      this.#end();
      return END;
    }
    this.#receiver = receiver;
    saved.then(
      () => {
        this.#end();
        const waiting = this.#receiver;
        this.#receiver = null;
        waiting?.onEnd();
      },
      (thrown: unknown) => this.onError(thrown),
    );
    return WAIT;
  }

  #end(): void {
    this.#state = 'over';
    this.#running = null;
  }

  #failed(thrown: unknown): Error {
    const error = this.#hooks.failed(thrown);
    this.#receiver = null;
    this.#close().catch(ignore);
    return error;
  }

  /** Closes once; everybody who asks waits for the same. */
  #close(): Promise<void> {
    this.#closing ??= this.#closeStages();
    return this.#closing;
  }

  async #closeStages(): Promise<void> {
    const unopened = this.#state === 'new';
    this.#end();
    if (unopened) await this.#hooks.closeUnopened();
    else await this.#stages?.close();
  }
}

/** The error that ended the run is the one to report, not one of closing it. */
function ignore(): void {}

const EMPTY: Pull<unknown> = { next: () => END, close: () => undefined, rewind: () => false };
