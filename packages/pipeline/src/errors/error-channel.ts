import type { StreamingError } from './streaming-error.ts';

/**
 * The errors that `SPLIT_ERRORS` steps set aside, while the run goes on. Nobody has to read it: it holds the newest `capacity` errors and
 * counts the others, so that a run never waits for it and never grows because of it.
 */
export interface ErrorChannel extends AsyncIterable<StreamingError> {
  /** Errors that nobody read in time, oldest first to go. */
  readonly dropped: number;
  /** Errors that wait to be read. */
  readonly size: number;
  /** One error goes to one iteration; iterations end with the run, once everything that waits was read. */
  [Symbol.asyncIterator](): AsyncIterableIterator<StreamingError>;
}

/** The writing end of an {@link ErrorChannel}. */
export class ErrorQueue implements ErrorChannel {
  readonly #capacity: number;
  #errors: StreamingError[] = [];
  #dropped = 0;
  #closed = false;
  #waiting: (() => void)[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get size(): number {
    return this.#errors.length;
  }

  push(error: StreamingError): void {
    if (this.#capacity === 0) {
      this.#dropped++;
      return;
    }
    if (this.#errors.length === this.#capacity) {
      this.#errors.shift();
      this.#dropped++;
    }
    this.#errors.push(error);
    this.#waiting.shift()?.();
  }

  close(): void {
    this.#closed = true;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<StreamingError> {
    let left = false;
    let wakeMine: (() => void) | undefined;
    const done = { done: true as const, value: undefined };
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: async () => {
        for (;;) {
          if (left) return done;
          const error = this.#errors.shift();
          if (error) return { done: false as const, value: error };
          if (this.#closed) return done;
          await new Promise<void>((resolve) => {
            wakeMine = resolve;
            this.#waiting.push(resolve);
          });
        }
      },
      return: async () => {
        left = true;
        // Otherwise a later error would wake this reader, which is gone, instead of one that waits.
        this.#waiting = this.#waiting.filter((wake) => wake !== wakeMine);
        wakeMine?.();
        return done;
      },
    };
  }
}
