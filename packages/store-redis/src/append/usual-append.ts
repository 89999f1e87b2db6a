/** Appends that a usual script takes, and its arguments, as `lua/include/usual-append.lua` describes them. */
import type { StreamHead } from '@perennial/core';

import type { RedisArgument } from '../clients/port.ts';
import { type EncodedRequest, isUsual } from '../codec/append.ts';
import { usualAppendScript } from '../scripts/generated/usual-append.ts';
import { usualProduceScript } from '../scripts/generated/usual-produce.ts';
import type { RedisScript } from '../scripts/redis-script.ts';
import type { Watermark } from '../watermarks.ts';

/** A script that does not always decide. */
export interface UsualAppend {
  readonly script: RedisScript;
  readonly args: readonly RedisArgument[];
  /** The head that the stream has to have, but for its next position. */
  readonly known: StreamHead;
}

/**
 * How requests go out that are to take the usual way; null for those that cannot.
 *
 * @param now Time in ms, where the store has a clock of its own.
 */
export function usualAppend(
  requests: readonly EncodedRequest[],
  mark: Watermark,
  now: number | undefined,
): UsualAppend | null {
  const [first] = requests;
  const { head, length, counter } = mark;
  if (!first?.joinable || counter === null || first.token !== head.token || !isUsual(requests)) return null;
  const { producer } = first.joinable;
  const args: RedisArgument[] = [counter, now === undefined ? String(length) : `${length};${now}`];
  if (producer) {
    const { id, epoch, seq } = producer;
    // The first records of a producer are never the next ones.
    if (seq === 0 || !isPlain(id)) return null;
    args.push(`${seq},${epoch},${id}`);
  }
  for (const { items } of requests) for (const item of items) args.push(item);
  return { script: producer ? usualProduceScript : usualAppendScript, args, known: head };
}

/** True where JSON has nothing to escape. */
function isPlain(text: string): boolean {
  return JSON.stringify(text).length === text.length + 2;
}
