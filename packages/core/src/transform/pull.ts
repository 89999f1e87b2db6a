/** What {@link Pull.next} answers at the end of the source. */
export const END: unique symbol = Symbol.for('perennial.end') as never;

/** What {@link Pull.next} answers when the value is not there yet: the receiver will be called, exactly once. */
export const WAIT: unique symbol = Symbol.for('perennial.wait') as never;

/** Takes the answer that a {@link Pull} could not give at once. */
export interface Receiver<T> {
  onValue(value: T): void;
  onEnd(): void;
  onError(error: unknown): void;
}

/**
 * The way values move inside the library: one at a time, returned at once where they are there already, and handed to a receiver where
 * they are not. It spares the promises per value and stage that chained async iterators cost (`npm run bench -- transform` prints the
 * ratio).
 */
export interface Pull<T> {
  /** The next value, {@link END} or {@link WAIT}. Throws the source's error. Not called again before the last call was answered. */
  next(receiver: Receiver<T>): T | typeof END | typeof WAIT;
  /** Releases the source, also while an answer is outstanding, which then may never come. Idempotent. */
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

/** Gives an outstanding answer: what `next` returned meanwhile, unless that is {@link WAIT} again, or what it threw. */
export function answer<T>(receiver: Receiver<T>, next: () => T | typeof END | typeof WAIT): void {
  let value: T | typeof END | typeof WAIT;
  try {
    value = next();
  } catch (error) {
    receiver.onError(error);
    return;
  }
  if (value === END) receiver.onEnd();
  else if (value !== WAIT) receiver.onValue(value);
}
