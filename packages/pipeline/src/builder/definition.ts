import type { Operation } from './operation.ts';
import type { PipelineOptions } from './options.ts';

/** A pipeline without its types: what a run needs. */
export interface Definition {
  readonly operations: readonly Operation[];
  readonly contextBuilder: (() => unknown) | undefined;
  readonly options: PipelineOptions;
}
