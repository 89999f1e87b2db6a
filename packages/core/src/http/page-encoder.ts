import { isJsonContentType } from '../log/codec.ts';
import type { StreamRecord } from '../log/record.ts';
import { toBase64 } from './base64.ts';
import { concatBytes } from './body.ts';
import type { WireRecord, WireView } from './wire.ts';

/** Encodes the body of a page piece by piece, so that only one piece is ever in memory; or all at once, if one piece is all of it. */
export interface PageEncoder {
  readonly contentType: string;
  /** The body of a page of these records. Texts stay texts: servers send those together with the headers. */
  encodePage(records: readonly StreamRecord[]): string | Uint8Array<ArrayBuffer>;
  /** The next records, in order. */
  encode(records: readonly StreamRecord[]): Uint8Array;
  /** What closes the body; call once, last. */
  finish(): Uint8Array;
}

/** What a page is encoded for. */
export interface PageFormat {
  readonly view: WireView;
  /** The stream's content type. */
  readonly contentType: string;
  /** Bytes of the first record to leave out. @default 0 */
  readonly skipBytes?: number;
}

const NOTHING = new Uint8Array();

/**
 * Creates the encoder of one page: a JSON array of the values as they were stored, the bytes one after the other, or an array of record
 * objects (PROTOCOL.md, "Records view"). Supersede records have no bytes in the plain view.
 */
export function createPageEncoder({ view, contentType, skipBytes = 0 }: PageFormat): PageEncoder {
  if (view === 'records') return createArrayEncoder('application/json', (records) => records.map(recordText));
  if (isJsonContentType(contentType)) return createArrayEncoder(contentType, valueTexts);
  let skip = skipBytes;
  return {
    contentType,
    encodePage: (records) => concatBytes(recordBytes(records)).subarray(skip),
    encode(records) {
      const joined = concatBytes(recordBytes(records));
      const bytes = joined.subarray(skip);
      skip = Math.max(0, skip - joined.byteLength);
      return bytes;
    },
    finish: () => NOTHING,
  };
}

/** The stored texts of the data records. */
export function valueTexts(records: readonly StreamRecord[]): string[] {
  const texts: string[] = [];
  for (const record of records) if (record.kind === 'data' && typeof record.data === 'string') texts.push(record.data);
  return texts;
}

/** The stored bytes of the data records. */
export function recordBytes(records: readonly StreamRecord[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (const record of records) if (record.kind === 'data' && typeof record.data !== 'string') chunks.push(record.data);
  return chunks;
}

/** A record as the text of a {@link WireRecord}; its value is the stored text itself. */
export function recordText(record: StreamRecord): string {
  const place = `{"p":${record.position},"t":${record.timestamp}`;
  if (record.kind === 'supersede') {
    const x: WireRecord['x'] = { step: record.step, belowAttempt: record.belowAttempt };
    return `${place},"x":${JSON.stringify(x)}}`;
  }
  const value = typeof record.data === 'string' ? `,"d":${record.data}` : `,"b":"${toBase64(record.data)}"`;
  const step = record.step === undefined ? '' : `,"s":${JSON.stringify(record.step)},"a":${record.attempt ?? 1}`;
  return `${place}${value}${step}}`;
}

function createArrayEncoder(contentType: string, toTexts: (records: readonly StreamRecord[]) => string[]): PageEncoder {
  const encoder = new TextEncoder();
  let separator = '[';
  return {
    contentType,
    encodePage: (records) => `[${toTexts(records).join(',')}]`,
    encode(records) {
      const texts = toTexts(records);
      const [first] = texts;
      if (first === undefined) return NOTHING;
      // Joining it all at once spares a copy of the whole text.
      texts[0] = separator + first;
      separator = ',';
      return encoder.encode(texts.join(','));
    },
    finish: () => encoder.encode(separator === '[' ? '[]' : ']'),
  };
}
