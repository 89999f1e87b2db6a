import { isStreamError, type StreamErrorCode } from '@perennial/core';

import { EXIT, type ExitCode } from './exit-codes.ts';

/** What went wrong on the way to doing what a command was asked for. */
export type CliErrorCode =
  | 'USAGE'
  | 'INPUT'
  | 'CONFIG'
  | 'NO_TARGET'
  | 'NOT_CONFIRMED'
  | 'UNSAFE_HOST'
  | 'PORT_IN_USE'
  | 'UNKNOWN_ACTOR'
  | 'NO_DIRECTORY';

/** Fields of a {@link CliError}. */
export interface CliErrorOptions {
  /** What to do about it. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Base class of the errors of the command line. Recognise them by `code`. */
export class CliError extends Error {
  readonly code: CliErrorCode;
  /** What to do about it; printed below the message. */
  readonly hint: string | undefined;

  constructor(code: CliErrorCode, message: string, { hint, cause }: CliErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CliError';
    this.code = code;
    this.hint = hint;
  }
}

/** A `perennial.config.ts` that cannot be loaded or makes no sense. */
export class ConfigError extends CliError {
  /** Path of the file. */
  readonly file: string;
  /** The field at fault, such as `store.directory`; null when the file could not be loaded at all. */
  readonly field: string | null;

  constructor(file: string, field: string | null, problem: string, options: CliErrorOptions = {}) {
    super('CONFIG', field === null ? `${file}: ${problem}` : `${file}: \`${field}\` ${problem}`, options);
    this.name = 'ConfigError';
    this.file = file;
    this.field = field;
  }
}

/** How a failure is told to whoever called the command. */
export interface Failure {
  readonly exitCode: ExitCode;
  readonly message: string;
  readonly hint: string | undefined;
}

/** Turns anything thrown into what is printed, and the exit code. */
export function toFailure(error: unknown): Failure {
  if (error instanceof CliError) return { exitCode: exitCodeOf(error.code), message: error.message, hint: error.hint };
  if (isStreamError(error)) {
    return { exitCode: streamExitCode(error.code), message: withCause(error), hint: streamHint(error.code) };
  }
  const message = error instanceof Error ? error.message || error.name : String(error);
  return { exitCode: EXIT.failure, message, hint: undefined };
}

/** `fetch` says no more than that it failed; what it failed of is some causes below. */
function withCause(error: Error): string {
  let deepest: unknown = error;
  for (let depth = 0; deepest instanceof Error && deepest.cause !== undefined && depth < 10; depth++)
    deepest = deepest.cause;
  if (!(deepest instanceof Error) || deepest === error) return error.message;
  const reason = deepest.message || ('code' in deepest ? String(deepest.code) : deepest.name);
  return error.message.includes(reason) ? error.message : `${error.message} (${reason})`;
}

function exitCodeOf(code: CliErrorCode): ExitCode {
  switch (code) {
    case 'UNKNOWN_ACTOR':
    case 'NO_DIRECTORY':
      return EXIT.notFound;
    case 'PORT_IN_USE':
      return EXIT.failure;
    case 'USAGE':
    case 'INPUT':
    case 'CONFIG':
    case 'NO_TARGET':
    case 'NOT_CONFIRMED':
    case 'UNSAFE_HOST':
      return EXIT.usage;
  }
}

/** The exit code for an error of a store, a server or a stream. */
function streamExitCode(code: StreamErrorCode): ExitCode {
  switch (code) {
    case 'NOT_FOUND':
    case 'GAP':
      return EXIT.notFound;
    case 'STORE_ERROR':
    case 'STORE_FULL':
    case 'STORE_CLOSED':
    case 'TIMEOUT':
      return EXIT.unavailable;
    case 'STORE_LOCKED':
      return EXIT.locked;
    case 'FORBIDDEN':
      return EXIT.forbidden;
    case 'FENCED':
    case 'STALE_EPOCH':
    case 'CLOSED':
    case 'ENDED':
    case 'CONTENT_TYPE':
    case 'SEQUENCE_GAP':
    case 'SEQUENCE_REGRESSION':
    case 'CONFLICT':
    case 'EXISTS':
      return EXIT.refused;
    case 'FAILED':
      return EXIT.endedFailed;
    case 'CANCELLED':
      return EXIT.endedCancelled;
    case 'INVALID_ARGUMENT':
    case 'LIMIT_EXCEEDED':
    case 'UNSERIALISABLE':
      return EXIT.usage;
    case 'SUPERSEDED':
    case 'ABORTED':
    case 'READER_CLOSED':
    case 'UNSUPPORTED':
    case 'CORRUPT':
      return EXIT.failure;
  }
}

function streamHint(code: StreamErrorCode): string | undefined {
  if (code === 'STORE_LOCKED')
    return 'If that process serves its streams over HTTP, write through it: --url http://…, or `store.url` in perennial.config.ts. A process started with `perennial serve --dir` is found without either.';
  if (code === 'FORBIDDEN') return "Pass the server's token in PERENNIAL_TOKEN or with --token.";
  return undefined;
}
