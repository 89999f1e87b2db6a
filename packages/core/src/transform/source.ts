import { InvalidArgumentError, isStreamEnded, quote } from '../log/errors.ts';
import type { Result } from '../result.ts';
import { END, PULL, type Pull, type Pullable } from './pull.ts';

/** Anything with a Result-returning `read()`: a reader of this library, or one that looks like it. */
export interface ResultReader<T> {
  read(): Promise<Result<T, unknown>>;
  close?(): unknown;
}

/** What the transformers read from. Arrays and other iterables count; strings do not. */
export type Source<T> = AsyncIterable<T> | ReadableStream<T> | Iterable<T> | ResultReader<T>;

/**
 * The one front door for sources.
 *
 * @throws {@link InvalidArgumentError} for a value that is none.
 */
export function toPull<T>(source: Source<T>): Pull<T> {
  if (typeof source === 'object' && source !== null) {
    if (PULL in source) return (source as Pullable<T>)[PULL]();
    // Before its own async iterator, whose return() would wait for a pending read.
    if (source instanceof ReadableStream) return pullReadable(source);
    if (Symbol.asyncIterator in source) return pullIterator(source[Symbol.asyncIterator]());
    if (Symbol.iterator in source) return pullIterator(source[Symbol.iterator]());
    if ('read' in source && typeof source.read === 'function') return pullReader(source);
  }
  throw new InvalidArgumentError(
    'source',
    `A source is a reader, an (async) iterable or a ReadableStream; got ${quote(source)}.`,
  );
}

function pullIterator<T>(iterator: AsyncIterator<T> | Iterator<T | PromiseLike<T>>): Pull<T> {
  let pending = false;
  let closed = false;
  return {
    next() {
      if (closed) return END;
      const step = iterator.next();
      if (!('then' in step)) {
        if (step.done) return END;
        return isThenable(step.value) ? Promise.resolve(step.value) : step.value;
      }
      pending = true;
      return step.then(
        ({ done, value }) => {
          pending = false;
          return done ? END : value;
        },
        (error: unknown) => {
          pending = false;
          throw error;
        },
      );
    },
    close() {
      if (closed) return undefined;
      closed = true;
      const closing = iterator.return?.();
      if (!closing || !('then' in closing)) return undefined;
      // A generator answers return() only after its pending next(), which may never come: ask, but do not wait for it.
      if (!pending) return closing.then(() => undefined);
      void closing.then(undefined, () => undefined);
      return undefined;
    },
    rewind: () => false,
  };
}

function pullReadable<T>(stream: ReadableStream<T>): Pull<T> {
  const reader = stream.getReader();
  return {
    next: () => reader.read().then(({ done, value }) => (done ? END : value)),
    async close() {
      await reader.cancel().catch(() => undefined);
      reader.releaseLock();
    },
    rewind: () => false,
  };
}

function pullReader<T>(reader: ResultReader<T>): Pull<T> {
  return {
    async next() {
      const result = await reader.read();
      if (result.ok) return result.value;
      if (isStreamEnded(result.error)) return END;
      throw result.error;
    },
    async close() {
      await reader.close?.();
    },
    rewind: () => false,
  };
}

/** True for promises of any make. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
