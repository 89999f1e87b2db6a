import type { StreamChunkError } from '@perennial/core';

/** What went wrong, where the package itself knows. An error that an actor threw keeps its own code in {@link ActorFailedError.failureCode}. */
export type ActorErrorCode =
  | 'INVALID_ARGUMENT'
  | 'INVALID_CHUNK'
  | 'UNKNOWN_ACTOR'
  | 'DUPLICATE_ACTOR'
  | 'NOT_IMPLEMENTED'
  | 'ABORTED'
  | 'FAILED'
  | 'TIMEOUT'
  | 'RESTARTED'
  | 'WORKER_LOST'
  | 'UNSERIALISABLE'
  | 'LIMIT_EXCEEDED'
  | 'QUEUE_FULL'
  | 'QUEUE_CLOSED'
  | 'QUEUE_ERROR'
  | 'NOT_CONFIGURED'
  | 'AI_REFUSED'
  | 'AI_UNREACHABLE'
  | 'AI_MALFORMED'
  | 'AI_INCOMPLETE'
  | 'AI_TIMEOUT';

/** Base class of the package's errors. Recognise them by `code`, which survives copies of the package. */
export class ActorError<C extends ActorErrorCode = ActorErrorCode> extends Error {
  readonly code: C;

  constructor(code: C, message: string, options?: { readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ActorError';
    this.code = code;
  }
}

/** No actor is registered under the type that was asked for. */
export class UnknownActorError extends ActorError<'UNKNOWN_ACTOR'> {
  readonly actorType: string;

  constructor(actorType: string, known: readonly string[]) {
    const list = known.length === 0 ? 'none is registered' : `registered are ${known.map(quote).join(', ')}`;
    super('UNKNOWN_ACTOR', `There is no actor of type ${quote(actorType)}; ${list}.`);
    this.name = 'UnknownActorError';
    this.actorType = actorType;
  }
}

/** The work ended with an `error` chunk, and somebody asked for its result. */
export class ActorFailedError extends ActorError<'FAILED'> {
  /** The error of the chunk. */
  readonly failure: StreamChunkError;
  /** Code of the actor's own error, such as `TIMEOUT`. */
  readonly failureCode: string;

  constructor(failure: StreamChunkError) {
    super('FAILED', `The actor failed with ${failure.code}: ${failure.message}`);
    this.name = 'ActorFailedError';
    this.failure = failure;
    this.failureCode = failure.code;
  }
}

/** True for an {@link ActorError}, also of another copy of the package. */
export function isActorError(error: unknown, code?: ActorErrorCode): error is ActorError {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  return (code === undefined || error.code === code) && /^(Actor|UnknownActor|ActorFailed|AI)Error$/.test(error.name);
}

/** What becomes of failures that nobody asked to be told of: silence would hide a worker that does nothing. */
export function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : new Error(quote(error)));
}

const MAX_QUOTE_LENGTH = 120;

/** A value for an error message: escaped, and cut so that hostile input cannot flood a log. Never throws. */
export function quote(value: unknown): string {
  let text: string;
  try {
    text = typeof value === 'function' ? `function ${value.name}` : (JSON.stringify(value) ?? String(value));
  } catch {
    text = typeof value === 'bigint' ? String(value) : 'an object';
  }
  return text.length > MAX_QUOTE_LENGTH ? `${text.slice(0, MAX_QUOTE_LENGTH - 3).toWellFormed()}...` : text;
}

/** The error of work whose signal has fired; the signal's reason is its cause. */
export function abortedError(signal: AbortSignal): ActorError<'ABORTED'> {
  const reason: unknown = signal.reason;
  const why = reason instanceof Error && reason.message !== '' ? `: ${reason.message}` : '.';
  return new ActorError('ABORTED', `The run was aborted${why}`, { cause: reason });
}

/** An `INVALID_ARGUMENT` error. */
export function invalid(message: string): ActorError<'INVALID_ARGUMENT'> {
  return new ActorError('INVALID_ARGUMENT', message);
}

/** @throws `INVALID_ARGUMENT` unless `value` is absent or a whole number from `least`. */
export function assertWhole(name: string, value: number | undefined, least = 1): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return;
  throw invalid(`\`${name}\` must be a whole number from ${least}; got ${quote(value)}.`);
}

/** @throws `INVALID_ARGUMENT` unless `value` is an object. */
export function assertObject(name: string, value: unknown): void {
  if (typeof value === 'object' && value !== null) return;
  throw invalid(`\`${name}\` is needed, and must be an object; got ${quote(value)}.`);
}

/** @throws `INVALID_ARGUMENT` unless `value` is a non-empty, well-formed string. */
export function assertName(name: string, value: unknown): asserts value is string {
  if (typeof value === 'string' && value !== '' && value.isWellFormed()) return;
  throw invalid(`\`${name}\` must be a non-empty string; got ${quote(value)}.`);
}
