import { quote, StreamError } from './errors.ts';
import type { NewRecord, RecordData } from './record.ts';

/** The content type a stream has when its creator names none. */
export const JSON_CONTENT_TYPE = 'application/json';

/** True when records of a stream of this content type are JSON texts; parameters such as `charset` are ignored. */
export function isJsonContentType(contentType: string): boolean {
  // Nearly always so; every append asks, and taking a content type apart costs a fifth of its decision.
  if (contentType === JSON_CONTENT_TYPE) return true;
  const type = mediaType(contentType);
  return type === JSON_CONTENT_TYPE || type.endsWith('+json');
}

/** The lower-case type and subtype of a content type, without parameters. Appends must match on this. */
export function mediaType(contentType: string): string {
  const semicolon = contentType.indexOf(';');
  return (semicolon === -1 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
}

/** True when every payload is of the kind that a stream of this content type holds: JSON texts, or bytes. */
export function payloadsFit(records: readonly NewRecord[], contentType: string): boolean {
  const wanted = isJsonContentType(contentType) ? 'string' : 'object';
  return records.every((record) => record.kind === 'supersede' || typeof record.data === wanted);
}

/**
 * Encodes a value as a record payload.
 *
 * @throws {@link StreamError} `UNSERIALISABLE` for what JSON cannot carry: `undefined`, functions, symbols, bigints, cycles. A silent
 * `null` for `NaN` or `Infinity` would be altered data, so these are refused too when they are the value itself.
 */
export function encodeJson(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw unserialisable(value);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw unserialisable(value, cause);
  }
  if (text === undefined) throw unserialisable(value);
  return text;
}

/** Decodes a record payload: the parsed value of a JSON text, bytes as they are. */
export function decodeData(data: RecordData): unknown {
  return typeof data === 'string' ? JSON.parse(data) : data;
}

function unserialisable(value: unknown, cause?: unknown): StreamError<'UNSERIALISABLE'> {
  const shown =
    typeof value === 'object'
      ? 'this object'
      : typeof value === 'bigint'
        ? `${value}n`
        : typeof value === 'function'
          ? 'a function'
          : quote(value);
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return new StreamError(
    'UNSERIALISABLE',
    `JSON cannot carry ${shown}${why}. Write a JSON value, or open the stream with a binary content type.`,
    { cause },
  );
}
