import type { StreamEnd } from '@perennial/core';

interface RunEvent {
  readonly workflow: string;
  readonly runId: string;
}

interface StepEvent extends RunEvent {
  /** Key of the step. */
  readonly step: string;
  /** One-based. */
  readonly attempt: number;
}

interface StreamEvent extends RunEvent {
  readonly namespace: string;
  readonly streamId: string;
}

/** What a run tells of itself. Replayed steps and writes are not told again. */
export type WorkflowEvent =
  | (RunEvent & { readonly type: 'run_started' })
  /** Another worker had the run before; `takeover` counts. */
  | (RunEvent & { readonly type: 'run_resumed'; readonly takeover: number })
  | (RunEvent & { readonly type: 'run_ended'; readonly end: StreamEnd })
  /** This worker does not, or no longer, advance the run: another one does, the store is gone, or the journal cannot be read. */
  | (RunEvent & { readonly type: 'run_lost'; readonly error: Error })
  | (StepEvent & { readonly type: 'step_started' })
  | (StepEvent & { readonly type: 'step_completed' })
  | (StepEvent & { readonly type: 'step_failed'; readonly error: unknown })
  | (StepEvent & { readonly type: 'step_retrying'; readonly error: unknown; readonly delayMs: number })
  | (StreamEvent & { readonly type: 'stream_created' })
  /** A value was accepted; `position` is the record's. */
  | (StreamEvent & {
      readonly type: 'stream_write';
      readonly position: number;
      readonly step?: string;
      readonly attempt?: number;
    })
  /** The run read its own or another run's stream up to `position`. */
  | (StreamEvent & { readonly type: 'stream_read'; readonly position: number })
  | (StreamEvent & { readonly type: 'stream_superseded'; readonly step: string; readonly belowAttempt: number })
  | (StreamEvent & { readonly type: 'stream_close'; readonly position: number; readonly end: StreamEnd });

type DistributiveOmit<T, K extends string> = T extends unknown ? Omit<T, K> : never;

/** An event without what every event of a run has. */
export type RunEventDetails = DistributiveOmit<WorkflowEvent, 'workflow' | 'runId'>;
