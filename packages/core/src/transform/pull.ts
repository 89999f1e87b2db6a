/** Marks the end of a {@link Pull}. */
export const END: unique symbol = Symbol('end');

/**
 * The way values move inside the library: one value at a time, at once where it is there already and as a promise where it is not. It
 * spares the promise per value that async iteration costs (`benchmarks/` prints the ratio).
 */
export interface Pull<T> {
  /** The next value, or {@link END}. Throws or rejects with the source's error. Not called again before the last call settled. */
  next(): T | typeof END | Promise<T | typeof END>;
  /** Releases the source, also while a `next()` is pending. Idempotent. */
  close(): void | Promise<void>;
  /** Starts over, where the source can; false where it cannot. */
  rewind(): boolean;
}

/** Key of the method by which readers and transformed streams offer their {@link Pull}; a registered symbol, so copies of the package agree. */
export const PULL: unique symbol = Symbol.for('perennial.pull') as never;

/** A source that offers values without a promise each. */
export interface Pullable<T> {
  [PULL](): Pull<T>;
}

/** Ready values handled in one go before timers and I/O get a turn. */
export const YIELD_EVERY = 2_048;

/** Lets timers and I/O run. */
export function yieldMacrotask(): Promise<void> {
  return new Promise((resolve) => {
    // setTimeout(0) waits a millisecond or four; setImmediate exists in Node and Bun only.
    const immediate: unknown = Reflect.get(globalThis, 'setImmediate');
    if (typeof immediate === 'function') immediate(resolve);
    else setTimeout(resolve, 0);
  });
}
