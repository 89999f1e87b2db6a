import { answer, END, type Pull, type Receiver, WAIT, YIELD_EVERY, yieldMacrotask } from '@perennial/core/engine';

import type { StepRuntime } from '../run/step-runtime.ts';
import type { Cursor, Link } from './link.ts';

/**
 * A checkpoint as a barrier: takes in everything before it lets the first item through. The items are in the step's recording, whose
 * limit bounds them.
 */
export class BarrierPull implements Pull<unknown>, Receiver<unknown> {
  readonly #step: StepRuntime;
  readonly #source: Pull<unknown>;
  readonly #start: Cursor | null;
  #next: number;
  #taken = 0;
  #closed = false;
  #waiting: Receiver<unknown> | null = null;

  /** `next`: items that an earlier run let through already. */
  constructor(step: StepRuntime, upstream: Link, next: number) {
    this.#step = step;
    this.#source = upstream.pull;
    this.#next = next;
    this.#start = step.run.durable ? upstream.cursor() : null;
  }

  next(receiver: Receiver<unknown>): unknown {
    if (this.#closed) return END;
    if (!this.#step.complete && !this.#drain(receiver)) return WAIT;
    const items = this.#step.record().kept;
    if (this.#next >= items.length) return END;
    return this.#step.passOn(items[this.#next++]);
  }

  close(): void | Promise<void> {
    this.#closed = true;
    this.#waiting = null;
    return this.#source.close();
  }

  rewind(): boolean {
    return false;
  }

  /** See `Link.cursor`: everything is taken in again. */
  cursor(): Cursor {
    return { up: this.#start, state: [this.#next] };
  }

  onValue(item: unknown): void {
    this.#answer(() => this.#take(item));
  }

  onEnd(): void {
    this.#step.complete = true;
    this.#answer();
  }

  onError(error: unknown): void {
    this.#waiting?.onError(error);
  }

  /** Takes in what there is; false when there is more to wait for. */
  #drain(receiver: Receiver<unknown>): boolean {
    while (this.#taken < YIELD_EVERY) {
      const item = this.#source.next(this);
      if (item === END) this.#step.complete = true;
      else if (item !== WAIT) this.#take(item);
      if (item === END) return true;
      if (item === WAIT) {
        this.#waiting = receiver;
        return false;
      }
    }
    this.#waiting = receiver;
    void yieldMacrotask().then(() => {
      this.#taken = 0;
      this.#answer();
    });
    return false;
  }

  #take(item: unknown): void {
    this.#taken++;
    this.#step.received++;
    this.#step.record().push(item);
  }

  #answer(before?: () => void): void {
    const receiver = this.#waiting;
    if (!receiver || this.#closed) return;
    this.#waiting = null;
    answer(receiver, () => {
      before?.();
      return this.next(receiver);
    });
  }
}
