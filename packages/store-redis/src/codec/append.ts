/** The arguments and the results of the append script, as its header describes them. */
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
import { encodeRecords } from './record.ts';

const PRODUCER = 1;
const WHOLE = 2;
const END = 4;
const CONTENT_TYPE = 8;
const EXPECTED = 16;
const STREAM_SEQ = 32;
const TEXTS = 64;
const BYTES = 128;

/** A request in the form that the script takes. It shares nothing with the caller's objects. */
export interface EncodedRequest {
  readonly token: number;
  /** Records of each segment. */
  readonly counts: readonly number[];
  /** Records of all segments. */
  readonly records: number;
  /** Length of all items, in bytes or UTF-16 code units. */
  readonly size: number;
  readonly items: readonly RedisArgument[];
}

/** Encodes a request that passed `assertAppendRequest`. */
export function encodeRequest({ token = 0, segments }: AppendRequest): EncodedRequest {
  const items: RedisArgument[] = [];
  for (const segment of segments) encodeSegment(segment, items);
  const counts = segments.map(({ records }) => records.length);
  let records = 0;
  for (const count of counts) records += count;
  let size = 0;
  for (const item of items) size += item.length;
  return { token, counts, records, size, items };
}

/** The items of several requests one after the other, each under its own token. */
export function joinRequests(requests: readonly EncodedRequest[]): RedisArgument[] {
  const items: RedisArgument[] = [];
  let token = 0;
  for (const request of requests) {
    if (request.token !== token) items.push(`T${request.token}`);
    token = request.token;
    for (const item of request.items) items.push(item);
  }
  return items;
}

function encodeSegment(segment: AppendSegment, items: RedisArgument[]): void {
  const { records, producer, sequencing, end, contentType, expectedPosition, streamSeq } = segment;
  const flags =
    (producer ? PRODUCER : 0) |
    (sequencing === 'segment' ? WHOLE : 0) |
    (end ? END : 0) |
    (contentType === undefined ? 0 : CONTENT_TYPE) |
    (expectedPosition === undefined ? 0 : EXPECTED) |
    (streamSeq === undefined ? 0 : STREAM_SEQ) |
    payloadKinds(segment);
  if (flags === TEXTS) items.push(String(records.length));
  else {
    items.push(`${records.length},${flags},${producer?.seq ?? ''},${producer?.epoch ?? ''},${expectedPosition ?? ''}`);
    if (producer) items.push(producer.id);
    if (end) items.push(JSON.stringify(end));
    if (contentType !== undefined) items.push(mediaType(contentType));
    if (streamSeq !== undefined) items.push(encodeUtf16(streamSeq));
  }
  for (const item of encodeRecords(records, producer, sequencing === 'segment')) items.push(item);
}

function payloadKinds({ records }: AppendSegment): number {
  let kinds = 0;
  for (const record of records) {
    if (record.kind !== 'supersede') kinds |= typeof record.data === 'string' ? TEXTS : BYTES;
  }
  return kinds;
}

/** What became of a request: its results, or the error that refused it as a whole. */
export type RequestResult = readonly SegmentResult[] | StreamFencedError;

/** Decodes the results of `requests`, in order. */
export function decodeResults(
  requests: readonly EncodedRequest[],
  head: StreamHead,
  [results, regressions]: readonly (RedisReply | undefined)[],
): RequestResult[] {
  const codes = String(results).split(';');
  const sequences = Array.isArray(regressions) ? [...(regressions as readonly RedisReply[])] : [];
  let index = 0;
  return requests.map((request) => {
    const own = codes.slice(index, (index += request.counts.length));
    const [first = ''] = own;
    if (first.startsWith('8,')) return new StreamFencedError(head.id, request.token, Number(first.slice(2)));
    return own.map((code, segment) => decodeResult(code, request.counts[segment] ?? 0, head, sequences));
  });
}

function decodeResult(code: string, records: number, head: StreamHead, sequences: RedisReply[]): SegmentResult {
  const [status, first, second] = code.split(',');
  const value = Number(first);
  switch (status) {
    case '0': {
      const skipped = Number(second);
      return { status: 'ok', position: value, count: Math.max(records - skipped, 0), skipped };
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
