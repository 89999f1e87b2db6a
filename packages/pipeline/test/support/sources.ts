/** An endless or finite async source that counts how often it was pulled and whether it was closed. */
export interface CountedSource {
  readonly source: AsyncIterable<number>;
  pulls: number;
  closed: number;
}

export function counted(count = Infinity): CountedSource {
  const state: CountedSource = {
    pulls: 0,
    closed: 0,
    source: {
      [Symbol.asyncIterator]: () => ({
        next: async () =>
          state.pulls < count
            ? { done: false as const, value: state.pulls++ }
            : { done: true as const, value: undefined },
        return: async () => (state.closed++, { done: true as const, value: undefined }),
      }),
    },
  };
  return state;
}

/** A source that gives the values and then never answers; `closed` counts its `return()` calls. */
export function hanging<T>(...values: readonly T[]): { readonly source: AsyncIterable<T>; closed: number } {
  const left = [...values];
  const state: { readonly source: AsyncIterable<T>; closed: number } = {
    closed: 0,
    source: {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          left.length > 0
            ? Promise.resolve({ done: false, value: left.shift() as T })
            : new Promise<IteratorResult<T>>(() => undefined),
        return: async () => (state.closed++, { done: true, value: undefined }),
      }),
    },
  };
  return state;
}

/** Promises that the test settles one by one. */
export class Gates {
  readonly #gates = new Map<number, PromiseWithResolvers<void>>();

  /** Resolves when {@link Gates.open} was called for this number. */
  wait(number: number): Promise<void> {
    return this.#gate(number).promise;
  }

  open(number: number): void {
    this.#gate(number).resolve();
  }

  #gate(number: number): PromiseWithResolvers<void> {
    const gate = this.#gates.get(number) ?? Promise.withResolvers<void>();
    this.#gates.set(number, gate);
    return gate;
  }
}

/** Lets everything that is ready run: microtasks, and one turn of the event loop. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('The promise was expected to reject.');
}
