/** What a plain function gets beside its item. */
export interface ItemContext<TAccumulated = {}, TContext = unknown> {
  /** What the pipeline's context builder made for this run. */
  readonly context: TContext;
  /** For each earlier step, the value it emitted last; for a checkpoint, its items. */
  readonly accumulated: TAccumulated;
  /** Aborted when the run is over. Pass it to `fetch` and the like. */
  readonly signal: AbortSignal;
}

/** A user's function as the stages call it: types are checked where it enters the pipeline. */
export type ItemFunction = (item: unknown, index: number, context: ItemContext) => unknown;
