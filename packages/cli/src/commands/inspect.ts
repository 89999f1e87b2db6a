import { type ProducerState, type StreamHead, StreamNotFoundError, type StreamStore } from '@perennial/core';

import { EXIT, type ExitCode } from '../exit-codes.ts';
import { printable } from '../terminal/printable.ts';
import { table } from '../terminal/table.ts';
import type { CommandContext, CommonFlags } from './context.ts';
import { describeEnd, duration, isoTime } from './show-head.ts';
import { withTarget } from './with-target.ts';

/** Flags of `perennial inspect`. */
export interface InspectFlags extends CommonFlags {
  readonly json?: true | undefined;
}

interface Producer extends ProducerState {
  readonly id: string;
}

/** Producers are looked for in this many of the last records: a store knows each by its id, and keeps no list. */
const RECENT_RECORDS = 1_000;

/** Shows everything about a stream but its records. */
export function inspect(context: CommandContext, streamId: string, flags: InspectFlags): Promise<ExitCode> {
  return withTarget(context, { flags, access: 'read' }, async ({ store }) => {
    const head = await store.head(streamId);
    if (!head) throw new StreamNotFoundError(streamId);
    const producers = await recentProducers(store, head);
    const lines = flags.json ? [JSON.stringify({ ...head, producers })] : describe(head, producers);
    for (const line of lines) await context.output.line(line);
    return EXIT.ok;
  });
}

async function recentProducers(store: StreamStore, head: StreamHead): Promise<Producer[]> {
  const ids = new Set<string>();
  let from = Math.max(head.firstPosition, head.nextPosition - RECENT_RECORDS);
  while (from < head.nextPosition) {
    const { records } = await store.read(head.id, { from });
    if (records.length === 0) break;
    for (const { producer } of records) if (producer) ids.add(producer.id);
    from += records.length;
  }
  const producers: Producer[] = [];
  for (const id of ids) {
    const state = await store.producer(head.id, id);
    if (state) producers.push({ id, ...state });
  }
  return producers;
}

function describe(head: StreamHead, producers: readonly Producer[]): string[] {
  const { firstPosition, nextPosition, end, cancel, lease, owner, token, ttlMs, expiresAt } = head;
  const rows: [string, string][] = [
    ['stream', head.id],
    ['state', end ? describeEnd(end) : 'open'],
    ['records', `${nextPosition - firstPosition}`],
    ['positions', firstPosition === nextPosition ? 'none' : `${firstPosition} to ${nextPosition - 1}`],
    ['content type', head.contentType],
    ['created', isoTime(head.createdAt)],
    ['incarnation', head.incarnation],
    ['lease', lease ? `${duration(lease.durationMs)}, renewed ${lease.beat} times` : 'none'],
    ['owner', owner ?? 'none'],
    ['fencing token', String(token)],
    [
      'cancel request',
      cancel ? `${isoTime(cancel.requestedAt)}${cancel.reason === undefined ? '' : `, ${cancel.reason}`}` : 'none',
    ],
    ['expires', expires(ttlMs, expiresAt)],
    ...producers.map(({ id, epoch, nextSeq }): [string, string] => [
      'producer',
      `${id}, epoch ${epoch}, next sequence ${nextSeq}`,
    ]),
  ];
  return table(rows.map(([name, value]) => [name, printable(value)]));
}

function expires(ttlMs: number | null, expiresAt: number | null): string {
  if (ttlMs !== null) return `${duration(ttlMs)} after the last use`;
  return expiresAt === null ? 'never' : isoTime(expiresAt);
}
