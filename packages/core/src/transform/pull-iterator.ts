import { END, type Pull, YIELD_EVERY, yieldMacrotask } from './pull.ts';

type Step<T> = IteratorResult<T, undefined>;

/**
 * Makes an async iterator of a {@link Pull}, with the guarantees of an async generator: calls are answered in order, the source is closed
 * at the end, on an error and on `return()`. Unlike a generator, `return()` does not wait for a pending `next()`, which may never come.
 */
export function createPullIterator<T>(pull: Pull<T>): AsyncIterableIterator<T> {
  return new PullIterator(pull);
}

class PullIterator<T> implements AsyncIterableIterator<T> {
  readonly #pull: Pull<T>;
  #finished = false;
  /** Values handed out in a row without waiting. */
  #ready = 0;
  /** The last call that has not settled; null while none is pending, which is the fast path. */
  #tail: Promise<unknown> | null = null;
  /** Answers the pending call when `return()` gives the iteration up. */
  #giveUp: ((step: Step<T>) => void) | null = null;

  constructor(pull: Pull<T>) {
    this.#pull = pull;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step<T>> {
    if (this.#tail) {
      const again = (): Promise<Step<T>> => this.#step() ?? this.#wait();
      return this.#queue(this.#tail.then(again, again));
    }
    return this.#step() ?? this.#queue(this.#wait());
  }

  async return(): Promise<Step<T>> {
    const first = !this.#finished;
    this.#finished = true;
    this.#giveUp?.({ done: true, value: undefined });
    if (first) await this.#pull.close();
    return { done: true, value: undefined };
  }

  /** What the pull answered, when that was a promise: taken up by {@link #wait}. */
  #promised: Promise<T | typeof END> | null = null;

  /** Answers at once where it can; null when the answer has to be waited for. */
  #step(): Promise<Step<T>> | null {
    if (this.#finished) return Promise.resolve({ done: true, value: undefined });
    let value: T | typeof END | Promise<T | typeof END>;
    try {
      value = this.#pull.next();
    } catch (error) {
      return this.#fail(error);
    }
    if (value instanceof Promise) {
      this.#ready = 0;
      this.#promised = value;
      return null;
    }
    if (value === END) return this.return();
    if (++this.#ready < YIELD_EVERY) return Promise.resolve({ done: false, value });
    // A long run of ready values would starve timers and I/O.
    this.#ready = 0;
    this.#promised = yieldMacrotask().then(() => value);
    return null;
  }

  #wait(): Promise<Step<T>> {
    const promised = this.#promised;
    this.#promised = null;
    return new Promise<Step<T>>((resolve, reject) => {
      this.#giveUp = resolve;
      promised?.then(
        (value) => {
          this.#giveUp = null;
          resolve(value === END || this.#finished ? this.return() : { done: false, value });
        },
        (error: unknown) => {
          this.#giveUp = null;
          if (this.#finished) resolve({ done: true, value: undefined });
          else this.#fail(error).catch(reject);
        },
      );
    });
  }

  #queue(step: Promise<Step<T>>): Promise<Step<T>> {
    const clear = (): void => {
      if (this.#tail === step) this.#tail = null;
    };
    this.#tail = step;
    void step.then(clear, clear);
    return step;
  }

  async #fail(error: unknown): Promise<never> {
    const first = !this.#finished;
    this.#finished = true;
    try {
      if (first) await this.#pull.close();
    } catch {
      // The source's own failure is the one to report, not a failure to close it.
    }
    throw error;
  }
}
