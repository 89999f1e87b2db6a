import type { StepRuntime } from '../run/step-runtime.ts';

/** Times one output of a generator step now and then, without the time it waits for its input. */
export class SpanTimer {
  readonly #step: StepRuntime;
  /** This output is timed. */
  #timing = false;
  #elapsedMs = 0;
  /** When the generator began to run; NaN while it waits. */
  #since = NaN;

  constructor(step: StepRuntime) {
    this.#step = step;
  }

  /** The generator is asked for an output. */
  start(): void {
    if (!this.#timing && --this.#step.untilSample > 0) return;
    if (!this.#step.timed) {
      this.#step.skipSample();
      return;
    }
    this.#timing = true;
    this.#since = this.#step.run.clock.now();
  }

  /** The generator waits for an item. */
  pause(): void {
    if (!this.#timing) return;
    this.#elapsedMs += this.#step.run.clock.now() - this.#since;
    this.#since = NaN;
  }

  /** The item is there. */
  resume(): void {
    if (this.#timing) this.#since = this.#step.run.clock.now();
  }

  /** The output is there. */
  stop(): void {
    if (!this.#timing) return;
    const now = this.#step.run.clock.now();
    const running = Number.isNaN(this.#since) ? 0 : now - this.#since;
    this.#step.sampled(this.#elapsedMs + running, now);
    this.#reset();
  }

  /** There will be no output; the next one is timed instead. */
  discard(): void {
    if (!this.#timing) return;
    this.#reset();
    this.#step.untilSample = 1;
  }

  #reset(): void {
    this.#timing = false;
    this.#elapsedMs = 0;
  }
}
