import { recordSize, type StreamRecord } from '@perennial/core';

import { StreamCorruptError } from './file-errors.ts';
import { FrameCursor, type ReadBytes } from './frame-cursor.ts';
import { decodeRecords } from './frame-payload.ts';
import type { LogFiles } from './log-files.ts';
import type { DurableLog } from './log-state.ts';

/** What to read. */
export interface PageRequest {
  readonly from: number;
  readonly limit: number;
  readonly maxBytes: number;
}

/** A page in the making. */
interface Page extends PageRequest {
  readonly records: StreamRecord[];
  bytes: number;
}

/** Reads ahead little: a page usually fits, and a reader at the tail wants one frame. */
const FIRST_CHUNK = 65_536;

/** Reads a page of a stream's own records, from memory where it can. Nothing when the page begins before them. */
export async function readStoredPage(
  { log, files }: { readonly log: DurableLog; readonly files: LogFiles },
  request: PageRequest,
): Promise<readonly StreamRecord[]> {
  const { id, fork } = log.state.head;
  if (fork && request.from < fork.position) return [];
  const file = files.paths.log;
  if (log.damage && request.from >= log.damage.position) throw new StreamCorruptError(id, { ...log.damage, file });
  return readCachedPage(log, request) ?? readPage(log, (target, at) => files.read(target, at), { request, file });
}

/** Records from memory; null when the page begins before what is there. At the tail the page is empty. */
function readCachedPage(log: DurableLog, request: PageRequest): readonly StreamRecord[] | null {
  if (request.from >= log.state.head.nextPosition) return [];
  if (request.from < log.cache.firstPosition) return null;
  const page: Page = { ...request, records: [], bytes: 0 };
  fillFromCache(log, page);
  return page.records;
}

/**
 * Reads a page from the log. Every frame's checksum is verified on the way.
 *
 * @throws {@link StreamCorruptError} when the first record wanted lies in or behind a damaged frame. Damage further on ends the page.
 */
async function readPage(
  log: DurableLog,
  read: ReadBytes,
  { request, file }: { readonly request: PageRequest; readonly file: string },
): Promise<readonly StreamRecord[]> {
  const page: Page = { ...request, records: [], bytes: 0 };
  // Taken now: records that become durable while this page is read belong to the next one, whose head knows them.
  const { nextPosition, id } = log.state.head;
  const start = log.index.locate(request.from, log.origin);
  const cursor = new FrameCursor({
    read,
    salt: log.salt,
    start: start.offset,
    end: log.bytes,
    chunkBytes: FIRST_CHUNK,
  });
  let { position } = start;
  while (isOpen(page) && request.from + page.records.length < nextPosition) {
    const wanted = request.from + page.records.length;
    if (wanted >= log.cache.firstPosition) {
      fillFromCache(log, page, nextPosition);
      break;
    }
    const step = await cursor.next(({ firstPosition, count }) => firstPosition + count > wanted);
    if (step.kind !== 'frame') {
      if (page.records.length > 0) break;
      throw new StreamCorruptError(id, { position, offset: step.offset, file });
    }
    const { firstPosition, count } = step.header;
    position = firstPosition + count;
    if (!step.payload) continue;
    decodeRecords(step.payload, {
      firstPosition,
      count,
      isText: log.isText,
      from: wanted,
      take: (record) => take(page, record),
    });
  }
  return page.records;
}

function fillFromCache(log: DurableLog, page: Page, nextPosition: number = log.state.head.nextPosition): void {
  for (let position = page.from + page.records.length; position < nextPosition && isOpen(page); position++) {
    const record = log.cache.at(position);
    if (!record) return;
    take(page, record);
  }
}

function take(page: Page, record: StreamRecord): boolean {
  page.records.push(record);
  page.bytes += recordSize(record);
  return isOpen(page);
}

function isOpen({ records, limit, bytes, maxBytes }: Page): boolean {
  return records.length < limit && bytes < maxBytes;
}
