import type { StreamEnd } from '../log/end.ts';
import { InvalidArgumentError, quote } from '../log/errors.ts';
import type { NewRecord, ProducerStamp, StreamRecord } from '../log/record.ts';
import type { AppendRequest, AppendSegment, CreateOptions, Mark } from '../log/store.ts';
import { fromBase64, toBase64 } from './base64.ts';

/**
 * A record in the store port's JSON (PROTOCOL.md, "The store port over HTTP"). Exactly one of `j`, `b` and `x` is there; `p`, `t` and `w`
 * only in records that are stored.
 */
export interface StoreWireRecord {
  readonly p?: number;
  readonly t?: number;
  /** The stored JSON text, as a string: nothing that parses the message can touch it. */
  readonly j?: string;
  /** Base64 of the stored bytes. */
  readonly b?: string;
  readonly s?: string;
  readonly a?: number;
  readonly x?: { readonly step: string; readonly belowAttempt: number };
  /** Who wrote it: id, epoch, sequence. */
  readonly w?: readonly [id: string, epoch: number, seq: number];
}

/** Encodes a record, stored or new. */
export function encodeStoreRecord(record: StreamRecord | NewRecord): StoreWireRecord {
  const place =
    'position' in record
      ? { p: record.position, t: record.timestamp, ...(record.producer && { w: encodeStamp(record.producer) }) }
      : {};
  if (record.kind === 'supersede') return { ...place, x: { step: record.step, belowAttempt: record.belowAttempt } };
  const data = typeof record.data === 'string' ? { j: record.data } : { b: toBase64(record.data) };
  return {
    ...place,
    ...data,
    ...(record.step !== undefined && { s: record.step }),
    ...(record.attempt !== undefined && { a: record.attempt }),
  };
}

/** Decodes a stored record. */
export function decodeStoredRecord({ p = 0, t = 0, j, b, s, a, x, w }: StoreWireRecord): StreamRecord {
  const place = { position: p, timestamp: t, ...(w && { producer: { id: w[0], epoch: w[1], seq: w[2] } }) };
  if (x) return { kind: 'supersede', ...place, step: x.step, belowAttempt: x.belowAttempt };
  const data = j ?? fromBase64(b ?? '');
  return { kind: 'data', ...place, data, ...(s !== undefined && { step: s }), ...(a !== undefined && { attempt: a }) };
}

/** The body of a `perennial-append` request. */
export function encodeAppendRequest({ segments, token }: AppendRequest): unknown {
  return {
    ...(token !== undefined && { token }),
    segments: segments.map((segment) => ({ ...segment, records: segment.records.map(encodeStoreRecord) })),
  };
}

/** The body of a `perennial-create` request. */
export function encodeCreateOptions({ records, ...options }: CreateOptions): unknown {
  return { ...options, ...(records && { records: records.map(encodeStoreRecord) }) };
}

/** Reads what {@link encodeAppendRequest} wrote. Shapes only: values are the append rules' to judge. */
export function decodeAppendRequest(body: unknown, decodeEnd: (value: unknown) => StreamEnd): AppendRequest {
  const { token, segments } = asObject('body', body);
  if (!Array.isArray(segments))
    throw new InvalidArgumentError('segments', `\`segments\` must be an array; got ${quote(segments)}.`);
  return {
    ...(token !== undefined && { token: token as number }),
    segments: segments.map((segment) => decodeSegment(segment, decodeEnd)),
  };
}

/** Reads what {@link encodeCreateOptions} wrote. */
export function decodeCreateOptions(body: unknown, decodeEnd: (value: unknown) => StreamEnd): CreateOptions {
  const options = asObject('body', body);
  const { records, end } = options;
  return {
    ...pick(options, ['contentType', 'ttlMs', 'expiresAt', 'leaseMs', 'owner', 'token', 'fork']),
    ...(records !== undefined && { records: decodeRecords(records) }),
    ...(end !== undefined && { end: decodeEnd(end) }),
  };
}

/** Reads the body of a `perennial-mark` request. Which members belong together, and what they may be, is for `assertMark` to say. */
export function decodeMark(body: unknown): Mark {
  return pick(asObject('body', body), ['type', 'reason', 'token', 'durationMs', 'nonce']) as unknown as Mark;
}

function decodeSegment(value: unknown, decodeEnd: (value: unknown) => StreamEnd): AppendSegment {
  const segment = asObject('segments', value);
  const { records, end } = segment;
  return {
    ...pick(segment, ['producer', 'sequencing', 'contentType', 'expectedPosition', 'streamSeq']),
    records: decodeRecords(records),
    ...(end !== undefined && { end: decodeEnd(end) }),
  };
}

function decodeRecords(value: unknown): NewRecord[] {
  if (!Array.isArray(value))
    throw new InvalidArgumentError('records', `\`records\` must be an array; got ${quote(value)}.`);
  return value.map(decodeNewRecord);
}

function decodeNewRecord(value: unknown): NewRecord {
  const { j, b, s, a, x } = asObject('records', value);
  if (x !== undefined) {
    const { step, belowAttempt } = asObject('x', x);
    return { kind: 'supersede', step: step as string, belowAttempt: belowAttempt as number };
  }
  if ((typeof j === 'string') === (typeof b === 'string'))
    throw new InvalidArgumentError(
      'records',
      `A record has exactly one of \`j\` (JSON text), \`b\` (base64) and \`x\`; got ${quote(value)}.`,
    );
  return {
    data: typeof j === 'string' ? j : fromBase64(String(b)),
    ...(s !== undefined && { step: s as string }),
    ...(a !== undefined && { attempt: a as number }),
  };
}

function encodeStamp({ id, epoch, seq }: ProducerStamp): readonly [string, number, number] {
  return [id, epoch, seq];
}

/** The named members that are there. Whatever else a client sends stays outside. */
function pick(object: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => object[name] !== undefined).map((name) => [name, object[name]]));
}

function asObject(name: string, value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidArgumentError(name, `\`${name}\` must be an object; got ${quote(value)}.`);
  return value as Record<string, unknown>;
}
