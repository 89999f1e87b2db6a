import { encodeJson, toStreamFailure } from '@perennial/core';

import { StepFailedError, WorkflowError } from '../errors.ts';
import type { RecordedError } from './notes.ts';

const KNOWN_FIELDS = new Set(['name', 'code', 'message', 'stack', 'cause']);

/**
 * A value as the journal keeps it, and as the body gets it, on the first run as on every replay.
 *
 * @throws {@link WorkflowError} `UNSERIALISABLE` for what JSON cannot carry.
 */
export function recordValue(value: unknown, what: string): unknown {
  if (value === undefined) return undefined;
  try {
    return JSON.parse(encodeJson(value));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new WorkflowError('UNSERIALISABLE', `${what} cannot be kept in the journal. ${why}`, { cause });
  }
}

/** An error as the journal keeps it. Never throws: what JSON cannot carry is left out. */
export function recordError(error: unknown): RecordedError {
  const failure = toStreamFailure(error);
  if (error instanceof StepFailedError)
    return { failure, step: { key: error.step, n: error.attempt, error: recordError(error.error) } };
  if (error instanceof Error) {
    const fields = Object.fromEntries(
      Object.entries(error)
        .filter(([name]) => !KNOWN_FIELDS.has(name))
        .flatMap(([name, value]) => {
          const kept = tryRecord(value);
          return kept === undefined ? [] : [[name, kept]];
        }),
    );
    return Object.keys(fields).length > 0 ? { failure, fields } : { failure };
  }
  const value = tryRecord(error);
  return value === undefined ? { failure } : { failure, value };
}

/** The error that {@link recordError} kept: an `Error` with the same name, code, message and fields, or the value. */
export function restoreError({ failure, fields, value, step }: RecordedError): unknown {
  if (value !== undefined) return value;
  if (step)
    return new StepFailedError(step.key, step.n, { error: restoreError(step.error), failure: step.error.failure });
  const error = new Error(failure.message);
  error.name = failure.name ?? 'Error';
  if (failure.stack !== undefined) error.stack = failure.stack;
  return Object.assign(error, fields, { code: failure.code }, failure.public ? { expose: true } : {});
}

function tryRecord(value: unknown): unknown {
  try {
    return recordValue(value, 'A value');
  } catch {
    return undefined;
  }
}
