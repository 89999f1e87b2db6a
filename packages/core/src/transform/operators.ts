import { InvalidArgumentError, quote } from '../log/errors.ts';
import { flattened } from './flattened.ts';
import { addStage, SKIP, type Stage, type TransformedStream } from './fused.ts';
import { createPullIterator } from './pull-iterator.ts';
import { PULL } from './pull.ts';
import { isThenable, type Source, toPull } from './source.ts';

/** Makes an async iterable of any source. Iteration throws the source's typed errors, and closes it when left early. */
export function toAsyncIterable<T>(source: Source<T>): TransformedStream<T> {
  return { [PULL]: () => toPull(source), [Symbol.asyncIterator]: () => createPullIterator(toPull(source)) };
}

/** Transforms each value; `fn` may be async. */
export function map<T, R>(
  source: Source<T>,
  fn: (value: T, index: number) => R | PromiseLike<R>,
): TransformedStream<R> {
  assertFunction('fn', fn);
  return addStage(source, () => {
    let index = 0;
    return typed<T>((value) => awaited(fn(value, index++)));
  });
}

/** Keeps the values for which `predicate` holds; it may be async. */
export function filter<T, S extends T>(
  source: Source<T>,
  predicate: (value: T, index: number) => value is S,
): TransformedStream<S>;
export function filter<T>(
  source: Source<T>,
  predicate: (value: T, index: number) => boolean | PromiseLike<boolean>,
): TransformedStream<T>;
export function filter<T>(
  source: Source<T>,
  predicate: (value: T, index: number) => boolean | PromiseLike<boolean>,
): TransformedStream<T> {
  assertFunction('predicate', predicate);
  return addStage(source, () => {
    let index = 0;
    return typed<T>((value) => when(predicate(value, index++), (keep) => (keep ? value : SKIP)));
  });
}

/** Maps each value to an iterable, sync or async, and passes on its values one by one. */
export function flatMap<T, R>(
  source: Source<T>,
  fn: (value: T, index: number) => Iterable<R> | AsyncIterable<R> | PromiseLike<Iterable<R> | AsyncIterable<R>>,
): TransformedStream<R> {
  assertFunction('fn', fn);
  return flattened<R>(map(source, fn));
}

/** Groups values into arrays of `size`; the last may be shorter. */
export function chunk<T>(source: Source<T>, size: number): TransformedStream<T[]> {
  assertCount('size', size, 1);
  return addStage(source, () => {
    let group: T[] = [];
    const complete = (): T[] => {
      const full = group;
      group = [];
      return full;
    };
    return {
      ...typed<T>((value) => {
        group.push(value);
        return group.length === size ? complete() : SKIP;
      }),
      flush: () => (group.length > 0 ? complete() : SKIP),
    };
  });
}

/** Passes on the first `count` values, then closes the source. `take(source, 0)` pulls nothing. */
export function take<T>(source: Source<T>, count: number): TransformedStream<T> {
  assertCount('count', count, 0);
  return addStage(source, () => {
    let left = count;
    const stage: Stage = {
      done: left === 0,
      apply(value) {
        stage.done = --left === 0;
        return value;
      },
    };
    return stage;
  });
}

/** Drops the first `count` values. */
export function skip<T>(source: Source<T>, count: number): TransformedStream<T> {
  assertCount('count', count, 0);
  return addStage(source, () => {
    let left = count;
    return typed<T>((value) => (left > 0 ? (left--, SKIP) : value));
  });
}

/** Passes values on until `predicate` fails, then closes the source. */
export function takeWhile<T>(
  source: Source<T>,
  predicate: (value: T, index: number) => boolean | PromiseLike<boolean>,
): TransformedStream<T> {
  assertFunction('predicate', predicate);
  return addStage(source, () => {
    let index = 0;
    const stage: Stage = {
      done: false,
      ...typed<T>((value) =>
        when(predicate(value, index++), (keep) => {
          stage.done = !keep;
          return keep ? value : SKIP;
        }),
      ),
    };
    return stage;
  });
}

/** Drops values as long as `predicate` holds. */
export function skipWhile<T>(
  source: Source<T>,
  predicate: (value: T, index: number) => boolean | PromiseLike<boolean>,
): TransformedStream<T> {
  assertFunction('predicate', predicate);
  return addStage(source, () => {
    let index = 0;
    let skipping = true;
    return typed<T>((value) => {
      if (!skipping) return value;
      return when(predicate(value, index++), (drop) => {
        skipping = drop;
        return drop ? SKIP : value;
      });
    });
  });
}

/** A stage whose input type is known at its call site: the chain itself carries values as `unknown`. */
function typed<T>(apply: (value: T) => unknown): Stage {
  return { apply };
}

function awaited(value: unknown): unknown {
  return isThenable(value) ? Promise.resolve(value) : value;
}

function when<R>(condition: boolean | PromiseLike<boolean>, then: (holds: boolean) => R): R | Promise<R> {
  return isThenable(condition) ? Promise.resolve(condition).then(then) : then(condition);
}

function assertCount(name: string, value: number, least: number): void {
  if (!(Number.isSafeInteger(value) && value >= least)) {
    throw new InvalidArgumentError(
      name,
      `\`${name}\` must be a whole number from ${least}; got ${typeof value === 'number' ? value : quote(value)}.`,
    );
  }
}

function assertFunction(name: string, value: unknown): void {
  if (typeof value !== 'function')
    throw new InvalidArgumentError(name, `\`${name}\` must be a function; got ${quote(value)}.`);
}
