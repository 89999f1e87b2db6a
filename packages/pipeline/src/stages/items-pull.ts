import { answer, END, type Pull, type Receiver, WAIT, YIELD_EVERY, yieldMacrotask } from '@perennial/core/engine';

import type { StepRuntime } from '../run/step-runtime.ts';
import type { Cursor } from './link.ts';
import { Slot, type SlotOwner } from './slot.ts';

/** Decides what an item becomes: calls one of the slot's methods, now, or later and then `progressed`. */
export type ItemRunner = (item: unknown, slot: Slot, progressed: () => void) => void;

/** Options of {@link ItemsPull}. */
export interface ItemsOptions {
  readonly step: StepRuntime;
  readonly source: Pull<unknown>;
  /** Where the stages before could start again; null in a run that is not durable. Answers null while it does not know. */
  readonly sourceCursor: (() => Cursor | null) | null;
  readonly run: ItemRunner;
  /** Items being read, in flight, and finished but not collected, together. 1: each item is read only when its turn comes. */
  readonly limit: number;
  /** Yield in the order of the items; otherwise in that of completion. */
  readonly ordered: boolean;
  /** The items are the step's own; otherwise they are outputs of its first half. */
  readonly counts: boolean;
  /** The outputs are the step's; otherwise a stage behind reports them. */
  readonly emits: boolean;
  /** Outputs that an earlier run handed out already. */
  readonly skip?: number;
}

/** Values of one item made before they are collected, where several items run at once. */
const RUN_AHEAD = 16;
const NO_CURSOR: Cursor = { up: null, state: [] };

/**
 * Turns each item into any number of values, up to `limit` items at a time. The bound is on items pulled, not on items in flight:
 * otherwise everything behind a slow first item would be pulled and kept.
 */
export class ItemsPull implements Pull<unknown>, Receiver<unknown>, SlotOwner {
  readonly runAhead: number;
  readonly #options: ItemsOptions;
  /** Several items at once: then the next ones are started without being asked for. */
  readonly #eager: boolean;
  /** Items that were pulled and not yet used up, in their order. */
  #slots: Slot[] = [];
  /** Unordered: slots with something to collect, in the order of their progress. */
  #ready: Slot[] = [];
  #reading = false;
  #sourceOver = false;
  #sourceFailure: { readonly error: unknown } | null = null;
  /** An item failed for good: what is in flight may finish, nothing is started. */
  #failing = false;
  /** Whom the outstanding answer is for. */
  #waiting: Receiver<unknown> | null = null;
  #closed = false;
  /** Items that became nothing, since timers and I/O had a turn. */
  #dropped = 0;
  #index: number;
  #skip: number;
  #base: Cursor = NO_CURSOR;
  #indexAtBase: number;
  /** Outputs since the base. */
  #outputs = 0;

  constructor(options: ItemsOptions) {
    this.#options = options;
    this.#eager = options.limit > 1;
    this.runAhead = this.#eager ? RUN_AHEAD : 1;
    this.#index = options.counts ? options.step.received : 0;
    this.#indexAtBase = this.#index;
    this.#skip = options.skip ?? 0;
    this.#base = options.sourceCursor?.() ?? NO_CURSOR;
  }

  next(receiver: Receiver<unknown>): unknown {
    while (this.#dropped < YIELD_EVERY) {
      if (this.#eager || this.#slots.length === 0) this.#fill();
      const slot = this.#options.ordered ? this.#slots[0] : this.#ready[0];
      if (!slot) return this.#idle(receiver);
      const value = slot.take();
      if (value === WAIT) {
        if (!this.#lookAhead(slot)) return this.#wait(receiver);
      } else if (value === END) {
        this.#dropped++;
        this.#remove(slot);
      } else if (this.#collected(slot)) return this.#options.emits ? this.#options.step.emit(value) : value;
    }
    // A long run of items that become nothing would starve timers and I/O.
    void yieldMacrotask().then(() => {
      this.#dropped = 0;
      this.#answer();
    });
    return this.#wait(receiver);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting = null;
    const slots = this.#slots;
    this.#slots = [];
    this.#ready = [];
    // All are told before one is waited for.
    const closing = slots.map(async (slot) => slot.close());
    const results = await Promise.allSettled([...closing, this.#options.source.close()]);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  rewind(): boolean {
    return false;
  }

  /** See `Link.cursor`. */
  cursor(): Cursor {
    // What an earlier run handed out counts as handed out, also before it was made again.
    return { up: this.#base, state: [this.#indexAtBase, this.#outputs + this.#skip] };
  }

  onValue(item: unknown): void {
    this.#reading = false;
    if (this.#closed) return;
    this.#start(item);
    this.#answer();
  }

  onEnd(): void {
    this.#reading = false;
    this.#sourceOver = true;
    this.#answer();
  }

  onError(error: unknown): void {
    this.#reading = false;
    this.#sourceFailure = { error };
    this.#answer();
  }

  progressed(slot: Slot): void {
    if (this.#closed) return;
    this.#note(slot);
    // What is not first in line cannot be collected yet.
    if (!this.#options.ordered || slot === this.#slots[0]) this.#answer();
  }

  /** Nothing can be collected: because everything was, or because nothing is there yet. */
  #idle(receiver: Receiver<unknown>): unknown {
    if (this.#slots.length > 0 || this.#reading) return this.#wait(receiver);
    if (this.#sourceFailure) throw this.#sourceFailure.error;
    return END;
  }

  #wait(receiver: Receiver<unknown>): typeof WAIT {
    this.#waiting = receiver;
    return WAIT;
  }

  /** Gives the outstanding answer if there is one now. */
  #answer(): void {
    if (this.#closed) return;
    const receiver = this.#waiting;
    if (!receiver) {
      if (this.#eager) this.#fill();
    } else if (this.#dropped < YIELD_EVERY) {
      this.#waiting = null;
      answer(receiver, () => this.next(receiver));
    }
  }

  /** Starts items as far as the limit allows. */
  #fill(): void {
    const { source, limit } = this.#options;
    while (
      !this.#reading &&
      !this.#sourceOver &&
      !this.#sourceFailure &&
      !this.#failing &&
      this.#slots.length < limit
    ) {
      this.#reading = true;
      let item: unknown;
      try {
        item = source.next(this);
      } catch (error) {
        this.#reading = false;
        this.#sourceFailure = { error };
        return;
      }
      if (item === WAIT) return;
      this.#reading = false;
      if (item === END) this.#sourceOver = true;
      else this.#start(item);
    }
  }

  #start(item: unknown): void {
    const { sourceCursor, counts, step, run } = this.#options;
    const index = this.#index++;
    if (counts) step.received = this.#index;
    const slot = new Slot(this, index, sourceCursor ? sourceCursor() : null);
    this.#slots.push(slot);
    run(item, slot, () => this.progressed(slot));
    this.#note(slot);
  }

  #note(slot: Slot): void {
    if (slot.failed) this.#failing = true;
    if (!this.#options.ordered && slot.ready && !this.#ready.includes(slot)) this.#ready.push(slot);
  }

  /** Reads on in a slot that has nothing to collect. True when it has something now. */
  #lookAhead(slot: Slot): boolean {
    slot.fill();
    this.#note(slot);
    if (slot.ready) return true;
    if (this.#options.ordered) return false;
    this.#ready.shift();
    return this.#ready.length > 0;
  }

  /** Notes a value on its way out. False when an earlier run handed it out already. */
  #collected(slot: Slot): boolean {
    this.#outputs++;
    if (slot.spent) this.#remove(slot);
    else if (this.#eager) {
      slot.fill();
      this.#note(slot);
    }
    if (this.#eager) this.#fill();
    if (this.#skip === 0) return true;
    this.#skip--;
    return false;
  }

  #remove(slot: Slot): void {
    if (this.#options.ordered) this.#slots.shift();
    else {
      this.#slots.splice(this.#slots.indexOf(slot), 1);
      this.#ready.splice(this.#ready.indexOf(slot), 1);
    }
    if (!slot.after) return;
    this.#base = slot.after;
    this.#indexAtBase = slot.index + 1;
    this.#outputs = 0;
  }
}
