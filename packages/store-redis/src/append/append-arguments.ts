/** The arguments of the append script, as its header describes them. */
import { JSON_CONTENT_TYPE, mediaType, type StreamHead } from '@perennial/core';

import type { RedisArgument } from '../clients/port.ts';
import { type EncodedRequest, isUsual, joinRequests } from '../codec/append.ts';
import type { Watermark } from '../watermarks.ts';

/** What an append goes by besides its requests. */
export interface AppendContext {
  /** The first argument of every script. */
  readonly settings: string;
  /** Only so many records are retained: the general way trims. */
  readonly trims: boolean;
  /** What is known of the stream. */
  readonly mark: Readonly<Watermark> | undefined;
}

/** All arguments of one append. */
export function appendArguments(
  requests: readonly EncodedRequest[],
  { settings, trims, mark }: AppendContext,
): RedisArgument[] {
  if (!mark) return joined([settings, '', '', ''], requests, 0);
  const { head, length } = mark;
  const token = requests[0]?.token ?? 0;
  return !trims && isUsual(requests) && isUsualHead(head)
    ? joined([settings, usualCounter(head, token), String(length)], requests, token)
    : joined([settings, head.incarnation, String(length), ''], requests, 0);
}

function joined(args: RedisArgument[], requests: readonly EncodedRequest[], token: number): RedisArgument[] {
  joinRequests(requests, args, token);
  return args;
}

/** False where a head shows that the stream has no {@link usualCounter}; it may have none for reasons that no head shows. */
function isUsualHead({ nextPosition, end, cancel, ttlMs, expiresAt, fork, contentType }: StreamHead): boolean {
  if (nextPosition === 0 || end || cancel || ttlMs !== null || expiresAt !== null || fork) return false;
  return contentType === JSON_CONTENT_TYPE || mediaType(contentType) === JSON_CONTENT_TYPE;
}

/** The field that counts the records of a stream of which nothing is unusual, see `lua/include/head.lua`. */
function usualCounter({ incarnation, lease, firstPosition }: StreamHead, token: number): string {
  return `n;${incarnation};${token}${lease || firstPosition > 0 ? ';l' : ''}`;
}
