import { InvalidArgumentError, quote } from './errors.ts';

/** @throws {@link InvalidArgumentError} unless `value` is an integer from 0 to 2^53 - 1. */
export function assertCounter(argument: string, value: unknown): asserts value is number {
  if (!Number.isSafeInteger(value) || Number(value) < 0) {
    throw new InvalidArgumentError(
      argument,
      `\`${argument}\` must be an integer from 0 to 2^53 - 1; got ${show(value)}.`,
    );
  }
}

/** @throws {@link InvalidArgumentError} unless `value` is an integer from 1 to 2^53 - 1. */
export function assertPositive(argument: string, value: unknown): asserts value is number {
  if (!Number.isSafeInteger(value) || Number(value) < 1) {
    throw new InvalidArgumentError(
      argument,
      `\`${argument}\` must be an integer from 1 to 2^53 - 1; got ${show(value)}.`,
    );
  }
}

/**
 * @throws {@link InvalidArgumentError} unless `value` is a well-formed string: a lone surrogate has no UTF-8 form, so that stores would
 * give back something else than they were given.
 */
export function assertText(argument: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || !value.isWellFormed()) {
    throw new InvalidArgumentError(argument, `\`${argument}\` must be a well-formed string; got ${show(value)}.`);
  }
}

/** @throws {@link InvalidArgumentError} unless `value` is a well-formed string with something in it. */
export function assertName(argument: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value === '' || !value.isWellFormed()) {
    throw new InvalidArgumentError(
      argument,
      `\`${argument}\` must be a non-empty, well-formed string; got ${show(value)}.`,
    );
  }
}

/** @throws {@link InvalidArgumentError} unless `value` is an object. */
export function assertObject(argument: string, value: unknown): asserts value is object {
  if (typeof value !== 'object' || value === null) {
    throw new InvalidArgumentError(argument, `\`${argument}\` must be an object; got ${show(value)}.`);
  }
}

/** JSON has no words for `NaN`, `Infinity` and `-0`. */
function show(value: unknown): string {
  return typeof value === 'number' ? String(value) : quote(value);
}
