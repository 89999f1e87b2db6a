import { recordSize, type StreamRecord } from '@perennial/core';

import { StreamCorruptError } from './file-errors.ts';
import { FrameCursor, type ReadBytes } from './frame-cursor.ts';
import { decodeRecords, type Page } from './frame-payload.ts';
import type { FrameHeader } from './frame.ts';
import type { LogFiles } from './log-files.ts';
import type { DurableLog } from './log-state.ts';
import { withSpareBuffer } from './spare-buffer.ts';

/** What to read. */
export interface PageRequest {
  readonly from: number;
  readonly limit: number;
  readonly maxBytes: number;
}

/** What a read takes at least, and above the bytes of the records wanted at most. */
const READ_AHEAD = 65_536;
/** What a read takes at most, unless a single frame has more. */
const MAX_READ = 1_048_576;

/** Reads a page of a stream's own records, from memory where it can. Nothing when the page begins before them. */
export async function readStoredPage(
  { log, files }: { readonly log: DurableLog; readonly files: LogFiles },
  request: PageRequest,
): Promise<readonly StreamRecord[]> {
  const { id, fork } = log.state.head;
  if (fork && request.from < fork.position) return [];
  const file = files.paths.log;
  if (log.damage && request.from >= log.damage.position) throw new StreamCorruptError(id, { ...log.damage, file });
  const cached = readCachedPage(log, request) ?? log.pages.find(request);
  if (cached) return cached;
  const read: ReadBytes = (target, at) => files.read(target, at);
  return withSpareBuffer((buffer) => readPage(log, { read, buffer, request, file }));
}

/** Records from memory; null when the page begins before what is there. At the tail the page is empty. */
function readCachedPage(log: DurableLog, request: PageRequest): readonly StreamRecord[] | null {
  const { nextPosition } = log.state.head;
  if (request.from >= nextPosition) return [];
  if (request.from < log.cache.firstPosition) return null;
  const page = emptyPage(request);
  fillFromCache(log, page, { from: request.from, to: nextPosition });
  return page.records;
}

interface ReadPageOptions {
  readonly read: ReadBytes;
  readonly buffer: Buffer | null;
  readonly request: PageRequest;
  readonly file: string;
}

/**
 * Reads a page from the log. Every frame's checksum is verified on the way.
 *
 * @throws {@link StreamCorruptError} when the first record wanted lies in or behind a damaged frame. Damage further on ends the page.
 */
async function readPage(
  log: DurableLog,
  { read, buffer, request, file }: ReadPageOptions,
): Promise<readonly StreamRecord[]> {
  const page = emptyPage(request);
  // Taken now: records that become durable while this page is read belong to the next one, whose head knows them.
  const { nextPosition, id } = log.state.head;
  const start = log.index.locate(request.from, log.origin);
  const cursor = new FrameCursor({
    read,
    salt: log.salt,
    start: start.offset,
    end: log.bytes,
    chunkBytes: chunkBytes(log, request, start.offset),
    buffer,
  });
  let wanted = request.from;
  let { position } = start;
  const isWanted = (header: FrameHeader): boolean => header.firstPosition + header.count > wanted;
  while (isOpen(page) && wanted < nextPosition) {
    if (wanted >= log.cache.firstPosition) {
      fillFromCache(log, page, { from: wanted, to: nextPosition });
      break;
    }
    const step = cursor.step(isWanted);
    if (!step) {
      await cursor.fill();
      continue;
    }
    if (step.kind !== 'frame') {
      if (page.records.length > 0) break;
      throw new StreamCorruptError(id, { position, offset: step.offset, file });
    }
    const { firstPosition, count } = step.header;
    position = firstPosition + count;
    if (!step.payload) continue;
    decodeRecords(step.payload, { firstPosition, count, isText: log.isText, from: wanted }, page);
    wanted = request.from + page.records.length;
  }
  if (!isOpen(page)) log.pages.note(request, page.records, page.bytes);
  return page.records;
}

/**
 * How much to read at once, so that a page takes one read: up to the frame behind its last record, as far as the index knows. Each read
 * goes through a thread of the system, which costs as much as decoding hundreds of records.
 */
function chunkBytes(
  { index, cache, bytes }: DurableLog,
  { from, limit, maxBytes }: PageRequest,
  start: number,
): number {
  const end = index.offsetAfter(Math.min(from + limit, cache.firstPosition), bytes);
  return Math.max(READ_AHEAD, Math.min(end - start, maxBytes + READ_AHEAD, MAX_READ));
}

/** Adds records from memory, as far as it holds them. */
function fillFromCache(
  { cache }: DurableLog,
  page: Page,
  { from, to }: { readonly from: number; readonly to: number },
): void {
  for (let position = from; position < to && isOpen(page); position++) {
    const record = cache.at(position);
    if (!record) return;
    page.records.push(record);
    page.bytes += recordSize(record);
  }
}

function emptyPage({ limit, maxBytes }: PageRequest): Page {
  return { limit, maxBytes, records: [], bytes: 0 };
}

function isOpen({ records, limit, bytes, maxBytes }: Page): boolean {
  return records.length < limit && bytes < maxBytes;
}
