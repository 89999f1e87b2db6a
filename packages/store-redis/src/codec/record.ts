/**
 * Records as the log holds them: entries of a header line and a payload, or several.
 *
 * `<time>\n<payload>`, or `<time>;<count>;<sequence>;<attributes>\n<payloads>`, see the header of the append script. Attributes are a JSON
 * object or nothing: `p` producer, `e` epoch, `s` step, `a` attempt, `x` the `belowAttempt` of a supersede record.
 */
import type { NewRecord, ProducerStamp, RecordData, SegmentProducer, StreamRecord } from '@perennial/core';
import { InvalidArgumentError, recordSize } from '@perennial/core';

import type { RedisArgument } from '../clients/port.ts';
import { type Attributes, type EntryHeader, HeaderDecoder, unknownEntry } from './entry-header.ts';

/** ASCII's record separator, which no JSON text contains: with a byte that is no UTF-8, decoding would take three times as long. */
const SEPARATOR = '\x1e';

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

/**
 * A payload the way it is sent. Bytes are copied, because sending may happen later.
 *
 * @throws `INVALID_ARGUMENT` for a text with the byte that separates texts: it is no JSON.
 */
export function encodePayload(record: NewRecord): RedisArgument {
  if (record.kind === 'supersede') return '';
  const { data } = record;
  if (typeof data !== 'string') return Buffer.from(data);
  if (data.includes(SEPARATOR))
    throw new InvalidArgumentError('data', 'A JSON text cannot contain the control character U+001E.');
  return data;
}

/** Entries that lie one after the other in the log. */
export interface LogEntries {
  readonly payloads: readonly Buffer[];
  /** Position of the first record in the entries. */
  readonly start: number;
}

/** A page as it was asked for. */
export interface PageBounds {
  readonly from: number;
  readonly limit: number;
  readonly maxBytes: number;
}

/** A page, and where in the log the next one begins. */
export interface DecodedPage {
  readonly records: StreamRecord[];
  /** Bytes of their payloads. */
  readonly payload: number;
  /** Position of the first record of the entry in which the next record lies, or would begin. */
  readonly nextEntry: number;
  /** Entries that were decoded, the records in them, and their bytes. */
  readonly entries: number;
  readonly covered: number;
  readonly bytes: number;
}

/**
 * Decodes the entries that hold a page, and cuts the page out of them.
 *
 * @param json Payloads are texts rather than bytes.
 */
export function decodePage(
  { payloads: entries, start }: LogEntries,
  json: boolean,
  { from, limit, maxBytes }: PageBounds,
): DecodedPage {
  const headers = new HeaderDecoder();
  const records: StreamRecord[] = [];
  let position = start;
  let payload = 0;
  let bytes = 0;
  let count = 0;
  for (const entry of entries) {
    const header = headers.decode(entry);
    const isSupersede = header.attributes.x !== undefined;
    const payloads = isSupersede ? nothings(entry, header) : payloadsOf(entry, header, json);
    const nextEntry = position;
    bytes += entry.byteLength;
    count++;
    // A plain loop over one header: this runs for each record that anybody reads.
    for (let index = 0; index < payloads.length; index++, position++) {
      if (position < from) continue;
      if (records.length >= limit || payload >= maxBytes)
        return { records, payload, nextEntry, entries: count, covered: nextEntry + payloads.length - start, bytes };
      const record = toRecord(header, position, payloads[index] ?? '');
      records.push(record);
      payload += recordSize(record);
    }
  }
  return { records, payload, nextEntry: position, entries: count, covered: position - start, bytes };
}

function toRecord(
  { timestamp, attributes, sequence, isDifference }: EntryHeader,
  position: number,
  data: RecordData,
): StreamRecord {
  const { p, e, s, a, x } = attributes;
  const producer: ProducerStamp | undefined =
    p === undefined ? undefined : { id: p, epoch: e ?? 0, seq: isDifference ? position + sequence : sequence };
  if (x !== undefined)
    return { kind: 'supersede', position, timestamp, ...(producer && { producer }), step: s ?? '', belowAttempt: x };
  if (s !== undefined)
    return { kind: 'data', position, data, timestamp, ...(producer && { producer }), step: s, attempt: a ?? 1 };
  return producer ? { kind: 'data', position, data, timestamp, producer } : { kind: 'data', position, data, timestamp };
}

/** The payloads of an entry. Bytes are copied: a view would keep the whole reply alive. */
function payloadsOf(entry: Buffer, { bytes: start, count }: EntryHeader, json: boolean): readonly RecordData[] {
  if (!json) return [new Uint8Array(entry.subarray(start))];
  const text = entry.toString('utf8', start);
  if (count === 1) return [text];
  // One split is five times as fast as decoding one payload after the other.
  const texts = text.split(SEPARATOR);
  if (texts.length !== count) throw unknownEntry();
  return texts;
}

/** The empty payloads of supersede records, of which only the separators are there. */
function nothings(entry: Buffer, { bytes: start, count }: EntryHeader): readonly string[] {
  if (entry.byteLength - start !== count - 1) throw unknownEntry();
  return Array<string>(count).fill('');
}

/** What tells records of one step apart. */
function marksOf(record: NewRecord | undefined): string | number {
  if (record?.kind === 'supersede') return `x${record.belowAttempt}`;
  return record?.attempt ?? 1;
}
