/** Reads pages of a log: the beginning of the first by a script, which also finds it, what lies behind without one. */
import { isJsonContentType, isStreamGap, type ReadResult, StreamGapError, type StreamHead } from '@perennial/core';

import type { RedisReply } from '../clients/port.ts';
import { decodeHead } from '../codec/head.ts';
import { type DecodedPage, decodePage, type LogEntries, type PageBounds } from '../codec/record.ts';
import { missingRecords } from '../errors.ts';
import type { ScriptAnswer } from '../scripts/script-answer.ts';
import { createEntryPlaces, type EntryPlace, type EntryPlaces } from './entry-places.ts';
import { entriesOf } from './log-range.ts';
import type { PageRequest } from './read-coalescer.ts';

/** What a page is read with. */
export interface PageReaderOptions {
  /** Runs the read script. */
  readonly run: (id: string, args: readonly string[]) => Promise<ScriptAnswer>;
  /** Reads the entries that probably hold a page. */
  readonly range: (id: string, place: EntryPlace, bounds: PageBounds) => Promise<RedisReply>;
  /** Reads the head, as use of the stream. */
  readonly look: (id: string) => Promise<StreamHead>;
  /** Hands a head on once it cannot be lost any more. */
  readonly confirm: (head: StreamHead) => Promise<StreamHead>;
}

/** See the head of this file. */
export interface PageReader {
  read(request: PageRequest): Promise<ReadResult>;
}

/** Pages remembered: readers that catch up at the same time, more or less. */
const TRACKED_PAGES = 4_096;
/** Payload bytes that a script carries before the rest of a page is a plain range: copying as many again costs as much as a round trip. */
const SCRIPT_BYTES = 32_768;

/** A page, or a part of one. */
interface Page extends ReadResult {
  /** Bytes of its payloads. */
  readonly payload: number;
}

/** Creates a reader. */
export function createPageReader(options: PageReaderOptions): PageReader {
  return new LogPageReader(options);
}

class LogPageReader implements PageReader {
  readonly #options: PageReaderOptions;
  readonly #places: EntryPlaces = createEntryPlaces(TRACKED_PAGES);

  constructor(options: PageReaderOptions) {
    this.#options = options;
  }

  async read(request: PageRequest): Promise<ReadResult> {
    const { from, limit, maxBytes } = request;
    let page = await this.#readPart(request);
    const records = [...page.records];
    let payload = 0;
    while (page.records.length > 0) {
      payload += page.payload;
      const rest = { from: from + records.length, limit: limit - records.length, maxBytes: maxBytes - payload };
      if (rest.limit <= 0 || rest.maxBytes <= 0 || rest.from >= page.head.nextPosition) break;
      const more = await this.#readPart({ ...request, ...rest }).catch(nullIfTrimmed);
      // Trimmed meanwhile, or another stream took its place: the page may be short, and its reader finds out by the next one.
      if (more?.head.incarnation !== page.head.incarnation) break;
      for (const record of more.records) records.push(record);
      page = more;
    }
    return { records, head: page.head };
  }

  async #readPart(request: PageRequest): Promise<Page> {
    return (await this.#readOn(request)) ?? this.#readFirst(request);
  }

  /** A page, or the beginning of a large one, by the script that also finds it. */
  async #readFirst(request: PageRequest): Promise<Page> {
    const { id, from, limit, maxBytes, forFork = '' } = request;
    // What a fork inherits is read by the script alone.
    const bytes = forFork === '' ? Math.min(maxBytes, SCRIPT_BYTES) : maxBytes;
    const args = [String(from), String(limit), String(bytes), forFork];
    const { status, reply, known } = await this.#options.run(id, args);
    if (status === -3) throw new StreamGapError(id, from, Number(reply[1]));
    if (status === -4) throw missingRecords(id, `position ${from} on`);
    const decoded = decodeHead(id, reply[1], known);
    // What a fork has was confirmed when it was made, and readers of its source are not to hear of it.
    const head = forFork === '' ? await this.#options.confirm(decoded) : decoded;
    const payloads = Array.isArray(reply[2]) ? (reply[2] as readonly Buffer[]) : [];
    return { ...this.#page({ ...request, maxBytes: bytes }, { payloads, start: Number(reply[3]) }, head), head };
  }

  /**
   * The page after one that this store has given out, whose place in the log is therefore known: read without a script, through which the
   * server would copy every byte several times. Null where that does not tell everything, and a script has to.
   */
  async #readOn(request: PageRequest): Promise<Page | null> {
    const { id, from, forFork } = request;
    const place = forFork === undefined ? this.#places.get(id, from) : undefined;
    if (!place) return null;
    let isRangeHere = false;
    const ranging = this.#options.range(id, place, request).then((range) => ((isRangeHere = true), range));
    const looking = this.#options.look(id).then((head) => ({ head, isLast: isRangeHere }));
    const [ranged, looked] = await Promise.allSettled([ranging, looking]);
    if (looked.status === 'rejected' || ranged.status === 'rejected') return null;
    const { head, isLast } = looked.value;
    // The log is that of the incarnation which was there before the range was read, and after.
    const isSame = isLast && head.incarnation === place.incarnation && from >= head.firstPosition;
    const entries = isSame ? entriesOf(ranged.value, place) : null;
    if (!entries) return null;
    const page = this.#page(request, entries, head);
    // Nothing at all where records should be: the log is gone, which the script reports.
    return page.records.length === 0 ? null : { ...page, head };
  }

  /** Cuts a page out of its entries, and remembers where the next one is. */
  #page(request: PageRequest, entries: LogEntries, head: StreamHead): DecodedPage {
    const { id, from, forFork } = request;
    const page = decodePage(entries, isJsonContentType(head.contentType), request);
    const next = from + page.records.length;
    if (forFork === undefined && page.entries > 0 && next < head.nextPosition) {
      this.#places.note(id, next, {
        incarnation: head.incarnation,
        entry: page.nextEntry,
        recordsPerEntry: page.covered / page.entries,
        bytesPerEntry: page.bytes / page.entries,
      });
    }
    return page;
  }
}

function nullIfTrimmed(error: unknown): null {
  if (isStreamGap(error)) return null;
  throw error;
}
