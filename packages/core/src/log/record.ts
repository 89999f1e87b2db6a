/**
 * The payload of a record: the raw JSON text of one value on a JSON stream (never re-encoded, so `1.0` and big integers survive), the
 * raw bytes on a stream of any other content type.
 */
export type RecordData = string | Uint8Array;

/** Who wrote a record, in the producer's own numbering (PROTOCOL.md, "Producers"). */
export interface ProducerStamp {
  readonly id: string;
  readonly epoch: number;
  /** Zero-based, dense per `(stream, id, epoch)`. */
  readonly seq: number;
}

/** A value in the log. */
export interface DataRecord {
  readonly kind: 'data';
  /** Dense, zero-based index in the stream. */
  readonly position: number;
  readonly data: RecordData;
  /** Milliseconds since the Unix epoch, by the store's clock. */
  readonly timestamp: number;
  readonly producer?: ProducerStamp;
  /** The workflow step that wrote it, where there is one. */
  readonly step?: string;
  /** One-based attempt of `step`. */
  readonly attempt?: number;
}

/** Hides the data of earlier attempts of a step from the live view; the raw view keeps everything (PROTOCOL.md, "Views"). */
export interface SupersedeRecord {
  readonly kind: 'supersede';
  readonly position: number;
  readonly timestamp: number;
  readonly producer?: ProducerStamp;
  readonly step: string;
  /** Data of `step` with an attempt below this is retracted. */
  readonly belowAttempt: number;
}

/** What a stream is made of. */
export type StreamRecord = DataRecord | SupersedeRecord;

/** A record as a writer hands it to a store, which adds position, timestamp and producer. */
export type NewRecord =
  | { readonly kind?: 'data'; readonly data: RecordData; readonly step?: string; readonly attempt?: number }
  | { readonly kind: 'supersede'; readonly step: string; readonly belowAttempt: number };

/** Bytes of payload a record holds: UTF-8 length of JSON is estimated by its UTF-16 length, which is exact for ASCII. */
export function recordSize(record: NewRecord | StreamRecord): number {
  if (record.kind === 'supersede') return record.step.length;
  return typeof record.data === 'string' ? record.data.length : record.data.byteLength;
}
