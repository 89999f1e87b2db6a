import { createLogState, type LogState, type ProducerState, type StreamHead } from '@perennial/core';

import { sealJson, unsealJson } from './checksum.ts';
import { type FileSystem, readIfPresent, replaceFile } from './file-system.ts';
import { PositionIndex, type PositionIndexData } from './position-index.ts';

/**
 * The state of a log after its first `bytes` bytes, so that opening it reads only the rest. Derived from the log and never needed: a
 * missing, damaged or foreign snapshot only makes opening slower, so it is written without a sync.
 */
export interface LogSnapshot {
  readonly bytes: number;
  readonly state: LogState;
  readonly index: PositionIndex;
}

interface StoredSnapshot {
  readonly format: 1;
  readonly bytes: number;
  /** Without `fork` where it was written by a version that had none. */
  readonly head: Omit<StreamHead, 'fork'> & Partial<Pick<StreamHead, 'fork'>>;
  readonly streamSeq: string | null;
  readonly fenceNonce: string | null;
  readonly producers: readonly (readonly [id: string, state: ProducerState])[];
  readonly index: PositionIndexData;
}

/** Writes the snapshot of a log. Only durable bytes may be covered. */
export async function writeSnapshot(fs: FileSystem, path: string, { bytes, state, index }: LogSnapshot): Promise<void> {
  const { head, streamSeq, fenceNonce, producers } = state;
  const stored: StoredSnapshot = {
    format: 1,
    bytes,
    head,
    streamSeq,
    fenceNonce,
    producers: [...producers],
    index: index.toData(),
  };
  await replaceFile(fs, path, sealJson(stored), { sync: false });
}

/** Reads the snapshot of a log of this incarnation and size; null when there is none that fits. */
export async function readSnapshot(
  fs: FileSystem,
  path: string,
  { incarnation, size }: { readonly incarnation: string; readonly size: number },
): Promise<LogSnapshot | null> {
  const content = await readIfPresent(fs, path);
  const value = content && unsealJson(content);
  if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== 1) return null;
  // The checksum has vouched for the rest.
  const stored = value as StoredSnapshot;
  if (stored.head.incarnation !== incarnation || stored.bytes > size) return null;
  const state = createLogState({ ...stored.head, fork: stored.head.fork ?? null });
  for (const [id, producer] of stored.producers) state.producers.set(id, producer);
  state.streamSeq = stored.streamSeq;
  state.fenceNonce = stored.fenceNonce;
  return { bytes: stored.bytes, state, index: PositionIndex.from(stored.index) };
}
