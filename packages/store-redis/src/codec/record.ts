/**
 * A record as the log holds it: a header line and the payload.
 *
 * `<time>\n<payload>`, or `<time>;<sequence>;<attributes>\n<payload>`. The script writes time and sequence, see its header. Attributes are
 * a JSON object or nothing: `p` producer, `e` epoch, `s` step, `a` attempt, `x` the `belowAttempt` of a supersede record.
 */
import type { NewRecord, ProducerStamp, RecordData, SegmentProducer, StreamRecord } from '@perennial/core';
import { StreamError } from '@perennial/core';

import type { RedisArgument } from '../clients/port.ts';

interface Attributes {
  readonly p?: string;
  readonly e?: number;
  readonly s?: string;
  readonly a?: number;
  readonly x?: number;
}

const LINE_FEED = 0x0a;
const NO_ATTRIBUTES: Attributes = {};

/** Attributes as they precede a payload, with their line feed. */
export function encodeAttributes(record: NewRecord | undefined, producer: SegmentProducer | undefined): string {
  const step = record?.step;
  if (step === undefined) return producer ? `${JSON.stringify({ p: producer.id, e: producer.epoch })}\n` : '\n';
  const attributes: Attributes = {
    ...(producer && { p: producer.id, e: producer.epoch }),
    s: step,
    ...(record?.kind === 'supersede' ? { x: record.belowAttempt } : { a: record?.attempt ?? 1 }),
  };
  return `${JSON.stringify(attributes)}\n`;
}

/** True when all records have the same attributes. */
export function isUniform(records: readonly NewRecord[]): boolean {
  const [first] = records;
  return records.every((record) => record.step === first?.step && marksOf(record) === marksOf(first));
}

/** A payload the way it is sent. Bytes are copied, because sending may happen later. */
export function encodePayload(record: NewRecord): RedisArgument {
  if (record.kind === 'supersede') return '';
  return typeof record.data === 'string' ? record.data : Buffer.from(record.data);
}

/** Decodes a page of records that starts at `from`. `json`: payloads are texts rather than bytes. */
export function decodeRecords(page: readonly Buffer[], from: number, json: boolean): StreamRecord[] {
  // Records of a page have few different attributes: parse each once.
  const known = new Map<string, Attributes>();
  return page.map((bytes, index) => decodeRecord(bytes, from + index, { json, known }));
}

interface DecodeContext {
  readonly json: boolean;
  readonly known: Map<string, Attributes>;
}

function decodeRecord(bytes: Buffer, position: number, { json, known }: DecodeContext): StreamRecord {
  const end = bytes.indexOf(LINE_FEED);
  const header = bytes.toString('utf8', 0, end);
  const first = header.indexOf(';');
  if (first === -1) return { kind: 'data', position, data: payloadOf(bytes, end, json), timestamp: Number(header) };

  const second = header.indexOf(';', first + 1);
  const timestamp = Number(header.slice(0, first));
  const { p, e, s, a, x } = parseAttributes(header.slice(second + 1), known);
  const producer: ProducerStamp | undefined =
    p === undefined ? undefined : { id: p, epoch: e ?? 0, seq: sequenceOf(header.slice(first + 1, second), position) };
  if (x !== undefined) {
    return { kind: 'supersede', position, timestamp, ...(producer && { producer }), step: s ?? '', belowAttempt: x };
  }
  const data = payloadOf(bytes, end, json);
  if (s === undefined && producer) return { kind: 'data', position, data, timestamp, producer };
  return {
    kind: 'data',
    position,
    data,
    timestamp,
    ...(producer && { producer }),
    ...(s !== undefined && { step: s, attempt: a ?? 1 }),
  };
}

function sequenceOf(text: string, position: number): number {
  return text.startsWith('=') ? Number(text.slice(1)) : position + Number(text);
}

function parseAttributes(text: string, known: Map<string, Attributes>): Attributes {
  const found = known.get(text);
  if (found) return found;
  let parsed: Attributes;
  try {
    parsed = text === '' ? NO_ATTRIBUTES : (JSON.parse(text) as Attributes);
  } catch (cause) {
    throw new StreamError('CORRUPT', 'A record in Redis has a header that this store did not write.', { cause });
  }
  known.set(text, parsed);
  return parsed;
}

/** The payload after the line feed at `end`. Bytes are copied: a view would keep the whole reply alive. */
function payloadOf(bytes: Buffer, end: number, json: boolean): RecordData {
  return json ? bytes.toString('utf8', end + 1) : new Uint8Array(bytes.subarray(end + 1));
}

/** What tells records of one step apart. */
function marksOf(record: NewRecord | undefined): string | number {
  if (record?.kind === 'supersede') return `x${record.belowAttempt}`;
  return record?.attempt ?? 1;
}
