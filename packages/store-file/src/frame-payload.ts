import {
  type CancelRequest,
  type DataRecord,
  type ForkOrigin,
  type ProducerStamp,
  type RecordData,
  recordSize,
  type StreamEnd,
  type StreamRecord,
  type SupersedeRecord,
} from '@perennial/core';

import { TextCutter } from './text-cutter.ts';

/**
 * A frame's payload: the length of the metadata and of each record's data (4 bytes each), the metadata as JSON, the data. Whatever an append changes is in one frame, so records, producer states and the end are stored together or not at all.
 */
export interface FrameMeta {
  /** Only in a log's first frame. */
  readonly create?: Creation;
  /** What the records have in common, in order. */
  readonly runs?: readonly RecordRun[];
  readonly end?: StreamEnd;
  /** The cancel request in force, recorded with the end. */
  readonly cancel?: CancelRequest;
  readonly token?: number;
  /** Who raised the token, where that was a fence; comes with every `token`. */
  readonly nonce?: string | null;
  readonly streamSeq?: string;
  /** New duration of the lease; null = released. */
  readonly leaseMs?: number | null;
  /** New states of producers: id, epoch, next sequence. */
  readonly producers?: readonly (readonly [id: string, epoch: number, nextSeq: number])[];
}

/** What a stream is created with and keeps for life. */
export interface Creation {
  readonly format: 1;
  readonly id: string;
  readonly incarnation: string;
  readonly contentType: string;
  readonly createdAt: number;
  readonly leaseMs: number | null;
  readonly owner: string | null;
  readonly token: number;
  readonly ttlMs: number | null;
  readonly expiresAt: number | null;
  /** Absent for a stream that is no fork. */
  readonly fork?: ForkOrigin;
}

/** Consecutive records that differ only in position, data and, by a fixed step, producer sequence. */
export interface RecordRun {
  /** Number of records. */
  readonly n: number;
  /** Timestamp. */
  readonly t: number;
  /** Producer: id, epoch, sequence of the first record, growth of the sequence per record (0 or 1). */
  readonly p?: readonly [id: string, epoch: number, seq: number, growth: number];
  /** Step. */
  readonly s?: string;
  /** Attempt of the step. */
  readonly a?: number;
  /** Makes it a supersede record: its `belowAttempt`. */
  readonly x?: number;
}

const LENGTH_BYTES = 4;

/**
 * Encodes a payload behind `room` free bytes.
 *
 * The metadata and all texts are joined and written in one call: each call into the runtime costs as much as a short record.
 */
export function encodePayload(meta: FrameMeta, records: readonly StreamRecord[], room: number): Buffer {
  const json = JSON.stringify(meta);
  const dataAt = room + LENGTH_BYTES * (records.length + 1);
  const texts: string[] = [];
  for (const record of records) {
    if (record.kind !== 'data') texts.push('');
    else if (typeof record.data === 'string') texts.push(record.data);
    else return encodeBytes(json, records, { room, dataAt });
  }
  const text = json + (texts.length === 1 ? texts[0] : texts.join(''));
  const bytes = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(dataAt + bytes);
  const isAscii = text.length === bytes;
  let at = frame.writeUInt32LE(isAscii ? json.length : Buffer.byteLength(json), room);
  for (const data of texts) at = frame.writeUInt32LE(isAscii ? data.length : Buffer.byteLength(data), at);
  frame.write(text, dataAt);
  return frame;
}

function encodeBytes(
  json: string,
  records: readonly StreamRecord[],
  { room, dataAt }: { readonly room: number; readonly dataAt: number },
): Buffer {
  const jsonBytes = Buffer.byteLength(json);
  const bytes = records.reduce((sum, record) => sum + bytesOf(record).length, 0);
  const frame = Buffer.allocUnsafe(dataAt + jsonBytes + bytes);
  let lengthAt = frame.writeUInt32LE(jsonBytes, room);
  let at = dataAt + frame.write(json, dataAt);
  for (const record of records) {
    const data = bytesOf(record);
    lengthAt = frame.writeUInt32LE(data.length, lengthAt);
    frame.set(data, at);
    at += data.length;
  }
  return frame;
}

/** Decodes the metadata of a payload with `count` records whose checksum is right. */
export function decodeMeta(payload: Buffer, count: number): FrameMeta {
  const start = LENGTH_BYTES * (count + 1);
  // The checksum has vouched for these bytes, and only `encodePayload` makes them.
  return JSON.parse(payload.toString('utf8', start, start + payload.readUInt32LE(0))) as FrameMeta;
}

/** Records in the making, up to a limit; the one that reaches `maxBytes` still belongs to them. */
export interface Page {
  readonly limit: number;
  readonly maxBytes: number;
  readonly records: StreamRecord[];
  /** Payload bytes of the records. */
  bytes: number;
}

/** Options of {@link decodeRecords}. */
export interface DecodeOptions {
  /** Position of the frame's first record. */
  readonly firstPosition: number;
  readonly count: number;
  /** Data is text, else bytes. */
  readonly isText: boolean;
  /** First position wanted. */
  readonly from: number;
}

/** Decodes the records of a payload whose checksum is right, from `from` on, until the page is full. */
export function decodeRecords(
  payload: Buffer,
  { firstPosition, count, isText, from }: DecodeOptions,
  page: Page,
): void {
  const { runs = [] } = decodeMeta(payload, count);
  const lengths = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const texts = isText ? new TextCutter(payload) : null;
  let lengthAt = LENGTH_BYTES;
  let at = LENGTH_BYTES * (count + 1) + lengths.getUint32(0, true);
  let position = firstPosition;
  for (const run of runs) {
    for (let i = 0; i < run.n; i++, position++, lengthAt += LENGTH_BYTES) {
      const start = at;
      at += lengths.getUint32(lengthAt, true);
      if (position < from) continue;
      // A copy: a slice would keep the whole frame in memory for as long as one record lives.
      const data = texts ? texts.cut(start, at) : new Uint8Array(payload.subarray(start, at));
      const record = toRecord(run, i, position, data);
      page.records.push(record);
      page.bytes += recordSize(record);
      if (page.records.length >= page.limit || page.bytes >= page.maxBytes) return;
    }
  }
}

/** Groups records into runs. */
export function toRuns(records: readonly StreamRecord[]): RecordRun[] {
  const runs: RecordRun[] = [];
  let start = 0;
  while (start < records.length) {
    const first = records[start];
    if (!first) break;
    const second = records[start + 1];
    const growth = first.producer && second?.producer?.seq === first.producer.seq + 1 ? 1 : 0;
    let end = start + 1;
    while (end < records.length && continues(first, records[end], (end - start) * growth)) end++;
    runs.push(toRun(first, end - start, growth));
    start = end;
  }
  return runs;
}

function continues(first: StreamRecord, next: StreamRecord | undefined, growth: number): boolean {
  if (!next || first.kind !== 'data' || next.kind !== 'data') return false;
  if (next.timestamp !== first.timestamp || next.step !== first.step || next.attempt !== first.attempt) return false;
  const a = first.producer;
  const b = next.producer;
  if (!a || !b) return a === b;
  return b.id === a.id && b.epoch === a.epoch && b.seq === a.seq + growth;
}

function toRun(record: StreamRecord, n: number, growth: number): RecordRun {
  const { producer, timestamp, step } = record;
  if (!producer && step === undefined) return { n, t: timestamp };
  return {
    n,
    t: timestamp,
    ...(producer && { p: [producer.id, producer.epoch, producer.seq, growth] as const }),
    ...(step !== undefined && { s: step }),
    ...(record.kind === 'data' && record.attempt !== undefined && { a: record.attempt }),
    ...(record.kind === 'supersede' && { x: record.belowAttempt }),
  };
}

/** Rebuilds the record exactly as the append rules stamped it. */
function toRecord(run: RecordRun, index: number, position: number, data: RecordData): DataRecord | SupersedeRecord {
  const timestamp = run.t;
  const producer: ProducerStamp | undefined = run.p && {
    id: run.p[0],
    epoch: run.p[1],
    seq: run.p[2] + index * run.p[3],
  };
  if (run.x !== undefined) {
    return {
      kind: 'supersede',
      position,
      timestamp,
      step: run.s ?? '',
      belowAttempt: run.x,
      ...(producer && { producer }),
    };
  }
  if (run.s === undefined) {
    return producer
      ? { kind: 'data', position, data, timestamp, producer }
      : { kind: 'data', position, data, timestamp };
  }
  return {
    kind: 'data',
    position,
    data,
    timestamp,
    ...(producer && { producer }),
    step: run.s,
    attempt: run.a ?? 1,
  };
}

const NO_BYTES = new Uint8Array(0);

function bytesOf(record: StreamRecord): Uint8Array {
  return record.kind === 'data' && typeof record.data !== 'string' ? record.data : NO_BYTES;
}
