import { assertAppendRequest, assertProducerId } from '../log/append-request.ts';
import { applyAppend, type AppendEffect, createLogState, decideAppend, type LogState } from '../log/append-rules.ts';
import { StreamError, StreamGapError, StreamNotFoundError } from '../log/errors.ts';
import { createForks, type ForkPin, type ForkPort, type Forks, type NewFork, retainedId } from '../log/forks.ts';
import {
  assertCreateOptions,
  assertMark,
  createHead,
  decideExisting,
  decideMark,
  isExpired,
} from '../log/head-rules.ts';
import type { ProducerState, StreamHead } from '../log/head.ts';
import { assertListOptions, assertReadOptions, DEFAULT_PAGE_BYTES, DEFAULT_PAGE_LIMIT } from '../log/page-options.ts';
import { recordSize, type StreamRecord } from '../log/record.ts';
import type {
  AppendRequest,
  AppendResult,
  CreateOptions,
  CreateResult,
  ListOptions,
  ListResult,
  Mark,
  ReadOptions,
  ReadResult,
  StreamStore,
  WaitOptions,
} from '../log/store.ts';
import { assertStreamId } from '../log/stream-id.ts';
import { assertWaitOptions, createStreamWaiters, type StreamWaiters } from '../log/waiters.ts';

/** Options of {@link createMemoryStreamStore}. */
export interface MemoryStreamStoreOptions {
  /** Payload bytes the store may hold; beyond, creates and appends reject with `STORE_FULL`. @default 1 GiB */
  readonly maxBytes?: number;
  /** Milliseconds since the Unix epoch. @default Date.now */
  readonly now?: () => number;
  /** A fresh unguessable string. @default crypto.randomUUID */
  readonly randomId?: () => string;
}

interface Entry {
  readonly state: LogState;
  readonly records: StreamRecord[];
  readonly waiters: StreamWaiters;
  bytes: number;
  /** Last read or write, for the sliding ttl. */
  touchedAt: number;
  /** Forks that read its records, by incarnation. */
  readonly pins: Map<string, ForkPin>;
  /** Deleted or expired, and kept for its forks only. */
  retained: boolean;
}

const DEFAULT_MAX_BYTES = 1_073_741_824;

/**
 * Creates a store that lives in this process and dies with it: the reference that every other store is measured against, for tests,
 * development and streams that need not survive.
 *
 * An append costs the same however long the stream is, and whoever reads other streams.
 */
export function createMemoryStreamStore(options: MemoryStreamStoreOptions = {}): StreamStore {
  return new MemoryStreamStore(options);
}

class MemoryStreamStore implements StreamStore {
  readonly capabilities = { durable: false, shared: false } as const;
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;
  readonly #randomId: () => string;
  readonly #maxBytes: number;
  readonly #forks: Forks = createForks(this.#forkPort());
  #bytes = 0;
  #closed = false;

  constructor({
    maxBytes = DEFAULT_MAX_BYTES,
    now = Date.now,
    randomId = () => crypto.randomUUID(),
  }: MemoryStreamStoreOptions) {
    this.#maxBytes = maxBytes;
    this.#now = now;
    this.#randomId = randomId;
  }

  async create(id: string, options: CreateOptions = {}): Promise<CreateResult> {
    this.#assertOpen();
    assertStreamId(id);
    assertCreateOptions(options);
    const { fork } = options;
    if (fork) return this.#forks.create(id, { ...options, fork });
    const head = this.#existing(id, options);
    return head ? { created: false, head } : { created: true, head: this.#make(id, options) };
  }

  async append(id: string, request: AppendRequest): Promise<AppendResult> {
    const entry = this.#entry(id);
    assertAppendRequest(request);
    const { results, effect } = decideAppend(entry.state, request, this.#now());
    if (effect) {
      this.#apply(entry, effect);
      entry.waiters.notify(entry.state.head);
    }
    return { segments: results, head: entry.state.head };
  }

  async read(id: string, options: ReadOptions): Promise<ReadResult> {
    const entry = this.#entry(id);
    assertReadOptions(options);
    const { from, limit = DEFAULT_PAGE_LIMIT, maxBytes = DEFAULT_PAGE_BYTES } = options;
    const { head } = entry.state;
    if (from < head.firstPosition) throw new StreamGapError(id, from, head.firstPosition);
    return this.#forks.read({ records: pageOf(entry, { from, limit, maxBytes }), head }, options);
  }

  async wait(id: string, options: WaitOptions): Promise<StreamHead> {
    const entry = this.#entry(id);
    assertWaitOptions(options);
    return entry.waiters.wait(entry.state.head, options);
  }

  async head(id: string): Promise<StreamHead | null> {
    this.#assertOpen();
    assertStreamId(id);
    // Looking at a stream is not using it: a monitor that polls heads must not keep streams alive.
    return this.#find(id, false)?.state.head ?? null;
  }

  async producer(id: string, producerId: string): Promise<ProducerState | null> {
    const { state } = this.#entry(id);
    assertProducerId('producerId', producerId);
    return state.producers.get(producerId) ?? null;
  }

  async delete(id: string): Promise<boolean> {
    this.#assertOpen();
    assertStreamId(id);
    const entry = this.#find(id);
    if (entry) this.#remove(id, entry);
    return entry !== undefined;
  }

  async list(options: ListOptions = {}): Promise<ListResult> {
    this.#assertOpen();
    assertListOptions(options);
    const { prefix = '', after, limit = DEFAULT_PAGE_LIMIT } = options;
    // The default sort compares UTF-16 code units, which is the order the port promises.
    const ids = [...this.#entries.keys()]
      .filter((id) => id.startsWith(prefix) && (after === undefined || id > after))
      .toSorted();
    const streams: StreamHead[] = [];
    for (const id of ids) {
      const head = this.#find(id, false)?.state.head;
      const last = streams.at(-1);
      if (head && last && streams.length === limit) return { streams, next: last.id };
      if (head) streams.push(head);
    }
    return { streams };
  }

  async mark(id: string, mark: Mark): Promise<StreamHead> {
    const { state, waiters } = this.#entry(id);
    assertMark(mark);
    const effect = decideMark(state, mark, this.#now());
    if (!effect) return state.head;
    state.head = effect.head;
    if (effect.nonce !== null) state.fenceNonce = effect.nonce;
    waiters.notify(state.head);
    return state.head;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const entry of this.#entries.values()) entry.waiters.fail(closedError());
    this.#entries.clear();
    this.#bytes = 0;
  }

  /** The head of the stream that a creation finds; null where it may create one. */
  #existing(id: string, options: CreateOptions): StreamHead | null {
    const existing = this.#find(id);
    if (existing) return this.#raiseExisting(existing, options);
    if (this.#entries.has(id)) throw retainedId(id);
    return null;
  }

  #make(id: string, options: CreateOptions, fork?: NewFork): StreamHead {
    const now = this.#now();
    const incarnation = fork?.incarnation ?? this.#randomId();
    const state = createLogState(createHead({ id, incarnation, now, ...(fork && { fork }) }, options));
    const entry: Entry = {
      state,
      records: [],
      waiters: createStreamWaiters(() => state.head),
      bytes: 0,
      touchedAt: now,
      pins: new Map(),
      retained: false,
    };
    const { records = [], end } = options;
    const request: AppendRequest = { segments: [{ records, ...(end && { end }) }], token: state.head.token };
    const { effect } = decideAppend(state, request, now);
    if (effect) this.#apply(entry, effect);
    this.#entries.set(id, entry);
    return state.head;
  }

  #raiseExisting(entry: Entry, options: CreateOptions): StreamHead {
    const token = decideExisting(entry.state.head, options);
    if (token !== null) {
      entry.state.head = { ...entry.state.head, token };
      entry.state.fenceNonce = null;
    }
    return entry.state.head;
  }

  #apply(entry: Entry, effect: AppendEffect): void {
    let bytes = 0;
    for (const record of effect.records) bytes += recordSize(record);
    if (this.#bytes + bytes > this.#maxBytes) {
      throw new StreamError(
        'STORE_FULL',
        `The memory store holds ${this.#bytes} of ${this.#maxBytes} bytes and cannot take ${bytes} more. Raise \`maxBytes\` or delete streams.`,
      );
    }
    this.#bytes += bytes;
    entry.bytes += bytes;
    for (const record of effect.records) entry.records.push(ownRecord(record));
    applyAppend(entry.state, effect);
  }

  #entry(id: string): Entry {
    this.#assertOpen();
    assertStreamId(id);
    const entry = this.#find(id);
    if (!entry) throw new StreamNotFoundError(id, { retained: this.#entries.has(id) });
    return entry;
  }

  /** The living stream of this id; an expired one is removed on sight. */
  #find(id: string, touch = true): Entry | undefined {
    const entry = this.#entries.get(id);
    if (!entry || entry.retained) return undefined;
    const { head } = entry.state;
    if (head.ttlMs === null && head.expiresAt === null) return entry;
    const now = this.#now();
    if (isExpired(head, entry.touchedAt, now)) {
      this.#remove(id, entry);
      return undefined;
    }
    if (touch) entry.touchedAt = now;
    return entry;
  }

  /** Removes a stream, unless forks read it, and whatever was kept for it alone. */
  #remove(id: string, entry: Entry): void {
    entry.retained = entry.pins.size > 0;
    entry.waiters.fail(new StreamNotFoundError(id, { retained: entry.retained }));
    for (let removed: Entry | undefined = entry; removed && removed.pins.size === 0;) {
      const head: StreamHead = removed.state.head;
      this.#entries.delete(head.id);
      this.#bytes -= removed.bytes;
      const source: Entry | undefined = head.fork ? this.#entries.get(head.fork.from) : undefined;
      source?.pins.delete(head.incarnation);
      removed = source?.retained ? source : undefined;
    }
  }

  #forkPort(): ForkPort {
    const incarnationOf = (id: string, incarnation: string): Entry | undefined => {
      const entry = this.#entries.get(id);
      return entry?.state.head.incarnation === incarnation ? entry : undefined;
    };
    return {
      newIncarnation: () => this.#randomId(),
      find: async (id, options) => this.#existing(id, options),
      make: async (id, options, fork) => (this.#entries.has(id) ? null : this.#make(id, options, fork)),
      pin: async (id, fork) => {
        this.#assertOpen();
        const entry = this.#find(id, false);
        if (!entry) throw new StreamNotFoundError(id, { retained: this.#entries.has(id) });
        const pinnedAt = this.#now();
        entry.pins.set(fork.incarnation, { ...fork, pinnedAt });
        return { head: entry.state.head, pinnedAt };
      },
      unpin: async ({ id, incarnation }, forkIncarnation) => {
        const entry = incarnationOf(id, incarnation);
        entry?.pins.delete(forkIncarnation);
        if (entry?.retained) this.#remove(id, entry);
        return null;
      },
      // A fork that goes takes its pin along, so none is ever left over.
      pins: async () => ({ incarnation: '', pins: [], now: 0 }),
      has: async ({ id, incarnation }) => incarnationOf(id, incarnation) !== undefined,
      readOwn: async ({ id, incarnation }, page) => {
        const entry = incarnationOf(id, incarnation);
        return entry ? { records: pageOf(entry, page), fork: entry.state.head.fork } : null;
      },
    };
  }

  #assertOpen(): void {
    if (this.#closed) throw closedError();
  }
}

function closedError(): StreamError<'STORE_CLOSED'> {
  return new StreamError('STORE_CLOSED', 'The store was closed. Open a new one.');
}

/** The page of a stream's own records that begins at `from`. */
function pageOf({ state, records }: Entry, { from, limit, maxBytes }: Required<ReadOptions>): readonly StreamRecord[] {
  const start = from - (state.head.fork?.position ?? 0);
  if (start < 0) return [];
  const stop = Math.min(records.length, start + limit);
  let bytes = 0;
  let index = start;
  while (index < stop && bytes < maxBytes) {
    const record = records[index++];
    if (record) bytes += recordSize(record);
  }
  return records.slice(start, index);
}

/** Detaches bytes from the caller's buffer, which may be reused; the log must not change with it. */
function ownRecord(record: StreamRecord): StreamRecord {
  if (record.kind === 'supersede' || typeof record.data === 'string') return record;
  return { ...record, data: new Uint8Array(record.data) };
}
