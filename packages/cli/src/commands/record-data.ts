import { encodeJson, isJsonContentType, type RecordData } from '@perennial/core';

/** What a value of the command line becomes. */
export type ParsedRecord =
  | { readonly type: 'data'; readonly data: RecordData }
  /** A blank line between JSON values. */
  | { readonly type: 'blank' }
  | { readonly type: 'invalid'; readonly problem: string };

/** Options of {@link toRecordData}. */
export interface RecordDataOptions {
  readonly contentType: string;
  /** The value is the text of a JSON value; otherwise it is a string. */
  readonly json: boolean;
  /** On streams that are not JSON a line keeps its line feed, so that the bytes of the stream are those of the input. */
  readonly isLine: boolean;
}

const LINE_FEED = Uint8Array.of(10);
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Turns the bytes of a value into the payload of a record. JSON is checked and kept as it was written. */
export function toRecordData(bytes: Uint8Array, { contentType, json, isLine }: RecordDataOptions): ParsedRecord {
  if (!isJsonContentType(contentType)) {
    if (json) return { type: 'invalid', problem: `cannot be JSON: the stream is ${contentType}` };
    return { type: 'data', data: isLine ? Buffer.concat([bytes, LINE_FEED]) : bytes };
  }
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return { type: 'invalid', problem: 'is not UTF-8' };
  }
  if (!json) return { type: 'data', data: encodeJson(text) };
  if (isLine && text.trim() === '') return { type: 'blank' };
  try {
    JSON.parse(text);
  } catch (error) {
    return { type: 'invalid', problem: `is no JSON (${error instanceof Error ? error.message : String(error)})` };
  }
  return { type: 'data', data: text.trim() };
}
