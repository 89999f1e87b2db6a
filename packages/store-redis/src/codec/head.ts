import {
  type CancelRequest,
  type ForkOrigin,
  JSON_CONTENT_TYPE,
  mediaType,
  type ProducerState,
  type StreamEnd,
  type StreamHead,
} from '@perennial/core';

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

/**
 * The field that counts the records of a stream of which nothing is unusual, see `lua/include/head.lua`; null where the head shows that
 * there is none. There may be none for reasons that no head shows.
 */
export function usualCounter(head: StreamHead): string | null {
  const { incarnation, contentType, firstPosition, nextPosition, end, cancel, lease, token, fork } = head;
  const unusual = nextPosition === 0 || firstPosition > 0 || end || cancel || fork || isMortal(head);
  if (unusual || (contentType !== JSON_CONTENT_TYPE && mediaType(contentType) !== JSON_CONTENT_TYPE)) return null;
  return `n;${incarnation};${token}${lease ? `;${lease.durationMs};${lease.beat}` : ''}`;
}

function isMortal({ ttlMs, expiresAt }: StreamHead): boolean {
  return ttlMs !== null || expiresAt !== null;
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
