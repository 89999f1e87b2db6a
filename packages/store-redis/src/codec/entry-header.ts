/** Headers of the entries of a log, as the header of the append script describes them. */
import { StreamError } from '@perennial/core';

/** What the records of an entry share: `p` producer, `e` epoch, `s` step, `a` attempt, `x` the `belowAttempt` of a supersede record. */
export interface Attributes {
  readonly p?: string;
  readonly e?: number;
  readonly s?: string;
  readonly a?: number;
  readonly x?: number;
}

/** A decoded header. */
export interface EntryHeader {
  readonly timestamp: number;
  /** Records in the entry. */
  readonly count: number;
  /** The sequence of all records, or its difference from their position. */
  readonly sequence: number;
  readonly isDifference: boolean;
  readonly attributes: Attributes;
  /** Where the payloads begin. */
  readonly bytes: number;
}

const LINE_FEED = 0x0a;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const MINUS = 0x2d;
const ZERO = 0x30;
const NO_ATTRIBUTES: Attributes = {};

/**
 * Decodes the headers of one page, one after the other: digits as they come, because making text of them and splitting it takes as long as
 * everything else that a record costs, and attributes once where neighbours have the same.
 */
export class HeaderDecoder {
  #entry: Buffer = Buffer.alloc(0);
  #at = 0;
  /** The attributes decoded last, and their text with its line feed. */
  #known: Attributes = NO_ATTRIBUTES;
  #text: Buffer = Buffer.from('\n');

  /** @throws `CORRUPT` for a header that no version of this store wrote. */
  decode(entry: Buffer): EntryHeader {
    this.#entry = entry;
    this.#at = 0;
    const timestamp = this.#number();
    if (entry[this.#at] === LINE_FEED)
      return { timestamp, count: 1, sequence: 0, isDifference: true, attributes: NO_ATTRIBUTES, bytes: this.#at + 1 };
    this.#skip(SEMICOLON);
    const count = this.#digits();
    this.#skip(SEMICOLON);
    const isDifference = entry[this.#at] !== EQUALS;
    if (!isDifference) this.#at++;
    const isNegative = entry[this.#at] === MINUS;
    if (isNegative) this.#at++;
    const size = entry[this.#at] === SEMICOLON ? 0 : this.#digits();
    this.#skip(SEMICOLON);
    const attributes = this.#attributes();
    return { timestamp, count, sequence: isNegative ? -size : size, isDifference, attributes, bytes: this.#at };
  }

  /** A time, which may have a fraction where the clock that was handed in has one. */
  #number(): number {
    const whole = this.#digits();
    const next = this.#entry[this.#at];
    if (next === SEMICOLON || next === LINE_FEED) return whole;
    const end = this.#entry.findIndex((byte) => byte === SEMICOLON || byte === LINE_FEED);
    const value = Number(this.#entry.toString('latin1', 0, end));
    if (end === -1 || Number.isNaN(value)) throw unknownEntry();
    this.#at = end;
    return value;
  }

  #digits(): number {
    const entry = this.#entry;
    let value = 0;
    let at = this.#at;
    for (let digit = (entry[at] ?? 0) - ZERO; digit >= 0 && digit <= 9; digit = (entry[++at] ?? 0) - ZERO)
      value = value * 10 + digit;
    if (at === this.#at) throw unknownEntry();
    this.#at = at;
    return value;
  }

  #skip(byte: number): void {
    if (this.#entry[this.#at++] !== byte) throw unknownEntry();
  }

  #attributes(): Attributes {
    const entry = this.#entry;
    const start = this.#at;
    const text = this.#text;
    let same = 0;
    while (same < text.length && entry[start + same] === text[same]) same++;
    if (same < text.length) {
      const end = entry.indexOf(LINE_FEED, start);
      if (end === -1) throw unknownEntry();
      this.#known = end === start ? NO_ATTRIBUTES : parse(entry.toString('utf8', start, end));
      this.#text = entry.subarray(start, end + 1);
    }
    this.#at = start + this.#text.length;
    return this.#known;
  }
}

/** Records in an entry. */
export function countOf(entry: Buffer): number {
  let at = 0;
  while (at < entry.length && entry[at] !== SEMICOLON && entry[at] !== LINE_FEED) at++;
  if (entry[at] !== SEMICOLON) return 1;
  let count = 0;
  for (let byte = entry[++at] ?? 0; byte >= ZERO && byte <= ZERO + 9; byte = entry[++at] ?? 0)
    count = count * 10 + byte - ZERO;
  return count;
}

/** Why an entry cannot be decoded. */
export function unknownEntry(cause?: unknown): StreamError<'CORRUPT'> {
  return new StreamError('CORRUPT', 'A record in Redis has a form that this store did not write.', { cause });
}

function parse(text: string): Attributes {
  try {
    return JSON.parse(text) as Attributes;
  } catch (cause) {
    throw unknownEntry(cause);
  }
}
