import type { CancelRequest, ForkOrigin, ProducerState, StreamEnd, StreamHead } from '@perennial/core';

import type { RedisReply } from '../clients/port.ts';

/** The part of a head that never changes. */
type FixedHead = Pick<
  StreamHead,
  'incarnation' | 'contentType' | 'createdAt' | 'owner' | 'ttlMs' | 'expiresAt' | 'fork'
>;

/**
 * Decodes a head as scripts return it, see `lua/include/head.lua`.
 *
 * @param known What the script was told that the caller knows; supplies what it then leaves out.
 */
export function decodeHead(id: string, reply: RedisReply | undefined, known: FixedHead | undefined): StreamHead {
  const [counters, end, cancel, fixed] = Array.isArray(reply) ? (reply as readonly RedisReply[]) : [reply];
  const [nextPosition = '0', firstPosition = '0', token = '0', durationMs = '', beat = '0'] =
    String(counters).split(';');
  const { incarnation, contentType, createdAt, owner, ttlMs, expiresAt, fork } =
    known && !fixed ? known : decodeFixed(fixed);
  const endText = textOf(end);
  const cancelText = textOf(cancel);
  return {
    id,
    incarnation,
    contentType,
    createdAt,
    firstPosition: Number(firstPosition),
    nextPosition: Number(nextPosition),
    end: endText === null ? null : (JSON.parse(endText) as StreamEnd),
    cancel: cancelText === null ? null : decodeCancel(cancelText),
    lease: durationMs === '' ? null : { durationMs: Number(durationMs), beat: Number(beat) },
    owner,
    token: Number(token),
    ttlMs,
    expiresAt,
    fork,
  };
}

/** What the usual append leaves of a head: see `lua/include/usual-append.lua`. */
export function headAfterAppend(known: StreamHead, nextPosition: number, token: number): StreamHead {
  const { id, incarnation, contentType, createdAt, owner, ttlMs, expiresAt, fork } = known;
  return {
    id,
    incarnation,
    contentType,
    createdAt,
    firstPosition: 0,
    nextPosition,
    end: null,
    cancel: null,
    lease: null,
    owner,
    token,
    ttlMs,
    expiresAt,
    fork,
  };
}

/** Encodes a time to live as the meta hash keeps it; '' = none. */
export function encodeLife(ttlMs: number | undefined, expiresAt: number | undefined): string {
  if (ttlMs !== undefined) return `s${ttlMs}`;
  return expiresAt === undefined ? '' : `a${expiresAt}`;
}

/** Decodes a producer's `epoch:next sequence`. */
export function decodeProducer(value: RedisReply | undefined): ProducerState | null {
  const state = textOf(value);
  if (state === null) return null;
  const [epoch = '0', nextSeq = '0'] = state.split(':');
  return { epoch: Number(epoch), nextSeq: Number(nextSeq) };
}

/** The records and the end a stream has: it never shrinks while its incarnation lives. */
export function lengthOf(head: StreamHead): number {
  return head.nextPosition + (head.end ? 1 : 0);
}

function decodeFixed(fixed: RedisReply | undefined): FixedHead {
  const [incarnation, contentType, createdAt, owner, life, origin] = Array.isArray(fixed)
    ? (fixed as readonly RedisReply[])
    : [];
  const lifeText = textOf(life);
  const limit = lifeText === null ? null : Number(lifeText.slice(1));
  const sliding = lifeText?.startsWith('s') ?? false;
  return {
    incarnation: textOf(incarnation) ?? '',
    contentType: textOf(contentType) ?? '',
    createdAt: Number(textOf(createdAt) ?? 0),
    owner: textOf(owner),
    ttlMs: sliding ? limit : null,
    expiresAt: sliding ? null : limit,
    fork: decodeOrigin(origin),
  };
}

/** Decodes where a fork comes from; null for a stream that is none. */
export function decodeOrigin(value: RedisReply | undefined): ForkOrigin | null {
  const text = textOf(value);
  return text === null ? null : (JSON.parse(text) as ForkOrigin);
}

function decodeCancel(value: string): CancelRequest {
  const separator = value.indexOf(';');
  if (separator === -1) return { requestedAt: Number(value) };
  return { reason: value.slice(separator + 1), requestedAt: Number(value.slice(0, separator)) };
}

function textOf(value: RedisReply | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}
