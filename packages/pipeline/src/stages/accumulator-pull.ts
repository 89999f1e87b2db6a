import { answer, END, type Pull, type Receiver, WAIT, YIELD_EVERY, yieldMacrotask } from '@perennial/core/engine';

import { isStreamingError } from '../errors/streaming-error.ts';
import type { StepRuntime } from '../run/step-runtime.ts';
import type { Accumulator } from './accumulator.ts';
import type { Cursor } from './link.ts';

/** Options of {@link AccumulatorPull}. */
export interface AccumulatorOptions {
  readonly step: StepRuntime;
  readonly source: Pull<unknown>;
  readonly sourceCursor: (() => Cursor) | null;
  readonly accumulator: Accumulator;
  /** Outputs that an earlier run handed out already. */
  readonly skip?: number;
}

const NO_CURSOR: Cursor = { up: null, state: [] };

/** Collects items into larger things, and emits what is complete, also by the clock while the source is quiet. */
export class AccumulatorPull implements Pull<unknown>, Receiver<unknown> {
  readonly #options: AccumulatorOptions;
  /** Complete, and waiting for their turn. */
  #complete: readonly unknown[] = [];
  #next = 0;
  #reading = false;
  #sourceOver = false;
  #failure: { readonly error: unknown } | null = null;
  #waiting: Receiver<unknown> | null = null;
  /** Aborts the timer; null while there is none. One timer serves: it goes off early and is set again. */
  #timer: AbortController | null = null;
  /** Items taken since timers and I/O had a turn. */
  #taken = 0;
  #base: Cursor = NO_CURSOR;
  /** Where the source stood before the item it is asked for. */
  #beforeRead: Cursor = NO_CURSOR;
  #receivedAtBase: number;
  #outputs = 0;
  #skip: number;

  constructor(options: AccumulatorOptions) {
    this.#options = options;
    this.#receivedAtBase = options.step.received;
    this.#skip = options.skip ?? 0;
    if (options.sourceCursor) this.#base = options.sourceCursor();
  }

  next(receiver: Receiver<unknown>): unknown {
    while (this.#taken < YIELD_EVERY) {
      while (this.#next < this.#complete.length) {
        const value = this.#complete[this.#next++];
        if (this.#handedOut()) return this.#options.step.emit(value);
      }
      if (this.#failure) throw this.#failure.error;
      if (this.#sourceOver) return END;
      if (this.#reading) return this.#wait(receiver);
      const { source, sourceCursor } = this.#options;
      if (sourceCursor) this.#beforeRead = sourceCursor();
      const item = source.next(this);
      if (item === WAIT) {
        this.#reading = true;
        return this.#wait(receiver);
      }
      if (item === END) this.#end();
      else this.#take(item);
    }
    void yieldMacrotask().then(() => {
      this.#taken = 0;
      this.#answer();
    });
    return this.#wait(receiver);
  }

  close(): void | Promise<void> {
    this.#waiting = null;
    this.#sourceOver = true;
    this.#complete = [];
    this.#timer?.abort();
    return this.#options.source.close();
  }

  rewind(): boolean {
    return false;
  }

  /** See `Link.cursor`. */
  cursor(): Cursor {
    // What an earlier run handed out counts as handed out, also before it was made again.
    return { up: this.#base, state: [this.#receivedAtBase, this.#outputs + this.#skip] };
  }

  onValue(item: unknown): void {
    this.#reading = false;
    if (this.#sourceOver) return;
    try {
      this.#take(item);
    } catch (error) {
      this.#failure = { error };
    }
    this.#answer();
  }

  onEnd(): void {
    this.#reading = false;
    if (!this.#sourceOver) this.#end();
    this.#answer();
  }

  onError(error: unknown): void {
    this.#reading = false;
    this.#failure = { error };
    this.#answer();
  }

  #take(item: unknown): void {
    const { step, accumulator } = this.#options;
    this.#taken++;
    const index = step.received++;
    try {
      this.#completed(accumulator.add(item, index, step.run.clock.now()));
    } catch (cause) {
      if (isStreamingError(cause)) throw step.fatal(cause);
      step.failItem(cause, { index, item });
    }
  }

  #end(): void {
    this.#sourceOver = true;
    this.#timer?.abort();
    this.#completed(this.#options.accumulator.end());
  }

  #completed(values: readonly unknown[]): void {
    if (values.length === 0) return;
    this.#complete = this.#next < this.#complete.length ? [...this.#complete.slice(this.#next), ...values] : values;
    this.#next = 0;
  }

  /** Notes a value on its way out. False when an earlier run handed it out already. */
  #handedOut(): boolean {
    const { sourceCursor, accumulator, step } = this.#options;
    this.#outputs++;
    if (sourceCursor && accumulator.size === 0 && this.#next === this.#complete.length) {
      this.#base = this.#reading ? this.#beforeRead : sourceCursor();
      this.#receivedAtBase = step.received;
      this.#outputs = 0;
    }
    if (this.#skip === 0) return true;
    this.#skip--;
    return false;
  }

  #wait(receiver: Receiver<unknown>): typeof WAIT {
    this.#waiting = receiver;
    this.#setTimer();
    return WAIT;
  }

  #answer(): void {
    const receiver = this.#waiting;
    if (!receiver || this.#taken >= YIELD_EVERY) return;
    this.#waiting = null;
    answer(receiver, () => this.next(receiver));
  }

  #setTimer(): void {
    const due = this.#options.accumulator.due();
    if (due === null || this.#timer) return;
    const { clock } = this.#options.step.run;
    const timer = new AbortController();
    this.#timer = timer;
    void clock.sleep(Math.max(due - clock.now(), 0), timer.signal).then(
      () => this.#wake(),
      () => undefined,
    );
  }

  #wake(): void {
    this.#timer = null;
    if (this.#sourceOver) return;
    this.#completed(this.#options.accumulator.expire(this.#options.step.run.clock.now()));
    if (this.#next < this.#complete.length) this.#answer();
    else this.#setTimer();
  }
}
