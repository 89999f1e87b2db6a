import { CheckpointOverflow, StateNotRetained } from '../errors/streaming-error.ts';
import { SNAPSHOT } from '../step/streaming-state.ts';
import type { StepRuntime } from './step-runtime.ts';

/** Options of {@link Recorder}. */
export interface RecorderOptions {
  /** Values kept on the step's own account: all, the last n, or none. */
  readonly retain: boolean | number;
  /** Values that all of them, or one reading, may come to. */
  readonly limit: number;
}

/** Keeps values of one step for `state.stream` and `state.materialize`. */
export class Recorder {
  readonly #step: StepRuntime;
  readonly #retain: number;
  readonly #limit: number;
  #kept: unknown[] = Object.defineProperty([], SNAPSHOT, { value: true });
  readonly #tees = new Set<Tee>();

  constructor(step: StepRuntime, { retain, limit }: RecorderOptions) {
    this.#step = step;
    this.#retain = retain === true ? Infinity : Number(retain);
    this.#limit = limit;
  }

  /** The values kept so far; the array of a checkpoint grows in place. */
  get kept(): readonly unknown[] {
    return this.#kept;
  }

  get retains(): boolean {
    return this.#retain > 0;
  }

  push(value: unknown): void {
    if (this.#retain > 0) this.#keep(value);
    for (const tee of this.#tees) tee.push(value);
  }

  /** Opens a reading of the values kept, and of those to come. */
  open(): Tee {
    const { key, emitted } = this.#step;
    if (this.#retain === 0 && emitted > 0) {
      throw new StateNotRetained(
        key,
        `Step '${key}' has emitted ${emitted} values that were not kept. Ask before its first one, put a checkpoint after it, or give it \`retain: true\`.`,
        this.#step.errorContext(),
      );
    }
    const tee = new Tee(this.#retain === Infinity ? [...this.#kept] : this.#lastKept(), this.#limit, {
      overflow: () => this.overflow(),
      close: () => void this.#tees.delete(tee),
    });
    this.#tees.add(tee);
    return tee;
  }

  /** The error of somebody who would keep more than the limit. */
  overflow(): CheckpointOverflow {
    return new CheckpointOverflow(this.#step.key, this.#limit, this.#step.errorContext());
  }

  #keep(value: unknown): void {
    if (this.#retain === Infinity && this.#kept.length >= this.#limit) throw this.overflow();
    this.#kept.push(value);
    // Old values go in one sweep now and then; shifting each time would move the whole array.
    if (this.#kept.length >= 2 * this.#retain) this.#kept = this.#lastKept();
  }

  #lastKept(): unknown[] {
    return this.#retain === 0 ? [] : this.#kept.slice(-this.#retain);
  }
}

/** One reading of a step's values. */
export class Tee {
  #values: unknown[];
  #next = 0;
  readonly #limit: number;
  readonly #owner: { readonly overflow: () => CheckpointOverflow; readonly close: () => void };
  #failure: CheckpointOverflow | null = null;

  constructor(values: unknown[], limit: number, owner: { overflow: () => CheckpointOverflow; close: () => void }) {
    this.#values = values;
    this.#limit = limit;
    this.#owner = owner;
  }

  /** Values that nobody reads in time end this reading, not the run. */
  push(value: unknown): void {
    if (this.#values.length - this.#next < this.#limit) {
      this.#values.push(value);
      return;
    }
    this.#failure = this.#owner.overflow();
    this.close();
  }

  /** Values that wait. */
  get size(): number {
    if (this.#failure) throw this.#failure;
    return this.#values.length - this.#next;
  }

  /** The first of the values that wait. */
  take(): unknown {
    const value = this.#values[this.#next];
    this.#values[this.#next++] = undefined;
    if (this.#next === this.#values.length) {
      this.#values = [];
      this.#next = 0;
    }
    return value;
  }

  /** All values that wait. */
  takeAll(): unknown[] {
    if (this.#failure) throw this.#failure;
    const values = this.#values.slice(this.#next);
    this.#values = [];
    this.#next = 0;
    return values;
  }

  close(): void {
    this.#values = [];
    this.#next = 0;
    this.#owner.close();
  }
}
