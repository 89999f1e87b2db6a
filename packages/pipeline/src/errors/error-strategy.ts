/** What a step does with an item that failed, after its retries. */
export const StreamingErrorStrategy = {
  /** The run throws the error. The default. */
  FAIL_FAST: 'FAIL_FAST',
  /** The item is dropped and counted. */
  SKIP_FAILED: 'SKIP_FAILED',
  /** As `SKIP_FAILED`, and the first 1,000 errors are in the step's metadata. */
  COLLECT_ERRORS: 'COLLECT_ERRORS',
  /** As `SKIP_FAILED`, and the errors come out of `run.errors` while the run goes on. */
  SPLIT_ERRORS: 'SPLIT_ERRORS',
} as const;

/** One of {@link StreamingErrorStrategy}'s values; the plain strings do as well. */
export type StreamingErrorStrategy = (typeof StreamingErrorStrategy)[keyof typeof StreamingErrorStrategy];
