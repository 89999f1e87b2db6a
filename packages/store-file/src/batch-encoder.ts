import type { ProducerState, StreamRecord } from '@perennial/core';

import { type Change, changesHead } from './change.ts';
import { checksum } from './checksum.ts';
import { encodePayload, type FrameMeta, toRuns } from './frame-payload.ts';
import { FRAME_HEADER_BYTES, frameSeed, MAX_PAYLOAD_BYTES, writeFrameHeader } from './frame.ts';

/** Where frames go. */
export interface FramePlace {
  readonly salt: number;
  /** Offset of the first frame. */
  readonly offset: number;
  /** Position of the first record. */
  readonly position: number;
  /** Bytes of the log that are durable by now. */
  readonly syncedBytes: number;
  readonly generation: number;
}

/** A frame ready to be written. */
export interface EncodedFrame {
  readonly frame: Buffer;
  readonly offset: number;
  readonly firstPosition: number;
  readonly records: readonly StreamRecord[];
}

/** A frame takes changes until it holds so much; to read one record a reader has to read all of a frame. */
const FRAME_TARGET_BYTES = 262_144;

/** Encodes changes, in order, as few frames; each change lies in one frame as a whole. */
export function encodeBatch(changes: readonly Change[], place: FramePlace): readonly EncodedFrame[] {
  const frames: EncodedFrame[] = [];
  let { offset, position } = place;
  let start = 0;
  let bytes = 0;
  changes.forEach((change, index) => {
    bytes += change.bytes;
    if (bytes < FRAME_TARGET_BYTES && index + 1 < changes.length) return;
    const part = start === 0 && index + 1 === changes.length ? changes : changes.slice(start, index + 1);
    const frame = encodeFrame(part, { ...place, offset, position });
    frames.push(frame);
    offset += frame.frame.length;
    position += frame.records.length;
    start = index + 1;
    bytes = 0;
  });
  return frames;
}

/** Encodes one frame from what it changes. */
export function encodeFrame(changes: readonly Change[], place: FramePlace): EncodedFrame {
  const [first] = changes;
  if (first && changes.length === 1) return encodeRawFrame(mergeChanges(changes, first.records), first.records, place);
  const records: StreamRecord[] = [];
  for (const change of changes) for (const record of change.records) records.push(record);
  return encodeRawFrame(mergeChanges(changes, records), records, place);
}

/** Encodes one frame from its metadata. */
export function encodeRawFrame(meta: FrameMeta, records: readonly StreamRecord[], place: FramePlace): EncodedFrame {
  const { salt, offset, position: firstPosition, syncedBytes, generation } = place;
  const frame = encodePayload(meta, records, FRAME_HEADER_BYTES);
  const payload = frame.subarray(FRAME_HEADER_BYTES);
  if (payload.length > MAX_PAYLOAD_BYTES) throw new RangeError(`A frame cannot hold ${payload.length} bytes.`);
  const header = {
    payloadBytes: payload.length,
    payloadChecksum: checksum(payload),
    count: records.length,
    firstPosition,
    syncedBytes,
    generation,
  };
  writeFrameHeader(frame, header, frameSeed(salt, offset));
  return { frame, offset, firstPosition, records };
}

/** Later changes win, as they would one by one. */
function mergeChanges(changes: readonly Change[], records: readonly StreamRecord[]): FrameMeta {
  let producers: Map<string, ProducerState> | null = null;
  let head: Partial<FrameMeta> | null = null;
  for (const change of changes) {
    if (change.producers.length > 0) {
      producers ??= new Map();
      for (const [id, state] of change.producers) producers.set(id, state);
    }
    if (changesHead(change)) head = Object.assign(head ?? {}, headMeta(change));
  }
  const runs = toRuns(records);
  if (!producers && !head) return { runs };
  const states = [...(producers ?? [])].map(([id, { epoch, nextSeq }]) => [id, epoch, nextSeq] as const);
  return { ...(runs.length > 0 && { runs }), ...head, ...(states.length > 0 && { producers: states }) };
}

function headMeta({ end, cancel, streamSeq, token, nonce, lease }: Change): Partial<FrameMeta> {
  return {
    ...(end && { end }),
    ...(cancel && { cancel }),
    ...(streamSeq !== null && { streamSeq }),
    ...(token !== null && { token, nonce }),
    ...(lease && { leaseMs: lease.durationMs }),
  };
}
