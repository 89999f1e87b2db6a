import { isStreamError, type StreamErrorCode } from '@perennial/core';

import { CliError, type CliErrorCode } from './errors.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

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
