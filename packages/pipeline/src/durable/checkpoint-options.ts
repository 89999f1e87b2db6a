import type { StreamStore } from '@perennial/core';

import { assertNumber, assertText, assertWhole, invalid, show } from '../errors/arguments.ts';

/** Options of `checkpoint`. */
export interface CheckpointOptions {
  /**
   * `barrier`: takes in every item before the first one goes on, so that later steps see them all. `tee`: notes items while they pass.
   * `pass`: notes nothing; with a `store`, for streams too long to keep.
   * @default 'barrier'
   */
  readonly mode?: 'barrier' | 'tee' | 'pass';
  /** Items that may be kept; one more is a {@link CheckpointOverflow}. @default 100_000 */
  readonly limit?: number;
  /**
   * Makes runs resumable: a run with the same `runId` goes on where the last one stopped, also after a crash. With `barrier` and `tee`
   * the items are kept there too (they have to be JSON), so that the steps before are not run for them again.
   */
  readonly store?: StreamStore;
  /** With `store`: id of the stream. @default `pipelines/<runId>/<key>`, both percent-encoded */
  readonly streamId?: string;
  /** With `store`: how often the position of the run is saved, in ms. 0: as often as the store can. @default 200 */
  readonly intervalMs?: number;
  /** With `store`: sliding time to live of the streams, in ms. @default none */
  readonly ttlMs?: number;
}

/** Items that a checkpoint keeps when its options name no limit. */
export const DEFAULT_CHECKPOINT_LIMIT = 100_000;

/** @throws `INVALID_ARGUMENT` naming the first option that cannot be followed. */
export function assertCheckpointOptions(options: CheckpointOptions): void {
  const { mode = 'barrier', limit, store, streamId, intervalMs, ttlMs } = options;
  if (mode !== 'barrier' && mode !== 'tee' && mode !== 'pass') {
    throw invalid(`\`mode\` of a checkpoint is 'barrier', 'tee' or 'pass'; got ${show(mode)}.`);
  }
  if (limit !== undefined) assertWhole('limit', limit, 1);
  assertNumber('intervalMs', intervalMs);
  if (ttlMs !== undefined) assertWhole('ttlMs', ttlMs, 1);
  if (streamId !== undefined) assertText('streamId', streamId);
  if (store) return;
  if (mode === 'pass') throw invalid("`mode: 'pass'` keeps nothing, so without a `store` it does nothing.");
  const idle = (['streamId', 'intervalMs', 'ttlMs'] as const).find((name) => options[name] !== undefined);
  if (idle) throw invalid(`\`${idle}\` of a checkpoint needs a \`store\`.`);
}
