/**
 * A record as the log holds it: a header line and the payload.
 *
 * `<timestamp>[;<sequence>;<attributes>]\n<payload>`. The script writes the timestamp, the store everything after it. Attributes are a JSON
 * object or nothing: `p` producer, `e` epoch, `s` step, `a` attempt, `x` the `belowAttempt` of a supersede record.
 */
import type { NewRecord, ProducerStamp, SegmentProducer, StreamRecord } from '@perennial/core';
import { StreamError } from '@perennial/core';

import type { RedisArgument } from '../clients/port.ts';

interface Attributes {
  readonly p?: string;
  readonly e?: number;
  readonly s?: string;
  readonly a?: number;
  readonly x?: number;
}

const NEWLINE = 0x0a;
const NO_ATTRIBUTES: Attributes = {};

/** Encodes the records of one segment, without their timestamps. */
export function encodeRecords(
  records: readonly NewRecord[],
  producer: SegmentProducer | undefined,
  whole: boolean,
): RedisArgument[] {
  const encoded: RedisArgument[] = [];
  const plain = producer ? JSON.stringify({ p: producer.id, e: producer.epoch }) : '';
  for (let i = 0; i < records.length; i++) {
    const record = records[i];
    if (!record) continue;
    const attributes = record.step === undefined ? plain : attributesOf(record, producer);
    const sequence = producer ? producer.seq + (whole ? 0 : i) : '';
    const header = attributes === '' ? '\n' : `;${sequence};${attributes}\n`;
    if (record.kind === 'supersede') encoded.push(header);
    else if (typeof record.data === 'string') encoded.push(header + record.data);
    else encoded.push(Buffer.concat([Buffer.from(header), record.data]));
  }
  return encoded;
}

function attributesOf(record: NewRecord, producer: SegmentProducer | undefined): string {
  return JSON.stringify({
    ...(producer && { p: producer.id, e: producer.epoch }),
    s: record.step,
    ...(record.kind === 'supersede' ? { x: record.belowAttempt } : { a: record.attempt ?? 1 }),
  });
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
  const end = bytes.indexOf(NEWLINE);
  const header = bytes.toString('utf8', 0, end);
  const first = header.indexOf(';');
  const data = (): string | Uint8Array => (json ? bytes.toString('utf8', end + 1) : copy(bytes, end + 1));
  if (first === -1) return { kind: 'data', position, data: data(), timestamp: Number(header) };

  const second = header.indexOf(';', first + 1);
  const timestamp = Number(header.slice(0, first));
  const { p, e, s, a, x } = parseAttributes(header.slice(second + 1), known);
  const producer: ProducerStamp | undefined =
    p === undefined ? undefined : { id: p, epoch: e ?? 0, seq: Number(header.slice(first + 1, second)) };
  if (x !== undefined) {
    return { kind: 'supersede', position, timestamp, ...(producer && { producer }), step: s ?? '', belowAttempt: x };
  }
  if (s === undefined && producer) return { kind: 'data', position, data: data(), timestamp, producer };
  return {
    kind: 'data',
    position,
    data: data(),
    timestamp,
    ...(producer && { producer }),
    ...(s !== undefined && { step: s, attempt: a ?? 1 }),
  };
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

/** A payload of its own: a view would keep the whole reply alive. */
function copy(bytes: Buffer, start: number): Uint8Array {
  const payload = new Uint8Array(bytes.length - start);
  payload.set(bytes.subarray(start));
  return payload;
}
