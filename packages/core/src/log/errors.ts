import type { StreamEnd } from './end.ts';
import { isError } from './is-error.ts';

/**
 * What went wrong, independent of the store that reported it (PROTOCOL.md, "Errors").
 *
 * The append rules use `FENCED` to `CONFLICT`, in that order of checking.
 */
export type StreamErrorCode =
  | 'FENCED'
  | 'STALE_EPOCH'
  | 'CLOSED'
  | 'CONTENT_TYPE'
  | 'SEQUENCE_GAP'
  | 'SEQUENCE_REGRESSION'
  | 'CONFLICT'
  | 'NOT_FOUND'
  | 'EXISTS'
  | 'GAP'
  | 'ENDED'
  | 'FAILED'
  | 'CANCELLED'
  | 'SUPERSEDED'
  | 'TIMEOUT'
  | 'ABORTED'
  | 'READER_CLOSED'
  | 'UNSERIALISABLE'
  | 'INVALID_ARGUMENT'
  | 'LIMIT_EXCEEDED'
  | 'FORBIDDEN'
  | 'UNSUPPORTED'
  | 'WRITER_CONTEXT_LOST'
  | 'STORE_LOCKED'
  | 'STORE_FULL'
  | 'STORE_CLOSED'
  | 'STORE_ERROR'
  | 'CORRUPT';

/** Options of {@link StreamError}. */
export interface StreamErrorOptions {
  /** The failure below this one. */
  readonly cause?: unknown;
}

/** Base class of every error of the stream packages. Recognise errors by `code`, which survives realms and copies of the package. */
export class StreamError<C extends StreamErrorCode = StreamErrorCode> extends Error {
  readonly code: C;
  /** `STREAM_` + code: the discriminant of the error unions that readers return. */
  readonly type: `STREAM_${C}`;

  constructor(code: C, message: string, options?: StreamErrorOptions) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'StreamError';
    this.code = code;
    this.type = `STREAM_${code}`;
  }

  /** True when the same call may succeed later without any change by the caller. */
  get retryable(): boolean {
    return this.code === 'STORE_ERROR' || this.code === 'TIMEOUT' || this.code === 'STORE_FULL';
  }
}

/** An argument or option that no store could honour; the message names the value. */
export class InvalidArgumentError extends StreamError<'INVALID_ARGUMENT'> {
  /** Name of the offending argument or option. */
  readonly argument: string;

  constructor(argument: string, message: string) {
    super('INVALID_ARGUMENT', message);
    this.argument = argument;
  }
}

/** The stream does not exist, was deleted or has expired. */
export class StreamNotFoundError extends StreamError<'NOT_FOUND'> {
  readonly streamId: string;
  /** It was deleted or has expired, and forks still read its records: the id cannot be used again before they are gone. */
  readonly retained: boolean;

  constructor(streamId: string, { retained = false }: { readonly retained?: boolean } = {}) {
    super(
      'NOT_FOUND',
      retained
        ? `Stream ${quote(streamId)} was deleted or has expired; only its forks can read its records any more.`
        : `Stream ${quote(streamId)} does not exist. Create it first, or check the id; a deleted or expired stream counts as absent.`,
    );
    this.streamId = streamId;
    this.retained = retained;
  }
}

/** The stream exists with another configuration than the one asked for. */
export class StreamExistsError extends StreamError<'EXISTS'> {
  readonly streamId: string;

  constructor(streamId: string, difference: string) {
    super('EXISTS', `Stream ${quote(streamId)} already exists with another configuration: ${difference}.`);
    this.streamId = streamId;
  }
}

/** A writer whose fencing token was overtaken. Nothing was written; the writer must stop. */
export class StreamFencedError extends StreamError<'FENCED'> {
  readonly streamId: string;
  /** The token the request carried. */
  readonly token: number;
  /** The token the stream holds now. */
  readonly currentToken: number;

  constructor(streamId: string, token: number, currentToken: number) {
    super(
      'FENCED',
      `Fencing token ${token} of stream ${quote(streamId)} was overtaken by ${currentToken}: another writer owns the stream now.`,
    );
    this.streamId = streamId;
    this.token = token;
    this.currentToken = currentToken;
  }
}

/** The wanted position was removed by retention. Resume at `earliestPosition`. */
export class StreamGapError extends StreamError<'GAP'> {
  readonly streamId: string;
  readonly requestedPosition: number;
  readonly earliestPosition: number;

  constructor(streamId: string, requestedPosition: number, earliestPosition: number) {
    super(
      'GAP',
      `Position ${requestedPosition} of stream ${quote(streamId)} is no longer retained; the earliest position is ${earliestPosition}.`,
    );
    this.streamId = streamId;
    this.requestedPosition = requestedPosition;
    this.earliestPosition = earliestPosition;
  }
}

/** The reader has read everything and the stream completed. */
export class StreamEndedError extends StreamError<'ENDED'> {
  readonly finalPosition: number;
  readonly end: StreamEnd;

  constructor(finalPosition: number, end: StreamEnd) {
    super('ENDED', `The stream completed at position ${finalPosition}.`);
    this.finalPosition = finalPosition;
    this.end = end;
  }
}

/** The reader has read everything and the stream ended as failed: what was read is not the whole answer. */
export class StreamFailedError extends StreamError<'FAILED'> {
  readonly finalPosition: number;
  readonly end: StreamEnd;
  /** Code of the producer's failure, such as `PRODUCER_LOST` or `TIMEOUT`. */
  readonly failureCode: string;

  constructor(finalPosition: number, end: StreamEnd) {
    const code = end.error?.code ?? 'ERROR';
    super(
      'FAILED',
      `The stream failed at position ${finalPosition} with ${code}: ${end.error?.message ?? 'no message'}`,
    );
    this.finalPosition = finalPosition;
    this.end = end;
    this.failureCode = code;
  }
}

/** The reader has read everything and the stream was cancelled: what was read is not the whole answer. */
export class StreamCancelledError extends StreamError<'CANCELLED'> {
  readonly finalPosition: number;
  readonly end: StreamEnd;
  readonly reason: string | undefined;

  constructor(finalPosition: number, end: StreamEnd) {
    super(
      'CANCELLED',
      `The stream was cancelled at position ${finalPosition}${end.reason === undefined ? '' : `: ${end.reason}`}.`,
    );
    this.finalPosition = finalPosition;
    this.end = end;
    this.reason = end.reason;
  }
}

/** Values this reader has already handed out were retracted by a later attempt of their step. Reading may go on. */
export class StreamSupersededError extends StreamError<'SUPERSEDED'> {
  readonly step: string;
  /** Data of attempts below this number is no longer part of the stream's live view. */
  readonly belowAttempt: number;
  /** Position of the supersede record. */
  readonly position: number;

  constructor(step: string, belowAttempt: number, position: number) {
    super(
      'SUPERSEDED',
      `Values of step ${quote(step)} before attempt ${belowAttempt} were retracted at position ${position}. Drop them, or pass \`onSupersede\`.`,
    );
    this.step = step;
    this.belowAttempt = belowAttempt;
    this.position = position;
  }
}

/** No record arrived within `pollTimeout`. The stream is still open; reading may go on. */
export class StreamTimeoutError extends StreamError<'TIMEOUT'> {
  readonly position: number;
  readonly timeoutMs: number;

  constructor(position: number, timeoutMs: number) {
    super('TIMEOUT', `No record at position ${position} within ${timeoutMs} ms. The stream is still open.`);
    this.position = position;
    this.timeoutMs = timeoutMs;
  }
}

/** Why a writer refused a call: its own state (`closed`, `aborted`), the value, the caller's context, another owner, or the store. */
export type StreamWriteErrorReason =
  | 'closed'
  | 'aborted'
  | 'fenced'
  | 'conflict'
  | 'unserialisable'
  | 'context_lost'
  | 'store_error';

/** The reason that a failure with this code is to a writer. */
export function writeErrorReason(code: StreamErrorCode): StreamWriteErrorReason {
  switch (code) {
    case 'CLOSED':
      return 'closed';
    case 'ABORTED':
      return 'aborted';
    case 'FENCED':
    case 'STALE_EPOCH':
      return 'fenced';
    case 'CONFLICT':
    case 'EXISTS':
      return 'conflict';
    case 'UNSERIALISABLE':
      return 'unserialisable';
    case 'WRITER_CONTEXT_LOST':
      return 'context_lost';
    default:
      return 'store_error';
  }
}

/** Fields of a {@link StreamWriteError}. */
export interface StreamWriteErrorOptions extends StreamErrorOptions {
  readonly reason: StreamWriteErrorReason;
  readonly code: StreamErrorCode;
  readonly position: number;
}

/** What {@link StreamWriter} calls return when they fail. `cause` is the error below, where there is one. */
export class StreamWriteError extends Error {
  readonly type = 'STREAM_WRITE_ERROR' as const;
  readonly code: StreamErrorCode;
  readonly reason: StreamWriteErrorReason;
  /** Position the writer had reached. */
  readonly position: number;

  constructor(message: string, { reason, code, position, cause }: StreamWriteErrorOptions) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StreamWriteError';
    this.reason = reason;
    this.code = code;
    this.position = position;
  }
}

/** Every error a reader may return from `read()` or throw from iteration, discriminated by `type`. */
export type StreamReadError =
  | StreamEndedError
  | StreamFailedError
  | StreamCancelledError
  | StreamSupersededError
  | StreamTimeoutError
  | StreamGapError
  | StreamNotFoundError
  | StreamError<'ABORTED'>
  | StreamError<'READER_CLOSED'>
  | StreamError<'FORBIDDEN'>
  | StreamError<'STORE_ERROR'>;

const hasCode = (error: unknown, code: StreamErrorCode): boolean => isStreamError(error) && error.code === code;

/** True for a {@link StreamError}, also of another copy of the package or another realm. A {@link StreamWriteError} is none. */
export function isStreamError(error: unknown): error is StreamError {
  return (
    isError(error) &&
    'code' in error &&
    'type' in error &&
    typeof error.code === 'string' &&
    error.type === `STREAM_${error.code}`
  );
}
/** True when a read failed because the stream completed. */
export function isStreamEnded(error: unknown): error is StreamEndedError {
  return hasCode(error, 'ENDED');
}
/** True when a read failed because the producer failed. */
export function isStreamFailed(error: unknown): error is StreamFailedError {
  return hasCode(error, 'FAILED');
}
/** True when a read failed because the stream was cancelled. */
export function isStreamCancelled(error: unknown): error is StreamCancelledError {
  return hasCode(error, 'CANCELLED');
}
/** True when a read reports that values handed out before were retracted. */
export function isStreamSuperseded(error: unknown): error is StreamSupersededError {
  return hasCode(error, 'SUPERSEDED');
}
/** True when a read waited `pollTimeout` in vain. */
export function isStreamTimeout(error: unknown): error is StreamTimeoutError {
  return hasCode(error, 'TIMEOUT');
}
/** True when the wanted position is no longer retained. */
export function isStreamGap(error: unknown): error is StreamGapError {
  return hasCode(error, 'GAP');
}
/** True when the stream does not exist. */
export function isStreamNotFound(error: unknown): error is StreamNotFoundError {
  return hasCode(error, 'NOT_FOUND');
}
/** True when the stream was deleted or has expired, and forks still read its records: its id stays taken. */
export function isStreamRetained(error: unknown): error is StreamNotFoundError {
  return isStreamNotFound(error) && error.retained;
}
/** True for the errors that writers return. */
export function isStreamWriteError(error: unknown): error is StreamWriteError {
  return isError(error) && 'type' in error && error.type === 'STREAM_WRITE_ERROR';
}

const MAX_QUOTE_LENGTH = 120;

/** Quotes a value for an error message: escaped, and cut so that hostile input cannot flood a log. Never throws. */
export function quote(value: unknown): string {
  const text = describe(value);
  return text.length > MAX_QUOTE_LENGTH ? `${text.slice(0, MAX_QUOTE_LENGTH - 3).toWellFormed()}...` : text;
}

function describe(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // Bigints and cycles have no JSON; an object may even lack a way to become a string.
    return typeof value === 'bigint' ? String(value) : 'an object';
  }
}

/** Turns anything thrown below the store port into a {@link StreamError}, keeping one that already is. */
export function toStoreError(error: unknown, doing: string): StreamError {
  if (isStreamError(error)) return error;
  const message = isError(error) ? error.message : typeof error === 'string' ? error : quote(error);
  return new StreamError('STORE_ERROR', `The store failed while ${doing}: ${message}`, { cause: error });
}
