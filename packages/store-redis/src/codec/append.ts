/** The items that the append script takes, and the results it gives, as its header describes them. */
import {
  type AppendRequest,
  type AppendSegment,
  mediaType,
  type SegmentProducer,
  type SegmentResult,
  StreamError,
  StreamFencedError,
  type StreamHead,
} from '@perennial/core';

import type { RedisArgument, RedisReply } from '../clients/port.ts';
import { decodeUtf16, encodeUtf16 } from './ordered-text.ts';
import { encodeAttributes, encodePayload, isUniform } from './record.ts';

const PRODUCER = 1;
const WHOLE = 2;
const END = 4;
const CONTENT_TYPE = 8;
const EXPECTED = 16;
const STREAM_SEQ = 32;
const TEXTS = 64;
const BYTES = 128;
const ATTRIBUTES = 256;
const MIXED = 512;

/** Most records of an entry, and most bytes of one that has several, as in `lua/append.lua`. */
const ENTRY_RECORDS = 128;
const ENTRY_BYTES = 16_384;

/** Most bytes of UTF-8 that a UTF-16 code unit becomes. */
const BYTES_PER_UNIT = 3;

/** A request in the form that the script takes. It shares nothing with the caller's objects. */
export interface EncodedRequest {
  readonly token: number;
  /** Records of each segment. */
  readonly counts: readonly number[];
  /** Records of all segments. */
  readonly records: number;
  /** Length of all items, in bytes or UTF-16 code units. */
  readonly size: number;
  /** Without the segment's header where the request is `joinable`. */
  readonly items: readonly RedisArgument[];
  /**
   * Set for one segment of JSON texts that expects nothing but its producer's sequence. Next to others of its kind that go on where it
   * stops, it becomes one segment of the script with them.
   */
  readonly joinable: { readonly producer: SegmentProducer | undefined } | null;
}

/** Encodes a request that passed `assertAppendRequest`. */
export function encodeRequest({ token = 0, segments }: AppendRequest): EncodedRequest {
  const items: RedisArgument[] = [];
  const counts: number[] = [];
  let records = 0;
  let joinable: EncodedRequest['joinable'] = null;
  for (const segment of segments) {
    counts.push(segment.records.length);
    records += segment.records.length;
    const flags = flagsOf(segment);
    if (segments.length === 1 && isJoinable(segment, flags)) joinable = { producer: copyOf(segment.producer) };
    else encodeSegmentHeader(segment, flags, items);
    for (const record of segment.records) {
      if (flags & MIXED) items.push(encodeAttributes(record, segment.producer));
      items.push(encodePayload(record));
    }
  }
  let size = 0;
  for (const item of items) size += item.length;
  return { token, counts, records, size, items, joinable };
}

/**
 * True for requests that become one segment of JSON texts which fits into one entry. They hold nothing but these texts then, and share the
 * token and the producer of the first.
 */
export function isUsual(requests: readonly EncodedRequest[]): boolean {
  if (!requests[0]?.joinable || endOfGroup(requests, 0) < requests.length) return false;
  const records = recordsOf(requests, 0, requests.length);
  return records === 1 || (records <= ENTRY_RECORDS && isWithin(ENTRY_BYTES, requests));
}

/** Adds the items of several requests one after the other, each under its own token. */
export function joinRequests(requests: readonly EncodedRequest[], items: RedisArgument[]): void {
  let token = 0;
  for (let start = 0, end = 0; start < requests.length; start = end) {
    end = endOfGroup(requests, start);
    const first = requests[start];
    if (!first) continue;
    if (first.token !== token) items.push(`T${first.token}`);
    token = first.token;
    if (first.joinable) encodeJointHeader(first.joinable.producer, recordsOf(requests, start, end), items);
    for (let i = start; i < end; i++) for (const item of requests[i]?.items ?? []) items.push(item);
  }
}

/** What became of a request: its results, or the error that refused it as a whole. */
export type RequestResult = readonly SegmentResult[] | StreamFencedError;

/** Decodes the results of `requests`, in order. */
export function decodeResults(
  requests: readonly EncodedRequest[],
  head: StreamHead,
  [results, regressions]: readonly (RedisReply | undefined)[],
): RequestResult[] {
  const text = String(results ?? '');
  if (text === '') return storedBefore(head.nextPosition, requests);
  const codes = text.split(';');
  const sequences = Array.isArray(regressions) ? [...(regressions as readonly RedisReply[])] : [];
  let index = 0;
  return groupsOf(requests).flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const own = codes.slice(index, (index += first.counts.length));
    let offset = 0;
    return group.map((request): RequestResult => {
      const start = offset;
      offset += request.records;
      if (own[0]?.startsWith('8,')) return new StreamFencedError(head.id, request.token, Number(own[0].slice(2)));
      return own.map((code, segment) => {
        const joint = { offset: start, producer: first.joinable?.producer };
        return decodeResult(code, { head, sequences, joint, records: request.counts[segment] ?? 0 });
      });
    });
  });
}

/** The results of requests of which everything was stored, one after the other, up to a position. */
export function storedBefore(nextPosition: number, requests: readonly EncodedRequest[]): RequestResult[] {
  let position = nextPosition - recordsOf(requests, 0, requests.length);
  return requests.map(({ counts }) =>
    counts.map((count) => {
      const result = { status: 'ok', position, count, skipped: 0 } as const;
      position += count;
      return result;
    }),
  );
}

/** Neighbours that form one segment of the script, or single requests. */
function groupsOf(requests: readonly EncodedRequest[]): (readonly EncodedRequest[])[] {
  const groups: (readonly EncodedRequest[])[] = [];
  for (let start = 0, end = 0; start < requests.length; start = end) {
    end = endOfGroup(requests, start);
    groups.push(requests.slice(start, end));
  }
  return groups;
}

/** Where the group ends that starts at an index. */
function endOfGroup(requests: readonly EncodedRequest[], start: number): number {
  let last = requests[start];
  let end = start + 1;
  for (let next = requests[end]; last && next && goesOn(last, next); next = requests[++end]) last = next;
  return end;
}

/** True when one segment of the script can be made of the two. */
function goesOn(before: EncodedRequest, { joinable, token }: EncodedRequest): boolean {
  if (!before.joinable || !joinable || before.token !== token) return false;
  const [earlier, later] = [before.joinable.producer, joinable.producer];
  if (!earlier || !later) return earlier === later;
  return later.id === earlier.id && later.epoch === earlier.epoch && later.seq === earlier.seq + before.records;
}

function isJoinable({ records, sequencing }: AppendSegment, flags: number): boolean {
  if (flags === TEXTS) return true;
  return flags === (TEXTS | PRODUCER | ATTRIBUTES) && sequencing !== 'segment' && records[0]?.step === undefined;
}

function copyOf(producer: SegmentProducer | undefined): SegmentProducer | undefined {
  return producer && { id: producer.id, epoch: producer.epoch, seq: producer.seq };
}

function encodeJointHeader(producer: SegmentProducer | undefined, records: number, items: RedisArgument[]): void {
  if (!producer) {
    items.push(String(records));
    return;
  }
  const flags = TEXTS | PRODUCER | ATTRIBUTES;
  items.push(
    `${records},${flags},${producer.seq},${producer.epoch},`,
    producer.id,
    encodeAttributes(undefined, producer),
  );
}

function recordsOf(requests: readonly EncodedRequest[], start: number, end: number): number {
  let records = 0;
  for (let i = start; i < end; i++) records += requests[i]?.records ?? 0;
  return records;
}

/** True when the items have at most that many bytes. */
function isWithin(bytes: number, requests: readonly EncodedRequest[]): boolean {
  let units = 0;
  for (const { size } of requests) units += size;
  if (units > bytes || units * BYTES_PER_UNIT <= bytes) return units <= bytes;
  let left = bytes;
  for (const { items } of requests) for (const item of items) left -= Buffer.byteLength(item);
  return left >= 0;
}

function flagsOf(segment: AppendSegment): number {
  const { records, producer, sequencing, end, contentType, expectedPosition, streamSeq } = segment;
  let flags =
    (producer ? PRODUCER : 0) |
    (sequencing === 'segment' ? WHOLE : 0) |
    (end ? END : 0) |
    (contentType === undefined ? 0 : CONTENT_TYPE) |
    (expectedPosition === undefined ? 0 : EXPECTED) |
    (streamSeq === undefined ? 0 : STREAM_SEQ);
  let steps = false;
  for (const record of records) {
    if (record.step !== undefined) steps = true;
    if (record.kind !== 'supersede') flags |= typeof record.data === 'string' ? TEXTS : BYTES;
  }
  if (steps && !isUniform(records)) flags |= MIXED;
  else if (steps || producer) flags |= ATTRIBUTES;
  return flags;
}

function encodeSegmentHeader(segment: AppendSegment, flags: number, items: RedisArgument[]): void {
  const { records, producer, end, contentType, expectedPosition, streamSeq } = segment;
  if (flags === TEXTS) {
    items.push(String(records.length));
    return;
  }
  items.push(`${records.length},${flags},${producer?.seq ?? ''},${producer?.epoch ?? ''},${expectedPosition ?? ''}`);
  if (producer) items.push(producer.id);
  if (end) items.push(JSON.stringify(end));
  if (contentType !== undefined) items.push(mediaType(contentType));
  if (streamSeq !== undefined) items.push(encodeUtf16(streamSeq));
  if (flags & ATTRIBUTES) items.push(encodeAttributes(records[0], producer));
}

interface ResultContext {
  readonly head: StreamHead;
  readonly sequences: RedisReply[];
  /** The records that share the segment of the script and come before, and the producer of that segment. */
  readonly joint: { readonly offset: number; readonly producer: SegmentProducer | undefined };
  readonly records: number;
}

function decodeResult(code: string, { head, sequences, joint, records }: ResultContext): SegmentResult {
  const [status = '', first, second] = code.split(',');
  const value = Number(first);
  // How many of the records of the segment had been stored before, and how many of those come after the offset.
  const before = status === '0' ? Number(second) : status === '3' || status === '4' ? value : 0;
  const skipped = Math.max(before - joint.offset, 0);
  if (joint.producer && skipped >= records && skipped > 0)
    return { status: 'duplicate', nextSeq: joint.producer.seq + before };
  switch (status) {
    case '0':
      return {
        status: 'ok',
        position: value + Math.max(joint.offset - before, 0),
        count: Math.max(records - skipped, 0),
        skipped,
      };
    case '1':
      return { status: 'duplicate', nextSeq: value };
    case '2':
      return { status: 'stale-epoch', epoch: value };
    case '3':
      // An end is written once, so the head's is the one that refused.
      if (head.end) return { status: 'closed', end: head.end };
      break;
    case '4':
      return { status: 'content-type', contentType: head.contentType };
    case '5':
      return { status: 'gap', expectedSeq: value };
    case '6': {
      const sequence = sequences.shift();
      if (Buffer.isBuffer(sequence)) return { status: 'regression', streamSeq: decodeUtf16(sequence) };
      break;
    }
    case '7':
      return { status: 'conflict', nextPosition: value };
  }
  throw new StreamError('STORE_ERROR', `The append script answered ${code}, which this version does not know.`);
}
