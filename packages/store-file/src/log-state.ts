import {
  applyAppend,
  createLogState,
  isJsonContentType,
  type LogState,
  type StreamHead,
  type StreamRecord,
} from '@perennial/core';

import { checksum } from './checksum.ts';
import type { Creation, FrameMeta } from './frame-payload.ts';
import type { FrameHeader } from './frame.ts';
import type { PageCache } from './page-cache.ts';
import type { PositionIndex } from './position-index.ts';
import type { RecordCache } from './record-cache.ts';

/** A log as far as it is durable: what readers may see. */
export interface DurableLog {
  readonly salt: number;
  /** Records are JSON texts, else bytes. */
  readonly isText: boolean;
  /** Offset of the frame behind the creation. */
  readonly origin: number;
  readonly index: PositionIndex;
  readonly cache: RecordCache;
  readonly pages: PageCache;
  readonly state: LogState;
  /** Durable bytes. */
  bytes: number;
  /** Set when the log cannot be trusted from here on. */
  damage: { readonly position: number; readonly offset: number } | null;
  /** Bytes covered by the snapshot on disk. */
  snapshotBytes: number;
}

/** The head of a stream that has just been created. */
export function headOfCreation(creation: Creation): StreamHead {
  const { id, incarnation, contentType, createdAt, leaseMs, owner, token, ttlMs, expiresAt, fork } = creation;
  return {
    id,
    incarnation,
    contentType,
    createdAt,
    firstPosition: 0,
    nextPosition: fork?.position ?? 0,
    end: null,
    cancel: null,
    lease: leaseMs === null ? null : { durationMs: leaseMs, beat: 0 },
    owner,
    token,
    ttlMs,
    expiresAt,
    fork: fork ?? null,
  };
}

/** What a log's first frame keeps of a head. */
export function creationOf(head: StreamHead): Creation {
  const { id, incarnation, contentType, createdAt, lease, owner, token, ttlMs, expiresAt, fork } = head;
  return {
    format: 1,
    id,
    incarnation,
    contentType,
    createdAt,
    leaseMs: lease?.durationMs ?? null,
    owner,
    token,
    ttlMs,
    expiresAt,
    ...(fork && { fork }),
  };
}

/** The salt of a log's frames. */
export function saltOf(incarnation: string): number {
  return checksum(incarnation);
}

/** True when the records of a stream are JSON texts. */
export function isTextStream(head: StreamHead): boolean {
  return isJsonContentType(head.contentType);
}

/** Folds a frame into the state, with the rules that decided it. */
export function foldFrame(state: LogState, header: FrameHeader, meta: FrameMeta): void {
  const { token, nonce, end, cancel, streamSeq, leaseMs, producers = [] } = meta;
  // Only their number counts here.
  const records: StreamRecord[] = [];
  records.length = header.count;
  applyAppend(state, {
    records,
    end: end ?? null,
    producers: producers.map(([id, epoch, nextSeq]) => [id, { epoch, nextSeq }] as const),
    streamSeq: streamSeq ?? null,
    token: token ?? state.head.token,
  });
  if (nonce !== undefined) state.fenceNonce = nonce;
  const { head } = state;
  if (cancel) state.head = { ...state.head, cancel };
  if (leaseMs === null) state.head = { ...state.head, lease: null };
  else if (leaseMs !== undefined)
    state.head = { ...state.head, lease: { durationMs: leaseMs, beat: head.lease?.beat ?? 0 } };
}

/** A copy that changes apart from the original. */
export function cloneState(state: LogState): LogState {
  const copy = createLogState(state.head);
  for (const [id, producer] of state.producers) copy.producers.set(id, producer);
  copy.streamSeq = state.streamSeq;
  copy.fenceNonce = state.fenceNonce;
  return copy;
}
