/**
 * What the exit code of `perennial` says. Scripts rely on the numbers: they are only ever added to.
 *
 * 10 and up are not failures of the command: it did what it was asked to, and reports what became of the stream or the actor.
 */
export const EXIT = {
  ok: 0,
  /** Anything without a code of its own. */
  failure: 1,
  /** Arguments, input or configuration that make no sense. Nothing was done. */
  usage: 2,
  /** There is no such stream, actor or folder. */
  notFound: 3,
  /** The server or store cannot be reached, or failed. */
  unavailable: 4,
  /** Another process writes to the file store. */
  locked: 5,
  /** The server refuses: wrong token, or not allowed. */
  forbidden: 6,
  /** The stream's state refuses: it has ended, was taken over, or is of another kind. */
  refused: 7,
  /** The stream or actor ended as failed. */
  endedFailed: 10,
  /** The stream or actor ended as cancelled. */
  endedCancelled: 11,
  /** Ctrl-C. */
  interrupted: 130,
  /** SIGTERM. */
  terminated: 143,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit code of a command that a signal stopped; the reason of `signal` is the signal's name. */
export function stoppedCode(signal: AbortSignal): ExitCode {
  return signal.reason === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
}

/** The part of the help that explains the exit codes. */
export const EXIT_CODE_HELP = `Exit codes:
  0    done; for tail and actor run: the end is "completed"
  1    failed in a way that has no code below
  2    arguments, input or configuration make no sense
  3    there is no such stream, actor or folder
  4    the server or store cannot be reached, or failed
  5    another process writes to the file store
  6    the server refuses the token or the action
  7    the stream refuses: it has ended, or is of another kind
  10   tail, actor run: ended as failed
  11   tail, actor run: ended as cancelled
  130  stopped by Ctrl-C
  143  stopped by SIGTERM`;
