import { recordSize, type StreamRecord } from '@perennial/core';

/** Memory shared by the caches of all streams of a store. */
export interface CacheBudget {
  /** Bytes in use. */
  used: number;
  readonly maxBytes: number;
  /** Bytes one stream may use. */
  readonly maxStreamBytes: number;
  /** Called when `used` has passed `maxBytes`, to free what is used least. */
  readonly relieve: () => void;
}

/** What a record costs besides its data: the object, its position, timestamp and producer. */
export const RECORD_OVERHEAD = 160;
/** How much of a full cache is kept, so that not every append moves the whole array. */
const KEEP = 0.75;

/** The latest records of a stream, without gaps up to its tail. Readers share the record objects. */
export class RecordCache {
  readonly #budget: CacheBudget;
  #records: StreamRecord[] = [];
  /** What each record takes. Kept, because looking at records that are to go, long after they came, misses the processor's caches. */
  #sizes: number[] = [];
  #bytes = 0;
  #isClosed = false;

  constructor(budget: CacheBudget) {
    this.#budget = budget;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Position of the first record held; Infinity when there is none. */
  get firstPosition(): number {
    return this.#records[0]?.position ?? Infinity;
  }

  /** Adds records behind those held. */
  push(records: readonly StreamRecord[]): void {
    const next = records[0];
    if (!next || this.#isClosed) return;
    const last = this.#records.at(-1);
    if (last && last.position + 1 !== next.position) this.clear();
    let added = 0;
    for (const record of records) {
      const size = recordSize(record) + RECORD_OVERHEAD;
      this.#records.push(record);
      this.#sizes.push(size);
      added += size;
    }
    this.#account(added);
  }

  /** Gives up what is above the limits; call it after every few pushes. */
  trim(): void {
    const { maxBytes, maxStreamBytes } = this.#budget;
    if (this.#bytes > maxStreamBytes) this.shrink(maxStreamBytes * KEEP);
    if (this.#budget.used > maxBytes) this.#budget.relieve();
  }

  /** The record at a position, if it is held. */
  at(position: number): StreamRecord | undefined {
    const first = this.#records[0];
    return first && this.#records[position - first.position];
  }

  /** Gives up the oldest records until at most `bytes` are held. */
  shrink(bytes: number): void {
    let dropped = 0;
    let count = 0;
    while (this.#bytes - dropped > bytes && count < this.#sizes.length) dropped += this.#sizes[count++] ?? 0;
    this.#records.splice(0, count);
    this.#sizes.splice(0, count);
    this.#account(-dropped);
  }

  clear(): void {
    this.#records = [];
    this.#sizes = [];
    this.#account(-this.#bytes);
  }

  /** Gives up everything, for good. What was under way when its stream was let go would else count for ever. */
  close(): void {
    this.#isClosed = true;
    this.clear();
  }

  #account(bytes: number): void {
    this.#bytes += bytes;
    this.#budget.used += bytes;
  }
}
