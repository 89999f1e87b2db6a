import { assertEnd } from '../log/append-request.ts';
import type { StreamEnd } from '../log/end.ts';
import type { SegmentProducer } from '../log/store.ts';
import type { RoutedRequest } from './http-request.ts';
import { parseOffset, type StreamOffset } from './offsets.ts';
import { badRequest } from './problem.ts';
import { parseCount } from './query.ts';
import { HEADER, OFFSET_NOW, OFFSET_START } from './wire.ts';

const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** `Stream-TTL` in ms or `Stream-Expires-At` as ms since the Unix epoch; throws a 400 for both at once and for malformed values. */
export function readLifetime({ headers }: RoutedRequest): { readonly ttlMs?: number; readonly expiresAt?: number } {
  const ttl = headers.get(HEADER.ttl);
  const expiresAt = headers.get(HEADER.expiresAt);
  if (ttl !== null && expiresAt !== null)
    throw badRequest(HEADER.expiresAt, `Send ${HEADER.ttl} or ${HEADER.expiresAt}, not both.`);
  if (ttl !== null) {
    const ttlMs = parseCount(HEADER.ttl, ttl) * 1_000;
    if (!Number.isSafeInteger(ttlMs)) throw badRequest(HEADER.ttl, `${HEADER.ttl} is too long: ${ttl} seconds.`);
    return { ttlMs };
  }
  return expiresAt === null ? {} : { expiresAt: parseTimestamp(expiresAt) };
}

/** The typed end a request asks for: `Perennial-End`, `completed` with a bare `Stream-Closed: true`, or undefined. */
export function readEnd({ headers }: RoutedRequest): StreamEnd | undefined {
  const closed = headers.get(HEADER.closed)?.toLowerCase();
  const end = headers.get(HEADER.end);
  if (closed !== undefined && closed !== 'true' && closed !== 'false')
    throw badRequest(
      HEADER.closed,
      `${HEADER.closed} is 'true' or absent; got ${JSON.stringify(closed.slice(0, 40))}.`,
    );
  if (end === null) return closed === 'true' ? { outcome: 'completed' } : undefined;
  if (closed !== 'true') throw badRequest(HEADER.end, `${HEADER.end} needs ${HEADER.closed}: true.`);
  return parseEnd(end);
}

/** `Producer-Id`, `-Epoch` and `-Seq`, or undefined; throws a 400 unless all or none of them are there and well formed. */
export function readProducer({ headers }: RoutedRequest): SegmentProducer | undefined {
  const id = headers.get(HEADER.producerId);
  const epoch = headers.get(HEADER.producerEpoch);
  const seq = headers.get(HEADER.producerSeq);
  if (id === null && epoch === null && seq === null) return undefined;
  if (id === null || epoch === null || seq === null) {
    throw badRequest(
      HEADER.producerId,
      `${HEADER.producerId}, ${HEADER.producerEpoch} and ${HEADER.producerSeq} go together; some are missing.`,
    );
  }
  if (id === '') throw badRequest(HEADER.producerId, `${HEADER.producerId} may not be empty.`);
  return { id, epoch: parseCount(HEADER.producerEpoch, epoch), seq: parseCount(HEADER.producerSeq, seq) };
}

/** `Stream-Seq`; throws a 400 for an empty one. */
export function readStreamSeq({ headers }: RoutedRequest): string | undefined {
  const seq = headers.get(HEADER.seq);
  if (seq === '') throw badRequest(HEADER.seq, `${HEADER.seq} may not be empty.`);
  return seq ?? undefined;
}

/** `Perennial-Expected-Position`. */
export function readExpectedPosition({ headers }: RoutedRequest): number | undefined {
  const position = headers.get(HEADER.expectedPosition);
  return position === null ? undefined : parseCount(HEADER.expectedPosition, position);
}

/** What a `PUT` asks for with the fork headers of the base protocol. */
export interface ForkHeaders {
  /** `Stream-Forked-From`: where the source is. */
  readonly from: string;
  /** `Stream-Fork-Offset`; null = the tail. */
  readonly offset: StreamOffset | 'start' | null;
  /** `Stream-Fork-Sub-Offset`: bytes, or JSON values, behind the offset. */
  readonly subOffset: number;
}

/** Reads the fork headers; null when the request is not for a fork. */
export function readForkHeaders({ headers }: RoutedRequest): ForkHeaders | null {
  const from = headers.get(HEADER.forkedFrom);
  if (from === null) {
    for (const name of [HEADER.forkOffset, HEADER.forkSubOffset])
      if (headers.get(name) !== null) throw badRequest(name, `${name} needs ${HEADER.forkedFrom} beside it.`);
    return null;
  }
  const sub = headers.get(HEADER.forkSubOffset);
  const subOffset = sub === null ? 0 : parseCount(HEADER.forkSubOffset, sub);
  const token = headers.get(HEADER.forkOffset);
  const offset = token === null || token === OFFSET_NOW ? null : token === OFFSET_START ? 'start' : parseOffset(token);
  if (offset === null && token !== null && token !== OFFSET_NOW)
    throw badRequest(
      HEADER.forkOffset,
      `${HEADER.forkOffset} must be an offset of the source; got ${JSON.stringify(token.slice(0, 40))}.`,
    );
  if (offset === null && subOffset > 0)
    throw badRequest(
      HEADER.forkSubOffset,
      `${HEADER.forkSubOffset} needs ${HEADER.forkOffset}: nothing is behind the tail.`,
    );
  return { from, offset, subOffset };
}

function parseTimestamp(text: string): number {
  const match = RFC_3339.exec(text);
  const time = match ? Date.parse(text) : NaN;
  // `Date.parse` turns 30 February into 1 March: only a date that survives the round trip was one.
  const days = new Date(Date.UTC(Number(match?.[1]), Number(match?.[2]) - 1, Number(match?.[3]))).getUTCDate();
  if (!Number.isSafeInteger(time) || time < 0 || days !== Number(match?.[3])) {
    throw badRequest(
      HEADER.expiresAt,
      `${HEADER.expiresAt} must be an RFC 3339 time such as 2026-01-31T12:00:00Z; got ${JSON.stringify(text.slice(0, 40))}.`,
    );
  }
  return time;
}

function parseEnd(text: string): StreamEnd {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badRequest(HEADER.end, `${HEADER.end} must be JSON such as {"outcome":"completed"}.`);
  }
  return decodeEnd(value);
}

/** Checks an end that came as JSON; throws INVALID_ARGUMENT for anything else. Unknown members are dropped. */
export function decodeEnd(value: unknown): StreamEnd {
  assertEnd(value as StreamEnd);
  const { outcome, error, reason } = value as StreamEnd;
  if (!error) return { outcome, ...(reason !== undefined && { reason }) };
  const { code, message, name, stack } = error;
  const failure = {
    code,
    message,
    ...(name !== undefined && { name }),
    ...(stack !== undefined && { stack }),
    ...(error.public === true && { public: true as const }),
  };
  return { outcome, error: failure, ...(reason !== undefined && { reason }) };
}
