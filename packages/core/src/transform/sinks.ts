import { isStreamSuperseded } from '../log/errors.ts';
import { END, type Pull, type Receiver, WAIT, YIELD_EVERY, yieldMacrotask } from './pull.ts';
import { isThenable, type Source, toPull } from './source.ts';

/**
 * Collects every value into an array. Retractions are applied: when an attempt of a step is superseded, a stream that comes from a reader
 * is read again from the reader's start, so that only values that stand are collected (and transformers run again).
 *
 * @throws The source's typed error; a stream that failed or was cancelled is never collected as if it were whole.
 */
export function collect<T>(source: Source<T>): Promise<T[]> {
  return run(source, () => {
    const values: T[] = [];
    return { add: (value) => void values.push(value), result: () => values };
  });
}

/** Folds every value into one, in order; `fn` may be async. Applies retractions as {@link collect} does. */
export function reduce<T, A>(
  source: Source<T>,
  fn: (accumulator: A, value: T, index: number) => A | PromiseLike<A>,
  initial: A,
): Promise<A> {
  return run(source, () => {
    let accumulator = initial;
    let index = 0;
    const settled = (value: A): void => void (accumulator = value);
    return {
      add(value) {
        const next = fn(accumulator, value, index++);
        if (isThenable(next)) return Promise.resolve(next).then(settled);
        accumulator = next;
        return undefined;
      },
      result: () => accumulator,
    };
  });
}

interface Sink<T, R> {
  add(value: T): void | Promise<void>;
  result(): R | PromiseLike<R>;
}

async function run<T, R>(source: Source<T>, start: () => Sink<T, R>): Promise<R> {
  const pull = toPull(source);
  try {
    for (;;) {
      try {
        return await drain(pull, start());
      } catch (error) {
        if (!isStreamSuperseded(error) || !pull.rewind()) throw error;
      }
    }
  } finally {
    await pull.close();
  }
}

function drain<T, R>(pull: Pull<T>, sink: Sink<T, R>): Promise<R> {
  const { promise, resolve, reject } = Promise.withResolvers<R>();
  /** Values taken since timers and I/O had a turn. Late ones count too: a source may answer by microtasks alone. */
  let taken = 0;
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      reject(error);
    }
  };
  const add = (value: T): boolean => {
    const added = sink.add(value);
    if (added) added.then(proceed, reject);
    return !added;
  };
  const pullReady = (): void => {
    while (taken++ < YIELD_EVERY) {
      const value = pull.next(receiver);
      if (value === WAIT) return;
      if (value === END) return resolve(sink.result());
      if (!add(value)) return;
    }
    taken = 0;
    void yieldMacrotask().then(proceed);
  };
  const proceed = (): void => guarded(pullReady);
  const receiver: Receiver<T> = {
    onValue: (value) => guarded(() => add(value) && pullReady()),
    onEnd: () => resolve(sink.result()),
    onError: reject,
  };
  proceed();
  return promise;
}
