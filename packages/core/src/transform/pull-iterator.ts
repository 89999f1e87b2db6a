import { END, type Pull, type Receiver, WAIT, YIELD_EVERY, yieldMacrotask } from './pull.ts';

type Step<T> = IteratorResult<T, undefined>;

interface Call<T> {
  readonly resolve: (step: Step<T> | Promise<Step<T>>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes an async iterator of a {@link Pull}, with the guarantees of an async generator: calls are answered in order, the source is closed
 * at the end, on an error and on `return()`. Unlike a generator, `return()` does not wait for a pending `next()`, which may never come.
 */
export function createPullIterator<T>(pull: Pull<T>): AsyncIterableIterator<T> {
  return new PullIterator(pull);
}

class PullIterator<T> implements AsyncIterableIterator<T>, Receiver<T> {
  readonly #pull: Pull<T>;
  #finished = false;
  /** Values handed out since timers and I/O had a turn. Late ones count too: a source may answer by microtasks alone. */
  #handedOut = 0;
  /** The call that the pull owes an answer. */
  #current: Call<T> | null = null;
  /** Calls made meanwhile. */
  #later: Call<T>[] = [];

  constructor(pull: Pull<T>) {
    this.#pull = pull;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step<T>> {
    if (this.#finished) return Promise.resolve({ done: true, value: undefined });
    if (this.#current) return new Promise((resolve, reject) => this.#later.push({ resolve, reject }));
    let value: T | typeof END | typeof WAIT;
    try {
      value = this.#pull.next(this);
    } catch (error) {
      return this.#fail(error);
    }
    if (value === WAIT) {
      // Something that ran meanwhile may have called return().
      if (this.#finished) return this.next();
      return new Promise((resolve, reject) => {
        this.#current = { resolve, reject };
      });
    }
    if (value === END) return this.return();
    if (++this.#handedOut < YIELD_EVERY) return Promise.resolve({ done: false, value });
    return this.#afterOthers(value);
  }

  async return(): Promise<Step<T>> {
    const first = !this.#finished;
    this.#finished = true;
    const current = this.#current;
    this.#current = null;
    current?.resolve({ done: true, value: undefined });
    for (const call of this.#later.splice(0)) call.resolve({ done: true, value: undefined });
    if (first) await this.#pull.close();
    return { done: true, value: undefined };
  }

  onValue(value: T): void {
    const current = this.#current;
    this.#current = null;
    current?.resolve(++this.#handedOut < YIELD_EVERY ? { done: false, value } : this.#afterOthers(value));
    if (this.#later.length > 0) this.#resume();
  }

  onEnd(): void {
    this.#current?.resolve(this.return());
  }

  onError(error: unknown): void {
    const current = this.#current;
    this.#current = null;
    if (this.#finished) return;
    current?.resolve(this.#fail(error));
  }

  /** Starts the next of the calls that waited for their turn. */
  #resume(): void {
    const call = this.#later.shift();
    if (!call) return;
    call.resolve(this.next());
    if (!this.#current) this.#resume();
  }

  /** A long run of values without a pause would starve timers and I/O. */
  async #afterOthers(value: T): Promise<Step<T>> {
    this.#handedOut = 0;
    await yieldMacrotask();
    return { done: false, value };
  }

  async #fail(error: unknown): Promise<never> {
    const first = !this.#finished;
    this.#finished = true;
    for (const call of this.#later.splice(0)) call.resolve({ done: true, value: undefined });
    try {
      if (first) await this.#pull.close();
    } catch {
      // The source's own failure is the one to report, not a failure to close it.
    }
    throw error;
  }
}
