import type { CancelRequest, ProducerState, StreamEnd, StreamHead } from '@perennial/core';

import type { RedisReply } from '../clients/port.ts';

/** Decodes the head as scripts return it: the first fields named in `lua/include/head.lua`, in their order. */
export function decodeHead(id: string, fields: RedisReply | undefined): StreamHead {
  const values = Array.isArray(fields) ? (fields as readonly RedisReply[]) : [];
  const field = (index: number): string | null => text(values[index]);
  const count = (index: number): number => Number(field(index) ?? 0);
  const optional = (index: number): number | null => {
    const value = field(index);
    return value === null ? null : Number(value);
  };
  const end = field(5);
  const cancel = field(6);
  const durationMs = optional(7);
  return {
    id,
    incarnation: field(0) ?? '',
    contentType: field(1) ?? '',
    createdAt: count(2),
    firstPosition: count(3),
    nextPosition: count(4),
    end: end === null ? null : (JSON.parse(end) as StreamEnd),
    cancel: cancel === null ? null : decodeCancel(cancel),
    lease: durationMs === null ? null : { durationMs, beat: count(8) },
    owner: field(9),
    token: count(10),
    ttlMs: optional(11),
    expiresAt: optional(12),
  };
}

/** Decodes a producer's `epoch:next sequence`. */
export function decodeProducer(value: RedisReply | undefined): ProducerState | null {
  const state = text(value);
  if (state === null) return null;
  const [epoch = '0', nextSeq = '0'] = state.split(':');
  return { epoch: Number(epoch), nextSeq: Number(nextSeq) };
}

/** The records and the end a stream has: it never shrinks while its incarnation lives. */
export function lengthOf(head: StreamHead): number {
  return head.nextPosition + (head.end ? 1 : 0);
}

function decodeCancel(value: string): CancelRequest {
  const separator = value.indexOf(';');
  if (separator === -1) return { requestedAt: Number(value) };
  return { reason: value.slice(separator + 1), requestedAt: Number(value.slice(0, separator)) };
}

function text(value: RedisReply | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}
