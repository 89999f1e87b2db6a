import type { SegmentResult, StreamError, StreamHead } from '@perennial/core';

import { type EncodedFrame, encodeBatch, type FramePlace } from './batch-encoder.ts';
import type { Change } from './change.ts';

/** A call that waits for its commit. */
export interface PendingCall {
  /** Null: only waits for what is in flight. */
  readonly change: Change | null;
  /** Something to publish besides: a beat of the lease. */
  readonly publish: boolean;
  /** The head after this call. */
  readonly head: StreamHead;
  /** Counted in the budget of pending bytes. */
  readonly bytes: number;
  /** For an append, the results to answer with. */
  readonly segments: readonly SegmentResult[] | null;
  readonly resolve: (answer: { readonly segments: readonly SegmentResult[] | null; readonly head: StreamHead }) => void;
  readonly reject: (error: StreamError) => void;
}

/** Calls that are stored together. */
export interface Commit {
  readonly batch: readonly PendingCall[];
  /** The head after them. */
  readonly head: StreamHead;
  /** What they add to the log; empty when they change nothing. */
  readonly frames: readonly EncodedFrame[];
  /** Bytes of the log with them. */
  readonly bytes: number;
  /** There is more to publish than the frames. */
  readonly publish: boolean;
}

/** A commit that is written while the one before it is synced. */
export interface AheadCommit {
  readonly batch: readonly PendingCall[];
  readonly stored: Promise<Commit>;
  /** It is its turn to be synced. */
  readonly begin: () => void;
  /** The commit before it has failed. */
  readonly fail: (error: StreamError) => void;
}

/** Encodes calls for their place. `head` is the one before them. */
export function encodeCommit(
  batch: readonly PendingCall[],
  { place, head }: { readonly place: FramePlace; readonly head: StreamHead },
): Commit {
  const changes: Change[] = [];
  let publish = false;
  for (const call of batch) {
    if (call.change) changes.push(call.change);
    if (call.publish) publish = true;
  }
  const frames = encodeBatch(changes, place);
  let bytes = place.offset;
  for (const { frame } of frames) bytes += frame.length;
  return { batch, head: batch.at(-1)?.head ?? head, frames, bytes, publish };
}
