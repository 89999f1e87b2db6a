/** A range of the log as the server returns it, without a script: the server copies what passes through a script several times. */
import type { RedisArgument, RedisReply } from '../clients/port.ts';
import { countOf } from '../codec/entry-header.ts';
import type { LogEntries, PageBounds } from '../codec/record.ts';
import type { EntryPlace } from './entry-places.ts';

/** Most entries of one range; they may be larger than the ones before. */
const MAX_ENTRIES = 256;

/** The command for the entries that probably hold a page. */
export function rangeCommand(
  log: RedisArgument,
  place: EntryPlace,
  { from, limit, maxBytes }: PageBounds,
): RedisArgument[] {
  const byRecords = Math.ceil((from - place.entry + limit) / place.recordsPerEntry) + 1;
  const byBytes = Math.ceil(maxBytes / place.bytesPerEntry) + 1;
  const count = Math.max(1, Math.min(byRecords, byBytes, MAX_ENTRIES));
  return ['XRANGE', log, idOf(place.entry), '+', 'COUNT', String(count)];
}

/** The entries of a range; null where they are not the ones that lie behind the place. */
export function entriesOf(reply: RedisReply, { entry: start }: EntryPlace): LogEntries | null {
  const entries = Array.isArray(reply) ? (reply as readonly (readonly [Buffer, readonly [Buffer, Buffer]])[]) : [];
  const payloads: Buffer[] = [];
  let position = start;
  for (const [id, [, payload]] of entries) {
    if (id.toString('latin1') !== idOf(position)) return null;
    payloads.push(payload);
    position += countOf(payload);
  }
  return { payloads, start };
}

/** The id of the entry whose first record has this position. */
function idOf(position: number): string {
  return `0-${position + 1}`;
}
