import type { TransformedStream } from './fused.ts';
import { createPullIterator } from './pull-iterator.ts';
import { answer, END, PULL, type Pull, type Receiver, WAIT, YIELD_EVERY, yieldMacrotask } from './pull.ts';
import { type Source, toPull } from './source.ts';

/** Flattens a stream of iterables by one level. Inner iterables are read one after the other and closed on every way out. */
export function flattened<T>(source: Source<Iterable<T> | AsyncIterable<T>>): TransformedStream<T> {
  const pull = (): Pull<T> => new FlattenedPull<T>(toPull(source));
  return { [PULL]: pull, [Symbol.asyncIterator]: () => createPullIterator(pull()) };
}

class FlattenedPull<T> implements Pull<T>, Receiver<T> {
  readonly #outer: Pull<Iterable<T> | AsyncIterable<T>>;
  #inner: Pull<T> | null = null;
  #receiver: Receiver<T> | null = null;
  /** Takes the outer source's late answers; the flattened values' own come to this object. */
  readonly #onOuter: Receiver<Iterable<T> | AsyncIterable<T>> = {
    onValue: (iterable) => this.#resume(() => this.#enter(iterable)),
    onEnd: () => this.#receiver?.onEnd(),
    onError: (error) => this.#receiver?.onError(error),
  };

  constructor(outer: Pull<Iterable<T> | AsyncIterable<T>>) {
    this.#outer = outer;
  }

  next(receiver: Receiver<T>): T | typeof END | typeof WAIT {
    this.#receiver = receiver;
    for (let empty = 0; empty < YIELD_EVERY; empty++) {
      const value = this.#inner ? this.#inner.next(this) : END;
      if (value !== END) return value;
      this.#inner = null;
      const iterable = this.#outer.next(this.#onOuter);
      if (iterable === WAIT || iterable === END) return iterable;
      this.#enter(iterable);
    }
    // A long run of empty iterables would starve timers and I/O.
    void yieldMacrotask().then(() => this.#resume());
    return WAIT;
  }

  async close(): Promise<void> {
    try {
      await this.#inner?.close();
    } finally {
      await this.#outer.close();
    }
  }

  rewind(): boolean {
    if (!this.#outer.rewind()) return false;
    void Promise.resolve(this.#inner?.close()).catch(() => undefined);
    this.#inner = null;
    return true;
  }

  onValue(value: T): void {
    this.#receiver?.onValue(value);
  }

  onEnd(): void {
    this.#inner = null;
    this.#resume();
  }

  onError(error: unknown): void {
    this.#receiver?.onError(error);
  }

  #enter(iterable: Iterable<T> | AsyncIterable<T>): void {
    this.#inner = toPull(iterable);
  }

  #resume(before?: () => void): void {
    const receiver = this.#receiver;
    if (!receiver) return;
    answer(receiver, () => {
      before?.();
      return this.next(receiver);
    });
  }
}
