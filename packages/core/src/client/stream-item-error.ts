import { StreamError } from '../log/errors.ts';

/** A value that does not fit the schema, or that the reducer threw at. Nothing after it is taken until `reconnect()`. */
export class StreamItemError extends StreamError<'CORRUPT'> {
  /** Position of the value. */
  readonly position: number;
  /** What the schema said: message and path of each issue. Empty when the reducer threw. */
  readonly issues: readonly StreamItemIssue[];

  constructor(
    position: number,
    message: string,
    { issues = [], cause }: { readonly issues?: readonly StreamItemIssue[]; readonly cause?: unknown },
  ) {
    super('CORRUPT', `The value at position ${position} ${message}`, { cause });
    this.position = position;
    this.issues = issues;
  }
}

/** One complaint of a schema. */
export interface StreamItemIssue {
  readonly message: string;
  /** Where in the value, such as `author.name`; empty for the value itself. */
  readonly path: string;
}

/** True when a value did not fit the schema or the reducer threw at it. */
export function isStreamItemError(error: unknown): error is StreamItemError {
  return (
    error instanceof Error && 'code' in error && error.code === 'CORRUPT' && 'issues' in error && 'position' in error
  );
}
