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
