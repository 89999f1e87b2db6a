import { z } from 'zod';

/** What is shown of the progress of a run; the pipeline writes it. */
export const runProgressSchema = z.object({
  state: z.enum(['waiting', 'running', 'completed', 'failed', 'left', 'aborted']),
  elapsedMs: z.number(),
  /** Files read, by the runs before an interruption too. */
  inputCount: z.number(),
  errorCount: z.number(),
  /** Files per second. */
  perSecond: z.number(),
  total: z.number().optional(),
  remainingMs: z.number().optional(),
  steps: z.array(
    z.object({
      key: z.string(),
      receivedCount: z.number(),
      emittedCount: z.number(),
      errorCount: z.number(),
      perSecond: z.number(),
    }),
  ),
});

/** See {@link runProgressSchema}. */
export type RunProgressShown = z.infer<typeof runProgressSchema>;

/** One value of the stream of a run. */
export const runChunkSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), progress: runProgressSchema }),
  z.object({ type: z.literal('error'), error: z.object({ message: z.string() }) }),
]);

/** See {@link runChunkSchema}. */
export type RunChunk = z.infer<typeof runChunkSchema>;

/** What the values of a run's stream add up to. */
export interface RunNow {
  /** Null until the first one has arrived. */
  readonly progress: RunProgressShown | null;
  /** The files skipped last, in the order of their discovery. */
  readonly problems: readonly string[];
}

/** A run of which nothing has arrived. */
export const EMPTY_RUN: RunNow = { progress: null, problems: [] };

const MAX_PROBLEMS = 200;

/** Adds one value. */
export function foldRun(run: RunNow, chunk: RunChunk): RunNow {
  switch (chunk.type) {
    case 'progress':
      return { ...run, progress: chunk.progress };
    case 'error':
      return { ...run, problems: [...run.problems, chunk.error.message].slice(-MAX_PROBLEMS) };
  }
}

/** Share of the files that were read, 0 to 100; null while their number is not known. */
export function percentOf({ total, inputCount }: RunProgressShown): number | null {
  if (total === undefined) return null;
  return total === 0 ? 100 : Math.min(100, Math.floor((inputCount * 100) / total));
}

/** How long the rest takes, in words. */
export function remainingText({ remainingMs, elapsedMs }: RunProgressShown): string | null {
  // The rate of the first moments says nothing.
  if (remainingMs === undefined || elapsedMs < 500) return null;
  const seconds = Math.ceil(remainingMs / 1_000);
  if (seconds <= 1) return 'nearly done';
  if (seconds < 90) return `about ${seconds} s left`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `about ${minutes} min left` : `about ${Math.round(minutes / 60)} h left`;
}

/** A number with separators, the same on the server and in every browser. */
export function countText(count: number): string {
  return count.toLocaleString('en-GB');
}

/** A rate with the digits that mean something. */
export function rateText(perSecond: number): string {
  if (perSecond <= 0) return '–';
  return `${perSecond >= 10 ? countText(Math.round(perSecond)) : perSecond.toFixed(1)}/s`;
}

/** A number and its noun. */
export function plural(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;
}
