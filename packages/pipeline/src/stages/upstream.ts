import { END, type Pull, type Receiver, WAIT, YIELD_EVERY, yieldMacrotask } from '@perennial/core/engine';

import type { CheckpointOverflow } from '../errors/streaming-error.ts';

/**
 * The stages before a generator step, as its input and its state both read them: the input takes items one by one, while a reading of
 * state may pull items ahead, which then wait here for the input.
 */
export class Upstream implements Pull<unknown>, Receiver<unknown> {
  readonly #pull: Pull<unknown>;
  #ahead: unknown[] = [];
  /** Items pulled ahead since timers and I/O had a turn. */
  #advanced = 0;
  #reading = false;
  #ended = false;
  #failed: { readonly error: unknown } | null = null;
  #receiver: Receiver<unknown> | null = null;
  /** Readers of state that wait for the next item to pass. */
  #watchers: (() => void)[] = [];

  constructor(pull: Pull<unknown>) {
    this.#pull = pull;
  }

  /** The failure of the stages before; null while there is none. */
  get failed(): { readonly error: unknown } | null {
    return this.#failed;
  }

  /** {@link Pull.next}, but only one receiver may wait. */
  next(receiver: Receiver<unknown>): unknown {
    if (this.#ahead.length > 0) return this.#ahead.shift();
    if (this.#failed) throw this.#failed.error;
    if (this.#ended) return END;
    if (this.#reading) {
      this.#receiver = receiver;
      return WAIT;
    }
    const item = this.#read();
    if (item === WAIT) this.#receiver = receiver;
    return item;
  }

  /** The waiting receiver is gone; what was pulled for it waits for the next one. */
  forget(): void {
    this.#receiver = null;
  }

  /** Items that were pulled and not handed out. */
  get ahead(): number {
    return this.#ahead.length + (this.#reading ? 1 : 0);
  }

  /**
   * Pulls one item ahead of the input, or waits for the one on its way.
   *
   * @param limit Items that may wait; beyond it, `overflow` makes the error.
   * @returns False at the end.
   */
  async advance(limit: number, overflow: () => CheckpointOverflow): Promise<boolean> {
    if (this.#over()) return false;
    if (this.#ahead.length >= limit) throw overflow();
    if (++this.#advanced % YIELD_EVERY === 0) await yieldMacrotask();
    if (!this.#reading) {
      const item = this.#read();
      if (item === END) return false;
      if (item !== WAIT) {
        this.#ahead.push(item);
        return true;
      }
    }
    await new Promise<void>((resolve) => this.#watchers.push(resolve));
    return !this.#over();
  }

  close(): void | Promise<void> {
    this.#ended = true;
    this.#ahead = [];
    this.#wake();
    return this.#pull.close();
  }

  rewind(): boolean {
    return false;
  }

  onValue(item: unknown): void {
    this.#reading = false;
    const receiver = this.#receiver;
    this.#receiver = null;
    if (receiver) receiver.onValue(item);
    else this.#ahead.push(item);
    this.#wake();
  }

  onEnd(): void {
    this.#reading = false;
    this.#ended = true;
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.onEnd();
    this.#wake();
  }

  onError(error: unknown): void {
    this.#reading = false;
    this.#failed = { error };
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.onError(error);
    this.#wake();
  }

  /** True at the end; throws after a failure. */
  #over(): boolean {
    if (this.#failed) throw this.#failed.error;
    return this.#ended;
  }

  #read(): unknown {
    let item: unknown;
    try {
      item = this.#pull.next(this);
    } catch (error) {
      this.#failed = { error };
      throw error;
    }
    if (item === WAIT) this.#reading = true;
    else if (item === END) this.#ended = true;
    return item;
  }

  #wake(): void {
    for (const wake of this.#watchers.splice(0)) wake();
  }
}
