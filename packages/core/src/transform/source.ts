import { InvalidArgumentError, isStreamEnded, quote } from '../log/errors.ts';
import type { Result } from '../result.ts';
import { END, PULL, type Pull, type Pullable, type Receiver, WAIT } from './pull.ts';

/** Anything with a Result-returning `read()`: a reader of this library, or one that looks like it. */
export interface ResultReader<T> {
  read(): Promise<Result<T, unknown>>;
  close?(): unknown;
}

/** What the transformers read from. Arrays and other iterables count; strings do not. */
export type Source<T> = AsyncIterable<T> | ReadableStream<T> | Iterable<T> | ResultReader<T> | Pullable<T>;

/**
 * The one front door for sources.
 *
 * @throws {@link InvalidArgumentError} for a value that is none.
 */
export function toPull<T>(source: Source<T>): Pull<T> {
  if (typeof source === 'object' && source !== null) {
    if (PULL in source) return source[PULL]();
    // Before its own async iterator, whose return() would wait for a pending read.
    if (source instanceof ReadableStream) return pullReadable(source);
    if (Symbol.asyncIterator in source) return pullIterator(source[Symbol.asyncIterator]());
    if (Array.isArray(source)) return pullArray<T>(source);
    if (Symbol.iterator in source) return pullIterator(source[Symbol.iterator]());
    if ('read' in source && typeof source.read === 'function') return pullReader(source);
  }
  throw new InvalidArgumentError(
    'source',
    `A source is a reader, an (async) iterable or a ReadableStream; got ${quote(source)}.`,
  );
}

/** Arrays need no iterator, whose result objects would cost as much as three stages. */
function pullArray<T>(values: readonly (T | PromiseLike<T>)[]): Pull<T> {
  let index = 0;
  let closed = false;
  return {
    next(receiver) {
      if (closed || index >= values.length) return END;
      const value = values[index++] as T | PromiseLike<T>;
      if (!isThenable(value)) return value;
      value.then(
        (settled) => closed || receiver.onValue(settled),
        (error: unknown) => closed || receiver.onError(error),
      );
      return WAIT;
    },
    close() {
      closed = true;
    },
    rewind: () => false,
  };
}

function pullIterator<T>(iterator: AsyncIterator<T> | Iterator<T | PromiseLike<T>>): Pull<T> {
  let receiver: Receiver<T> | null = null;
  let closed = false;
  // One pair of callbacks for all values: a closure for each would cost more than a stage.
  const take = (): Receiver<T> | null => {
    const waiting = receiver;
    receiver = null;
    return closed ? null : waiting;
  };
  const onStep = ({ done, value }: IteratorResult<T>): void => {
    const waiting = take();
    // An iterator that has ended or thrown is closed already: return() is for one that is left.
    if (done) closed = true;
    if (done) waiting?.onEnd();
    else waiting?.onValue(value);
  };
  const onValue = (value: T): void => take()?.onValue(value);
  const onRejected = (error: unknown): void => take()?.onError(error);
  const onError = (error: unknown): void => {
    const waiting = take();
    closed = true;
    waiting?.onError(error);
  };
  return {
    next(waiting) {
      if (closed) return END;
      const step = iterator.next();
      if ('then' in step) {
        receiver = waiting;
        step.then(onStep, onError);
        return WAIT;
      }
      if (step.done) {
        closed = true;
        return END;
      }
      if (!isThenable(step.value)) return step.value;
      receiver = waiting;
      step.value.then(onValue, onRejected);
      return WAIT;
    },
    close() {
      if (closed) return undefined;
      closed = true;
      const closing = iterator.return?.();
      if (!closing || !('then' in closing)) return undefined;
      // A generator answers return() only after its pending next(), which may never come: ask, but do not wait for it.
      if (!receiver) return closing.then(() => undefined);
      closing.then(undefined, () => undefined);
      return undefined;
    },
    rewind: () => false,
  };
}

function pullReadable<T>(stream: ReadableStream<T>): Pull<T> {
  const reader = stream.getReader();
  return {
    next(receiver) {
      void reader.read().then(
        ({ done, value }) => (done ? receiver.onEnd() : receiver.onValue(value)),
        (error: unknown) => receiver.onError(error),
      );
      return WAIT;
    },
    async close() {
      await reader.cancel().catch(() => undefined);
      reader.releaseLock();
    },
    rewind: () => false,
  };
}

function pullReader<T>(reader: ResultReader<T>): Pull<T> {
  return {
    next(receiver) {
      void reader.read().then(
        (result) => {
          if (result.ok) receiver.onValue(result.value);
          else if (isStreamEnded(result.error)) receiver.onEnd();
          else receiver.onError(result.error);
        },
        (error: unknown) => receiver.onError(error),
      );
      return WAIT;
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
