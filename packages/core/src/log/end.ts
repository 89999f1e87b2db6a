import { quote, StreamCancelledError, StreamEndedError, StreamFailedError } from './errors.ts';
import { isError } from './is-error.ts';

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

const MAX_NAME_LENGTH = 128;
const MAX_MESSAGE_LENGTH = 4_096;
const MAX_STACK_LENGTH = 8_192;

const cut = (value: unknown, length: number): string => {
  const text = typeof value === 'string' ? value : quote(value);
  return (text.length > length ? text.slice(0, length) : text).toWellFormed();
};

/** Serialises anything thrown. `code` is the error's own `code`, else its name; long messages and stacks are cut. Never throws. */
export function toStreamFailure(thrown: unknown): StreamFailure {
  try {
    return isError(thrown) ? errorFailure(thrown) : { code: 'ERROR', message: cut(thrown, MAX_MESSAGE_LENGTH) };
  } catch {
    // A getter or proxy of what was thrown threw itself.
    return { code: 'ERROR', message: 'The error that was thrown could not be read.' };
  }
}

function errorFailure(thrown: Error): StreamFailure {
  const ownCode = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
  const exposed = 'expose' in thrown && thrown.expose === true;
  return {
    code: cut(ownCode || thrown.name || 'ERROR', MAX_NAME_LENGTH),
    message: cut(thrown.message, MAX_MESSAGE_LENGTH),
    name: cut(thrown.name, MAX_NAME_LENGTH),
    ...(thrown.stack ? { stack: cut(thrown.stack, MAX_STACK_LENGTH) } : {}),
    ...(exposed ? { public: true as const } : {}),
  };
}

/** The part of an end that may leave the server: a failure not marked public becomes a generic one. */
export function publicEnd(end: StreamEnd): StreamEnd {
  const { outcome, error, reason } = end;
  const shown = error?.public ? error : { code: 'INTERNAL', message: 'The producer failed.' };
  return {
    outcome,
    ...(error && { error: { code: shown.code, message: shown.message, public: true as const } }),
    ...(reason !== undefined && { reason }),
  };
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
