import type { RunOutcome } from '../metadata/streaming-metadata.ts';

/** How far one step is. */
export interface StepProgress {
  readonly key: string;
  readonly stepName: string;
  readonly receivedCount: number;
  readonly emittedCount: number;
  readonly errorCount: number;
  /** Values emitted per second since the run began. */
  readonly perSecond: number;
}

/** How far a run is; plain JSON, so that it can be published. */
export interface RunProgress {
  /** `waiting`: nobody has pulled yet. */
  readonly state: 'waiting' | 'running' | RunOutcome;
  readonly elapsedMs: number;
  /** Items read from the source (position of a reader), by earlier runs of the same run id too. */
  readonly inputCount: number;
  /** Values handed out, by earlier runs of the same run id too. */
  readonly outputCount: number;
  readonly errorCount: number;
  /** Items read from the source per second since the run began. */
  readonly perSecond: number;
  /** Items the source is going to give, where the caller said so. */
  readonly total?: number;
  /** Time the rest takes at this speed, where `total` is known. */
  readonly remainingMs?: number;
  /** What ended the run. */
  readonly error?: { readonly code: string; readonly message: string; readonly stepName: string };
  readonly steps: readonly StepProgress[];
}

/** Units per second; 0 before any time has passed. */
export function rate(count: number, elapsedMs: number): number {
  return elapsedMs > 0 ? (count * 1_000) / elapsedMs : 0;
}
