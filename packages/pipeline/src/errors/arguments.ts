import { PipelineError } from './streaming-error.ts';

/** @throws `INVALID_ARGUMENT` unless `value` is a whole number from `least` on. */
export function assertWhole(name: string, value: unknown, least: number): asserts value is number {
  if (Number.isSafeInteger(value) && Number(value) >= least) return;
  throw invalid(`\`${name}\` must be a whole number from ${least}; got ${show(value)}.`);
}

/** @throws `INVALID_ARGUMENT` unless `value` is absent or a number from 0 to `most`. */
export function assertNumber(name: string, value: unknown, most: number = Number.MAX_VALUE): void {
  if (value === undefined || (typeof value === 'number' && value >= 0 && value <= most)) return;
  throw invalid(
    `\`${name}\` must be a number ${most === Number.MAX_VALUE ? 'from 0' : `from 0 to ${most}`}; got ${show(value)}.`,
  );
}

/** @throws `INVALID_ARGUMENT` unless `value` is a function. */
export function assertFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw invalid(`\`${name}\` must be a function; got ${show(value)}.`);
}

/** @throws `INVALID_ARGUMENT` unless `value` is a string with something in it. */
export function assertText(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value === '')
    throw invalid(`\`${name}\` must be a non-empty string; got ${show(value)}.`);
}

/** An `INVALID_ARGUMENT` error. */
export function invalid(message: string): PipelineError {
  return new PipelineError('INVALID_ARGUMENT', message);
}

/** A value for an error message, cut so that hostile input cannot flood a log. */
export function show(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    text = String(value);
  }
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
