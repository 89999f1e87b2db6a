import type { Pull } from '@perennial/core/engine';

/** The counters of one stage, enough to make it again. */
export type StageState = readonly number[];

/** Where a run could start again: the state of a stage, on top of that of the stages before it. */
export interface Cursor {
  /** Null at the source, and at a checkpoint that kept its items. */
  readonly up: Cursor | null;
  readonly state: StageState;
}

/** A running stage as the next one sees it. */
export interface Link {
  readonly pull: Pull<unknown>;
  /** From here everything after the last value handed out is made again, and nothing before it. Only asked of durable runs. */
  cursor(): Cursor;
}
