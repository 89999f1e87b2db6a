import type { CheckpointOptions } from '../durable/checkpoint-options.ts';
import type { FencedLog } from '../durable/fenced-log.ts';
import type { SavedItem } from '../durable/log-pull.ts';
import type { Restored } from '../durable/restored.ts';
import type { StepDescription, StepRuntime } from '../run/step-runtime.ts';
import type { FusedStage } from '../stages/fused-stages.ts';
import type { ItemContext } from '../stages/item-function.ts';
import type { Link, StageState } from '../stages/link.ts';
import type { Upstream } from '../stages/upstream.ts';
import type { StreamingState } from '../step/streaming-state.ts';

/** What an operation finds when a run is set up. */
export interface OperationContext {
  readonly step: StepRuntime;
  /** What plain functions get beside their item. */
  readonly itemContext: ItemContext;
  /** The state for a generator step that pulls this upstream. */
  readonly createState: (upstream: Upstream) => StreamingState<Record<string, unknown>>;
  /** The item whose fields the input carries: only for the first operation of a run that was started with one item. */
  readonly single: { readonly item: unknown } | null;
  readonly restored: Restored;
  /** The opened log of a checkpoint that keeps its items. */
  readonly items: { readonly log: FencedLog<SavedItem>; readonly saved: readonly unknown[] } | null;
}

/** One entry of a pipeline: what to do, independent of a run. */
export interface Operation {
  /** With the key, what a checkpoint remembers a stage by. */
  readonly kind: string;
  readonly step: StepDescription;
  /** Makes a stage that maps one item to one value or none; neighbours run as one loop. */
  readonly createStage?: (context: OperationContext, state: StageState | undefined) => FusedStage;
  /** Makes any other stage. */
  readonly attach?: (context: OperationContext, upstream: Link) => Link;
  /** Why a run that is made again may not give the same values in the same order; then no durable checkpoint can follow. */
  readonly unrepeatable?: string;
  readonly checkpoint?: CheckpointOptions;
}
