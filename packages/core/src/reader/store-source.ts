import { decodeData } from '../log/codec.ts';
import { isStreamNotFound } from '../log/errors.ts';
import type { StreamHead } from '../log/head.ts';
import type { DataRecord } from '../log/record.ts';
import type { StreamStore } from '../log/store.ts';
import { journalIdOf } from '../log/stream-id.ts';
import { createLeaseObserver, type LeaseObserver } from './lease-observer.ts';
import { endLost, isMortal, leaseHolderOf } from './lost-producer.ts';
import { createReadAhead, type ReadAhead } from './read-ahead.ts';
import type { RecordSource, SourcePage } from './record-source.ts';

const DEFAULT_PAGE_SIZE = 512;
const DEFAULT_MAX_PAGE_SIZE = 4_096;
/** Longest pause between two looks for a stream that its run has not opened, of which the journal tells a moment before it exists. */
const TICK_MS = 1_000;
const UNOPENED_FIRST_TICK_MS = 5;

/** Options of {@link createStoreSource}. */
export interface StoreSourceOptions {
  readonly store: StreamStore;
  /** Records fetched from the store at once. @default 512, growing to 4096 while catching up */
  readonly pageSize?: number;
  /** Fetch the next page while the current one is consumed. @default true */
  readonly readAhead?: boolean;
  /** Monotonic milliseconds. @default performance.now */
  readonly monotonic?: () => number;
}

/**
 * Reads pages from a store, and ends streams whose producer is lost for good. A stream that its run has not opened yet is waited for; if
 * the run ends without having opened it, it ends like the run.
 */
export function createStoreSource(streamId: string, options: StoreSourceOptions): RecordSource<DataRecord> {
  return new StoreSource(streamId, options);
}

class StoreSource implements RecordSource<DataRecord> {
  readonly #streamId: string;
  readonly #options: StoreSourceOptions;
  readonly #lease: LeaseObserver;
  readonly #pages: ReadAhead;
  #head: StreamHead | null = null;
  /** Head of the stream's owner, as it was last seen. */
  #owner: StreamHead | null = null;
  /** Journal of the run that has not opened the stream yet. */
  #journal: StreamHead | null = null;
  #tickMs = UNOPENED_FIRST_TICK_MS;

  constructor(streamId: string, options: StoreSourceOptions) {
    this.#streamId = streamId;
    this.#options = options;
    this.#lease = createLeaseObserver(options.monotonic);
    const { store, pageSize = DEFAULT_PAGE_SIZE } = options;
    this.#pages = createReadAhead({
      read: (from, limit) => store.read(streamId, { from, limit }),
      pageSize,
      maxPageSize: options.pageSize ?? DEFAULT_MAX_PAGE_SIZE,
      enabled: options.readAhead ?? true,
    });
  }

  async read(from: number): Promise<SourcePage<DataRecord>> {
    const page = await this.#pages.page(from).catch((error: unknown) => this.#journalFor(error));
    if (!('records' in page)) return this.#unopened(page);
    const { records, head } = page;
    this.#head = head;
    this.#journal = null;
    return { records, end: head.end, tail: head.nextPosition };
  }

  /** The head of the journal whose run may still open the stream; throws the error again if there is none. */
  async #journalFor(error: unknown): Promise<StreamHead> {
    const id = this.#head ? null : journalIdOf(this.#streamId);
    const journal = id !== null && isStreamNotFound(error) ? await this.#options.store.head(id) : null;
    if (!journal) throw error;
    return journal;
  }

  async #unopened(journal: StreamHead): Promise<SourcePage<DataRecord>> {
    const known = this.#journal;
    this.#journal = journal;
    this.#tickMs = known?.nextPosition === journal.nextPosition ? this.#tickMs * 2 : UNOPENED_FIRST_TICK_MS;
    if (!journal.end) return { records: [], end: null, tail: 0 };
    // Whoever ends a run ends its streams first, so one that exists by now has an end of its own.
    return (await this.#options.store.head(this.#streamId))
      ? { records: [], end: null, tail: 0 }
      : { records: [], end: journal.end, tail: 0 };
  }

  async wait(position: number, options: { readonly signal: AbortSignal; readonly timeoutMs: number }): Promise<void> {
    const { store } = this.#options;
    const head = this.#head;
    let { timeoutMs } = options;
    if (this.#journal) {
      const { id, nextPosition, end } = this.#journal;
      if (end) return;
      timeoutMs = Math.min(timeoutMs, this.#tickMs, TICK_MS);
      // If nobody else can go on with the run, its end is found at the next look.
      if (this.#lease.observe(this.#journal).state === 'lapsed')
        await endLost(store, this.#journal, this.#journal).catch(() => false);
      await store.wait(id, { position: nextPosition, signal: options.signal, timeoutMs });
      return;
    }
    if (head) {
      const leaseMs = await this.#leaseMs(head);
      if (leaseMs === null) return;
      timeoutMs = Math.min(timeoutMs, leaseMs);
    }
    await store.wait(this.#streamId, {
      position,
      signal: options.signal,
      ...(timeoutMs !== Infinity && { timeoutMs }),
    });
  }

  /** How long the lease need not be looked at, in ms; null when the look ended the stream. */
  async #leaseMs(head: StreamHead): Promise<number | null> {
    const { store } = this.#options;
    const holder = await this.#leaseHolder(head);
    if (!isMortal(holder)) return Infinity;
    const lease = this.#lease.observe(holder);
    // Not being allowed to end it (a read-only process, a race with another reader) is no reason to stop reading.
    const isLost = lease.state === 'lapsed' || holder.end !== null;
    if (isLost && (await endLost(store, head, holder).catch(() => false))) return null;
    return isLost ? (holder.lease?.durationMs ?? TICK_MS) : lease.remainingMs;
  }

  /** Nobody is told of renewals, so an owner is asked once, and again when its lease would have lapsed. */
  async #leaseHolder(head: StreamHead): Promise<StreamHead> {
    if (head.owner === null) return head;
    const known = this.#owner;
    if (known && (!isMortal(known) || this.#lease.observe(known).state !== 'lapsed')) return known;
    this.#owner = await leaseHolderOf(this.#options.store, head);
    return this.#owner;
  }

  decode(record: DataRecord): unknown {
    return decodeData(record.data);
  }
}
