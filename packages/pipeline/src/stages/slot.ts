import { END, type Pull, type Receiver, WAIT } from '@perennial/core/engine';

import type { Cursor } from './link.ts';

const NOTHING: unique symbol = Symbol('nothing');
const NONE: readonly never[] = [];

/** What a slot tells the stage it belongs to. */
export interface SlotOwner {
  /** Values that a slot may make before they are collected. */
  readonly runAhead: number;
  /** A slot has something new, later than the call that started it: a value, its end, or a failure. */
  progressed(slot: Slot): void;
}

/** One item of an `ItemsPull` and what became of it so far. */
export class Slot implements Receiver<unknown> {
  readonly #owner: SlotOwner;
  readonly index: number;
  /** Where a resumed run could start once this item is done; null where nobody will ask. */
  readonly after: Cursor | null;
  /** The one value the item became, as long as nobody took it. */
  #single: unknown = NOTHING;
  #values: readonly unknown[] = NONE;
  #next = 0;
  #ended = false;
  #failure: { readonly error: unknown } | null = null;
  #inner: Pull<unknown> | null = null;
  /** Values that the inner pull yielded and nobody took. */
  #poured: unknown[] | null = null;
  /** The inner pull owes an answer. */
  #reading = false;

  constructor(owner: SlotOwner, index: number, after: Cursor | null) {
    this.#owner = owner;
    this.index = index;
    this.after = after;
  }

  /** There is something to collect, if only the end. */
  get ready(): boolean {
    return this.#left > 0 || this.#ended || this.#failure !== null;
  }

  get failed(): boolean {
    return this.#failure !== null;
  }

  /** Everything was collected, and nothing will follow. */
  get spent(): boolean {
    return this.#ended && this.#left === 0;
  }

  /** The item became exactly this value. */
  settle(value: unknown): void {
    this.#single = value;
    this.#ended = true;
  }

  /** The item became these values. The array is read, not changed. */
  settleAll(values: readonly unknown[]): void {
    this.#values = values;
    this.#ended = true;
  }

  /** The item became nothing. */
  drop(): void {
    this.#ended = true;
  }

  /** The item cannot become anything. */
  fail(error: unknown): void {
    this.#failure = { error };
  }

  /** The item becomes what this pull yields, read as far ahead as the owner allows. */
  pour(inner: Pull<unknown>): void {
    this.#inner = inner;
    this.#poured = [];
    this.fill();
  }

  /** Reads ahead. */
  fill(): void {
    const inner = this.#inner;
    const poured = this.#poured;
    if (!inner || !poured) return;
    try {
      while (!this.#reading && !this.#ended && !this.#failure && poured.length < this.#owner.runAhead) {
        const value = inner.next(this);
        if (value === WAIT) this.#reading = true;
        else if (value === END) this.#ended = true;
        else poured.push(value);
      }
    } catch (error) {
      this.#failure = { error };
    }
  }

  /** The next value; {@link WAIT} for later, {@link END} when nothing is left. Throws what the item failed with. */
  take(): unknown {
    if (this.#single !== NOTHING) {
      const value = this.#single;
      this.#single = NOTHING;
      return value;
    }
    if (this.#next < this.#values.length) return this.#values[this.#next++];
    if (this.#poured && this.#poured.length > 0) return this.#poured.shift();
    if (this.#failure) throw this.#failure.error;
    return this.#ended ? END : WAIT;
  }

  close(): void | Promise<void> {
    return this.#inner?.close();
  }

  onValue(value: unknown): void {
    this.#reading = false;
    this.#poured?.push(value);
    this.#owner.progressed(this);
  }

  onEnd(): void {
    this.#reading = false;
    this.#ended = true;
    this.#owner.progressed(this);
  }

  onError(error: unknown): void {
    this.#reading = false;
    this.#failure = { error };
    this.#owner.progressed(this);
  }

  get #left(): number {
    return (this.#single === NOTHING ? 0 : 1) + this.#values.length - this.#next + (this.#poured?.length ?? 0);
  }
}
