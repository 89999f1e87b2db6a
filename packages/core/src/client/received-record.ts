import { fromBase64 } from '../http/base64.ts';
import { quote, StreamError } from '../log/errors.ts';

/** A value as the client received it. */
export interface ReceivedData {
  readonly kind: 'data';
  readonly position: number;
  /** Milliseconds since the Unix epoch, by the store's clock. */
  readonly timestamp: number;
  /** The parsed JSON value, or a `Uint8Array` on a stream of any other content type. */
  readonly value: unknown;
  readonly step?: string;
  /** One-based attempt of `step`. */
  readonly attempt?: number;
}

/** A retraction as the client received it: data of `step` with an attempt below `belowAttempt` no longer counts. */
export interface ReceivedSupersede {
  readonly kind: 'supersede';
  readonly position: number;
  /** Milliseconds since the Unix epoch, by the store's clock. */
  readonly timestamp: number;
  readonly step: string;
  readonly belowAttempt: number;
}

/** What arrives over a connection, in order, each position once. */
export type ReceivedRecord = ReceivedData | ReceivedSupersede;

/** Parses the JSON of a value, or of an object that holds values. Throws for what is no JSON. */
export type ParseJson = (text: string) => unknown;

/**
 * Parses a page of the records view (PROTOCOL.md, "Records view").
 *
 * @throws {@link StreamError} `CORRUPT` for anything else: a truncated page, a proxy's error page, the plain view of another server.
 */
export function parseRecords(text: string, parseJson: ParseJson = JSON.parse): ReceivedRecord[] {
  let page: unknown;
  try {
    page = parseJson(text);
  } catch (cause) {
    throw new StreamError('CORRUPT', `The server sent a page that is no JSON: ${quote(text)}.`, { cause });
  }
  if (!Array.isArray(page)) throw notRecords(page);
  return page.map(toRecord);
}

function toRecord(item: unknown): ReceivedRecord {
  if (!isObject(item) || !isCount(item['p']) || typeof item['t'] !== 'number') throw notRecords(item);
  const { p: position, t: timestamp, s: step, a: attempt, b, x } = item;
  if (isObject(x) && typeof x['step'] === 'string' && isCount(x['belowAttempt'])) {
    return { kind: 'supersede', position, timestamp, step: x['step'], belowAttempt: x['belowAttempt'] };
  }
  const value = typeof b === 'string' ? toBytes(b, position) : item['d'];
  if (value === undefined) throw notRecords(item);
  if (typeof step !== 'string') return { kind: 'data', position, timestamp, value };
  return { kind: 'data', position, timestamp, value, step, attempt: isCount(attempt) ? attempt : 1 };
}

function toBytes(base64: string, position: number): Uint8Array {
  try {
    return fromBase64(base64);
  } catch (cause) {
    throw new StreamError('CORRUPT', `The record at position ${position} is not valid base64.`, { cause });
  }
}

function notRecords(value: unknown): StreamError<'CORRUPT'> {
  return new StreamError(
    'CORRUPT',
    `The server sent something that is not a page of records: ${quote(value)}. Check that the URL is that of a Perennial stream.`,
  );
}

/** True for objects other than null and arrays. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for integers from 0 to 2^53 - 1. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
