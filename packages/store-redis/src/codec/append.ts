/** The items that the append script takes, and the results it gives, as its header describes them. */
import {
  type AppendRequest,
  type AppendSegment,
  mediaType,
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

/** A request in the form that the script takes. It shares nothing with the caller's objects. */
export interface EncodedRequest {
  readonly token: number;
  /** Records of each segment. */
  readonly counts: readonly number[];
  /** Records of all segments. */
  readonly records: number;
  /** Length of all items, in bytes or UTF-16 code units. */
  readonly size: number;
  /** Without the count where the request is `plain`. */
  readonly items: readonly RedisArgument[];
  /**
   * One segment of JSON texts that expects nothing: it is stored or refused together with the ones beside it, so that several become one
   * segment of the script.
   */
  readonly plain: boolean;
}

/** Encodes a request that passed `assertAppendRequest`. */
export function encodeRequest({ token = 0, segments }: AppendRequest): EncodedRequest {
  const items: RedisArgument[] = [];
  let records = 0;
  let plain = segments.length === 1;
  for (const segment of segments) {
    records += segment.records.length;
    const flags = flagsOf(segment);
    plain = plain && flags === TEXTS;
    if (!plain) encodeSegmentHeader(segment, flags, items);
    for (const record of segment.records) {
      if (flags & MIXED) items.push(encodeAttributes(record, segment.producer));
      items.push(encodePayload(record));
    }
  }
  let size = 0;
  for (const item of items) size += item.length;
  return { token, counts: segments.map((segment) => segment.records.length), records, size, items, plain };
}

/** The items of several requests one after the other, each under its own token. */
export function joinRequests(requests: readonly EncodedRequest[]): RedisArgument[] {
  const items: RedisArgument[] = [];
  let token = 0;
  for (const group of groupsOf(requests)) {
    const [first] = group;
    if (!first) continue;
    if (first.token !== token) items.push(`T${first.token}`);
    token = first.token;
    if (first.plain) items.push(String(recordsOf(group)));
    for (const request of group) for (const item of request.items) items.push(item);
  }
  return items;
}

/** What became of a request: its results, or the error that refused it as a whole. */
export type RequestResult = readonly SegmentResult[] | StreamFencedError;

/** Decodes the results of `requests`, in order. */
export function decodeResults(
  requests: readonly EncodedRequest[],
  head: StreamHead,
  [results, regressions]: readonly (RedisReply | undefined)[],
): RequestResult[] {
  const text = String(results);
  if (text === '') return consecutive(requests, head.nextPosition - recordsOf(requests));
  const codes = text.split(';');
  const sequences = Array.isArray(regressions) ? [...(regressions as readonly RedisReply[])] : [];
  let index = 0;
  return groupsOf(requests).flatMap((group) => {
    let offset = 0;
    return group.map((request) => {
      const own = request.plain ? codes.slice(index, index + 1) : codes.slice(index, (index += request.counts.length));
      const start = offset;
      offset += request.records;
      if (request.plain && offset === recordsOf(group)) index++;
      if (own[0]?.startsWith('8,')) return new StreamFencedError(head.id, request.token, Number(own[0].slice(2)));
      return own.map((code, segment) =>
        decodeResult(code, { head, sequences, offset: start, records: request.counts[segment] ?? 0 }),
      );
    });
  });
}

/** Neighbours that form one segment of the script, or single requests. */
function groupsOf(requests: readonly EncodedRequest[]): EncodedRequest[][] {
  const groups: EncodedRequest[][] = [];
  for (const request of requests) {
    const last = groups.at(-1);
    if (last?.[0]?.plain && request.plain && last[0].token === request.token) last.push(request);
    else groups.push([request]);
  }
  return groups;
}

function recordsOf(requests: readonly EncodedRequest[]): number {
  let records = 0;
  for (const request of requests) records += request.records;
  return records;
}

function consecutive(requests: readonly EncodedRequest[], start: number): RequestResult[] {
  let position = start;
  return requests.map(({ counts }) =>
    counts.map((count) => {
      const result = { status: 'ok', position, count, skipped: 0 } as const;
      position += count;
      return result;
    }),
  );
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
  /** Records that share the segment of the script and come before. */
  readonly offset: number;
  readonly records: number;
}

function decodeResult(code: string, { head, sequences, offset, records }: ResultContext): SegmentResult {
  const [status = '', first, second] = code.split(',');
  const value = Number(first);
  switch (status) {
    case '0': {
      const skipped = Number(second);
      return { status: 'ok', position: value + offset, count: Math.max(records - skipped, 0), skipped };
    }
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
