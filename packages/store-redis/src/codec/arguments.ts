/** The arguments of the create and mark scripts, as their headers describe them. */
import { type CreateOptions, JSON_CONTENT_TYPE, type Mark, mediaType, type NewFork } from '@perennial/core';

import type { RedisArgument } from '../clients/port.ts';
import { encodeLife } from './head.ts';
import { encodeAttributes, encodePayload } from './record.ts';

/** What the store adds to the caller's options. */
export interface NewStreamArguments {
  readonly incarnation: string;
  /** The stream's member in the index. */
  readonly member: RedisArgument;
  /** The one stream that may be found; none is created then. */
  readonly only?: string;
  /** Where it forks off, for a fork. */
  readonly fork?: NewFork;
}

/** Arguments 4 and up of the create script. */
export function createArguments(
  options: CreateOptions,
  { incarnation, member, only = '', fork }: NewStreamArguments,
): readonly RedisArgument[] {
  const { contentType = JSON_CONTENT_TYPE, ttlMs, expiresAt, leaseMs, owner, token, records = [], end } = options;
  return [
    incarnation,
    contentType,
    mediaType(contentType),
    encodeLife(ttlMs, expiresAt),
    String(leaseMs ?? ''),
    owner ?? '',
    String(token ?? ''),
    end ? JSON.stringify(end) : '',
    member,
    only,
    fork ? JSON.stringify(fork.origin) : '',
    String(fork?.origin.position ?? 0),
    String(fork?.firstPosition ?? 0),
    String(fork?.deadline ?? ''),
    ...records.flatMap((record) => {
      const attributes = encodeAttributes(record, undefined);
      return [attributes === '\n' ? attributes : `;1;;${attributes}`, encodePayload(record)];
    }),
  ];
}

/** Arguments 4 and up of the mark script. */
export function markArguments(mark: Mark): readonly RedisArgument[] {
  switch (mark.type) {
    case 'cancel':
      return ['cancel', mark.reason === undefined ? '' : `;${mark.reason}`];
    case 'lease':
      return ['lease', String(mark.token ?? 0), mark.durationMs === null ? 'release' : String(mark.durationMs ?? '')];
    case 'fence':
      return ['fence', String(mark.token), mark.nonce];
  }
}
