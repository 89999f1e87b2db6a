import type { TransformedStream } from './fused.ts';
import { createPullIterator } from './pull-iterator.ts';
import { END, PULL, type Pull } from './pull.ts';
import { type Source, toPull } from './source.ts';

/** Flattens a stream of iterables by one level. Inner iterables are read one after the other and closed on every way out. */
export function flattened<T>(source: Source<Iterable<T> | AsyncIterable<T>>): TransformedStream<T> {
  const pull = (): Pull<T> => new FlattenedPull<T>(toPull(source));
  return { [PULL]: pull, [Symbol.asyncIterator]: () => createPullIterator(pull()) };
}

class FlattenedPull<T> implements Pull<T> {
  readonly #outer: Pull<Iterable<T> | AsyncIterable<T>>;
  #inner: Pull<T> | null = null;

  constructor(outer: Pull<Iterable<T> | AsyncIterable<T>>) {
    this.#outer = outer;
  }

  next(): T | typeof END | Promise<T | typeof END> {
    const value = this.#inner?.next();
    if (value === undefined || value === END || value instanceof Promise)
      return this.#nextAsync(this.#inner ? value : END);
    return value;
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

  async #nextAsync(first: T | typeof END | undefined | Promise<T | typeof END>): Promise<T | typeof END> {
    for (let value = await first; ; value = this.#inner ? await this.#inner.next() : END) {
      if (value !== END) return value as T;
      this.#inner = null;
      const iterable = await this.#outer.next();
      if (iterable === END) return END;
      this.#inner = toPull(iterable);
    }
  }
}
