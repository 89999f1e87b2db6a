import { quote, StreamCancelledError, StreamEndedError, StreamFailedError } from './errors.ts';

/** How a stream ended. */
export type StreamOutcome = 'completed' | 'failed' | 'cancelled';

/** A failure as the log keeps it (PROTOCOL.md, "The end"). Only `code` and `message` may leave the server, and only when `public`. */
export interface StreamFailure {
  /** Machine-readable, such as `TIMEOUT` or `PRODUCER_LOST`. */
  readonly code: string;
  readonly message: string;
  readonly name?: string;
  readonly stack?: string;
  /** True when `code` and `message` are meant for the reader's eyes. */
  readonly public?: true;
}

/** The one terminal state of a stream. It is written through the same ordered, fenced path as data and never changes. */
export interface StreamEnd {
  readonly outcome: StreamOutcome;
  /** With `failed`. */
  readonly error?: StreamFailure;
  /** With `cancelled`. */
  readonly reason?: string;
}

/** An error whose code and message readers may see, also over HTTP. */
export class PublicError extends Error {
  readonly code: string;
  /** The convention by which HTTP libraries mark errors that are safe to show. */
  readonly expose = true as const;

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PublicError';
    this.code = code;
  }
}

const MAX_MESSAGE_LENGTH = 4_096;
const MAX_STACK_LENGTH = 8_192;
const cut = (text: string, length: number): string =>
  text.length > length ? text.slice(0, length).toWellFormed() : text.toWellFormed();

/** Serialises anything thrown. `code` is the error's own `code`, else its name; long messages and stacks are cut. */
export function toStreamFailure(thrown: unknown): StreamFailure {
  if (!(thrown instanceof Error)) {
    return { code: 'ERROR', message: cut(typeof thrown === 'string' ? thrown : quote(thrown), MAX_MESSAGE_LENGTH) };
  }
  const code =
    'code' in thrown && typeof thrown.code === 'string' && thrown.code !== '' ? thrown.code : thrown.name || 'ERROR';
  const exposed = 'expose' in thrown && thrown.expose === true;
  return {
    code: cut(code, 128),
    message: cut(thrown.message, MAX_MESSAGE_LENGTH),
    name: cut(thrown.name, 128),
    ...(thrown.stack ? { stack: cut(thrown.stack, MAX_STACK_LENGTH) } : {}),
    ...(exposed ? { public: true as const } : {}),
  };
}

/** The part of an end that may leave the server: a failure not marked public becomes a generic one. */
export function publicEnd(end: StreamEnd): StreamEnd {
  if (!end.error) return end;
  if (end.error.public)
    return { outcome: end.outcome, error: { code: end.error.code, message: end.error.message, public: true } };
  return { outcome: end.outcome, error: { code: 'INTERNAL', message: 'The producer failed.', public: true } };
}

/** The error a reader reports once it has read everything up to an end. */
export function endError(
  end: StreamEnd,
  finalPosition: number,
): StreamEndedError | StreamFailedError | StreamCancelledError {
  switch (end.outcome) {
    case 'completed':
      return new StreamEndedError(finalPosition, end);
    case 'failed':
      return new StreamFailedError(finalPosition, end);
    case 'cancelled':
      return new StreamCancelledError(finalPosition, end);
  }
}
