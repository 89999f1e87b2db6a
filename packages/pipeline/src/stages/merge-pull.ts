import { answer, END, type Pull, type Receiver, WAIT } from '@perennial/core/engine';

import type { StepRuntime } from '../run/step-runtime.ts';

/** One of the merged sources. */
interface Lane extends Receiver<unknown> {
  readonly pull: Pull<unknown>;
  reading: boolean;
  over: boolean;
}

/** Passes on the values of several sources as they come. Each is asked for one value ahead at most; ready ones take turns. */
export class MergePull implements Pull<unknown> {
  readonly #step: StepRuntime;
  readonly #lanes: readonly Lane[];
  /** Values that came while nobody waited: one per lane at most. */
  #arrived: unknown[] = [];
  #turn = 0;
  #failure: { readonly error: unknown } | null = null;
  #waiting: Receiver<unknown> | null = null;
  #closed = false;

  constructor(step: StepRuntime, pulls: readonly Pull<unknown>[]) {
    this.#step = step;
    this.#lanes = pulls.map((pull) => this.#createLane(pull));
  }

  next(receiver: Receiver<unknown>): unknown {
    if (this.#arrived.length > 0) return this.#emit(this.#arrived.shift());
    if (this.#failure) throw this.#failure.error;
    for (let i = 0; i < this.#lanes.length; i++) {
      const lane = this.#lanes[this.#turn++ % this.#lanes.length];
      if (!lane || lane.over || lane.reading) continue;
      const value = lane.pull.next(lane);
      if (value === WAIT) lane.reading = true;
      else if (value === END) lane.over = true;
      else return this.#emit(value);
    }
    if (this.#lanes.every((lane) => lane.over)) return END;
    this.#waiting = receiver;
    return WAIT;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting = null;
    const results = await Promise.allSettled(this.#lanes.map(async ({ pull }) => pull.close()));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  rewind(): boolean {
    return false;
  }

  #createLane(pull: Pull<unknown>): Lane {
    const lane: Lane = {
      pull,
      reading: false,
      over: false,
      onValue: (value) => {
        lane.reading = false;
        this.#arrived.push(value);
        this.#answer();
      },
      onEnd: () => {
        lane.reading = false;
        lane.over = true;
        this.#answer();
      },
      onError: (error) => {
        lane.reading = false;
        this.#failure ??= { error };
        this.#answer();
      },
    };
    return lane;
  }

  #answer(): void {
    const receiver = this.#waiting;
    if (!receiver || this.#closed) return;
    this.#waiting = null;
    answer(receiver, () => this.next(receiver));
  }

  #emit(value: unknown): unknown {
    this.#step.received++;
    return this.#step.emit(value);
  }
}
