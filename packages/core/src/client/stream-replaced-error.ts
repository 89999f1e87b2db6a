import { quote, StreamError } from '../log/errors.ts';

/** The stream that was being read was deleted; another one lives under its id now, so positions in the old one mean nothing. */
export class StreamReplacedError extends StreamError<'NOT_FOUND'> {
  readonly streamId: string;
  /** Incarnation that was being read. */
  readonly expected: string;
  /** Incarnation that is there now. */
  readonly found: string;

  constructor(streamId: string, expected: string, found: string) {
    super(
      'NOT_FOUND',
      `Stream ${quote(streamId)} was deleted and created anew: its incarnation is ${quote(found)}, not ${quote(expected)}. Start again from position 0.`,
    );
    this.streamId = streamId;
    this.expected = expected;
    this.found = found;
  }
}

/** True when a stream was deleted and created anew while it was read. */
export function isStreamReplaced(error: unknown): error is StreamReplacedError {
  return (
    error instanceof Error && 'code' in error && error.code === 'NOT_FOUND' && 'found' in error && 'expected' in error
  );
}
