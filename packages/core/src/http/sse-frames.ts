import { isJsonContentType, mediaType } from '../log/codec.ts';
import type { StreamRecord } from '../log/record.ts';
import { encodeSseEvent } from '../sse/encode.ts';
import { toBase64 } from './base64.ts';
import { concatBytes } from './body.ts';
import { formatOffset, parseOffset } from './offsets.ts';
import { recordBytes, recordText, valueTexts } from './page-encoder.ts';
import { type StreamState, stateKey, toWireEnd } from './state.ts';
import { wholeTextLength } from './text-boundary.ts';
import { EVENT, type WireControl, type WireState, type WireView } from './wire.ts';

/** How records become SSE data: the three forms of the plain protocol, and the records view. */
export type SseFormat = 'json' | 'text' | 'base64' | 'records';

/** Where a reader of server-sent events stands. */
export interface SsePlace {
  /** Position of the next record. */
  readonly position: number;
  /** Offset to resume at: that of `position`, or an earlier one while `carry` is not empty. */
  readonly offset: string;
  /** Bytes read and not yet sent: they do not make whole characters, or belong to a record that the reader resumed in. */
  readonly carry: Uint8Array;
}

/** Encoded events, and where they leave the reader. */
export interface SseFrames {
  readonly bytes: Uint8Array;
  readonly place: SsePlace;
  /** Key of the state they tell. */
  readonly known: string;
  /** They lead up to the end of the stream. */
  readonly isFinal: boolean;
}

/** Records to encode, and the state they were read with. */
export interface SseBatch {
  readonly records: readonly StreamRecord[];
  /** Position after `records`. */
  readonly to: number;
  readonly state: StreamState;
}

const NOTHING = new Uint8Array();
const UTF_8_CHARSET = /;\s*charset\s*=\s*"?(utf-8|utf8|us-ascii)"?\s*(;|$)/i;

/** The format a stream's content type gets in a view. Text that is not UTF-8 travels as bytes, since events are UTF-8. */
export function sseFormat(view: WireView, contentType: string): SseFormat {
  if (view === 'records') return 'records';
  if (isJsonContentType(contentType)) return 'json';
  if (!mediaType(contentType).startsWith('text/')) return 'base64';
  return /;\s*charset\s*=/i.test(contentType) && !UTF_8_CHARSET.test(contentType) ? 'base64' : 'text';
}

/** The place of a reader that has everything before `position`. */
export function placeAt(position: number): SsePlace {
  return { position, offset: formatOffset(position), carry: NOTHING };
}

/** The place of a reader that resumes inside a record, and the records after that one. */
export function placeInside(
  byte: number,
  records: readonly StreamRecord[],
): { readonly place: SsePlace; readonly rest: readonly StreamRecord[] } {
  const [first, ...rest] = records;
  if (first?.kind !== 'data' || typeof first.data === 'string')
    throw new Error('Only a record of bytes can be resumed in its middle.');
  const place: SsePlace = {
    position: first.position + 1,
    offset: formatOffset(first.position, byte),
    carry: first.data.subarray(byte),
  };
  return { place, rest };
}

/** True once a batch leads up to the end of its stream. */
export function isFinal({ to, state: { head } }: SseBatch): boolean {
  return head.end !== null && to >= head.nextPosition;
}

/**
 * Encodes a batch as a `data` event, where it has anything to show, and the `control` event that goes with it (PROTOCOL.md, "SSE").
 *
 * @param cursor The cursor to put into the control event.
 */
export function encodeSseBatch(format: SseFormat, from: SsePlace, batch: SseBatch, cursor: string): SseFrames {
  const { payload, place } = encodePayload(format, from, batch);
  const data = payload === '' ? '' : encodeSseEvent({ id: place.offset, event: EVENT.data, data: payload });
  const supersede = format === 'records' ? [] : retractions(batch.records);
  return {
    bytes: new TextEncoder().encode(data + controlText({ format, place, state: batch.state, cursor, supersede })),
    place,
    known: stateKey(batch.state),
    isFinal: isFinal(batch),
  };
}

/** What a control event is made of. */
export interface ControlParts {
  readonly format: SseFormat;
  readonly place: SsePlace;
  readonly state: StreamState;
  readonly cursor: string;
}

/** Encodes a control event by itself: news of the state, or the last word of a response that is cut. */
export function encodeSseControl(parts: ControlParts): Uint8Array {
  return new TextEncoder().encode(controlText({ ...parts, supersede: [] }));
}

function controlText({
  format,
  place,
  state,
  cursor,
  supersede,
}: ControlParts & { readonly supersede: NonNullable<WireState['supersede']> }): string {
  const { head, stalled } = state;
  const upToDate = place.position >= head.nextPosition;
  const end = upToDate ? head.end : null;
  const news: WireState = {
    ...(end && { end: toWireEnd(end) }),
    ...(stalled && { stalled }),
    ...(head.cancel && { cancelRequested: true }),
    ...(supersede.length > 0 && { supersede }),
  };
  const perennial: WireState = format === 'records' ? { position: place.position, ...news } : news;
  const control: WireControl = {
    streamNextOffset: place.offset,
    ...(!end && { streamCursor: cursor }),
    ...(upToDate && { upToDate }),
    ...(end && { streamClosed: true }),
    ...(Object.keys(perennial).length > 0 && { perennial }),
  };
  return encodeSseEvent({ id: place.offset, event: EVENT.control, data: JSON.stringify(control) });
}

function encodePayload(
  format: SseFormat,
  from: SsePlace,
  batch: SseBatch,
): { readonly payload: string; readonly place: SsePlace } {
  const place = placeAt(batch.to);
  switch (format) {
    case 'records':
      return { payload: batch.records.length === 0 ? '' : `[${batch.records.map(recordText).join(',')}]`, place };
    case 'json': {
      const texts = valueTexts(batch.records);
      return { payload: texts.length === 0 ? '' : `[${texts.join(',')}]`, place };
    }
    case 'base64':
      return { payload: toBase64(concatBytes([from.carry, ...recordBytes(batch.records)])), place };
    case 'text':
      return encodeText(from, batch);
  }
}

function encodeText(from: SsePlace, batch: SseBatch): { readonly payload: string; readonly place: SsePlace } {
  const bytes = concatBytes([from.carry, ...recordBytes(batch.records)]);
  // At the end nothing can complete a cut character any more, so that it is shown as what it is.
  const length = isFinal(batch) ? bytes.byteLength : wholeTextLength(bytes);
  const payload = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, length));
  if (length === bytes.byteLength) return { payload, place: placeAt(batch.to) };
  const carry = bytes.slice(length);
  return { payload, place: { position: batch.to, offset: offsetOfCarry(from, batch, carry.byteLength), carry } };
}

/**
 * The offset of the first of the last `held` bytes. They may reach back over several records, at most to where the reader stood: to the
 * start of its carry, or into it when that is the rest of one record that the reader resumed in.
 */
function offsetOfCarry(from: SsePlace, { records }: SseBatch, held: number): string {
  let left = held;
  for (let i = records.length - 1; i >= 0; i--) {
    const record = records[i];
    if (record?.kind !== 'data' || typeof record.data === 'string') continue;
    if (record.data.byteLength >= left) return formatOffset(record.position, record.data.byteLength - left);
    left -= record.data.byteLength;
  }
  const inCarry = from.carry.byteLength - left;
  const start = inCarry > 0 ? parseOffset(from.offset) : null;
  return start ? formatOffset(start.position, start.byte + inCarry) : from.offset;
}

function retractions(records: readonly StreamRecord[]): NonNullable<WireState['supersede']> {
  const found: NonNullable<WireState['supersede']>[number][] = [];
  for (const record of records) {
    if (record.kind === 'supersede')
      found.push({ position: record.position, step: record.step, belowAttempt: record.belowAttempt });
  }
  return found;
}
