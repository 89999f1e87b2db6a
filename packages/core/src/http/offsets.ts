/** A place in a stream. */
export interface StreamOffset {
  /** Position of the next record. */
  readonly position: number;
  /** Bytes of that record already read. Above 0 only where a text record ends inside a code point. */
  readonly byte: number;
}

const DIGITS = 16;
const AT_START = `_${'0'.repeat(DIGITS)}`;
const OFFSET = /^\d{16}_\d{16}$/;

/** The token of an offset: fixed width, so that tokens sort as offsets do (PROTOCOL.md, "Offsets"). */
export function formatOffset(position: number, byte = 0): string {
  const place = String(position).padStart(DIGITS, '0');
  return byte === 0 ? place + AT_START : `${place}_${String(byte).padStart(DIGITS, '0')}`;
}

/** Reads an offset token; null for anything else, the sentinels `-1` and `now` included. */
export function parseOffset(token: string): StreamOffset | null {
  if (!OFFSET.test(token)) return null;
  const position = Number(token.slice(0, DIGITS));
  const byte = Number(token.slice(DIGITS + 1));
  return Number.isSafeInteger(position) && Number.isSafeInteger(byte) ? { position, byte } : null;
}
