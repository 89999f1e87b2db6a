import { isThenable, SKIP, type Stage } from '@perennial/core/engine';

import type { StepRuntime } from '../run/step-runtime.ts';
import { retryItem, timed } from './attempts.ts';
import type { ItemContext, ItemFunction } from './item-function.ts';
import type { StageState } from './link.ts';

/** A stage that maps one item to one value or none, so that a chain of them is one loop. */
export interface FusedStage extends Stage {
  /** See {@link StageState}. */
  state(): StageState;
}

/** A stage that calls a user's function. */
abstract class FunctionStage implements FusedStage {
  readonly step: StepRuntime;
  readonly fn: ItemFunction;
  readonly context: ItemContext;

  constructor(step: StepRuntime, fn: ItemFunction, context: ItemContext) {
    this.step = step;
    this.fn = fn;
    this.context = context;
  }

  abstract apply(item: unknown): unknown;

  state(): StageState {
    return [this.step.received];
  }

  /** What to pass on, given what the function answered in the end. */
  protected abstract settle(out: unknown, item: unknown): unknown;

  /** On its own, because a closure in `apply` would cost an allocation per item. */
  protected timed(item: unknown, index: number): unknown {
    return timed(this.step, () => this.fn(item, index, this.context));
  }

  protected late(out: PromiseLike<unknown>, item: unknown, index: number): Promise<unknown> {
    return Promise.resolve(out).then(
      (value) => this.settle(value, item),
      (cause: unknown) => this.failed(cause, item, index),
    );
  }

  protected failed(cause: unknown, item: unknown, index: number): unknown {
    const call = (): unknown => this.fn(item, index, this.context);
    const out = retryItem(this.step, { item, index, call }, cause);
    if (out === SKIP) return SKIP;
    return Promise.resolve(out).then((value) => (value === SKIP ? SKIP : this.settle(value, item)));
  }
}

// The two `apply` are alike on purpose: one shared method that calls `settle` costs 9 ns per item more, twice the rest of the stage.

/** Passes on what the function makes of an item. */
export class MapStage extends FunctionStage {
  override apply(item: unknown): unknown {
    const { step } = this;
    const index = step.received++;
    let out: unknown;
    try {
      out = --step.untilSample === 0 ? this.timed(item, index) : this.fn(item, index, this.context);
    } catch (cause) {
      return this.failed(cause, item, index);
    }
    if (typeof out === 'object' && isThenable(out)) return this.late(out, item, index);
    return step.emit(out);
  }

  protected override settle(out: unknown): unknown {
    return this.step.emit(out);
  }
}

/** Passes an item on if the function says so. */
export class FilterStage extends FunctionStage {
  override apply(item: unknown): unknown {
    const { step } = this;
    const index = step.received++;
    let keep: unknown;
    try {
      keep = --step.untilSample === 0 ? this.timed(item, index) : this.fn(item, index, this.context);
    } catch (cause) {
      return this.failed(cause, item, index);
    }
    if (typeof keep === 'object' && isThenable(keep)) return this.late(keep, item, index);
    return keep ? step.emit(item) : SKIP;
  }

  protected override settle(keep: unknown, item: unknown): unknown {
    return keep ? this.step.emit(item) : SKIP;
  }
}

/** Passes the first items on, then ends the input. */
export class TakeStage implements FusedStage {
  readonly #step: StepRuntime;
  #left: number;
  done: boolean;

  constructor(step: StepRuntime, left: number) {
    this.#step = step;
    this.#left = left;
    this.done = left === 0;
  }

  apply(item: unknown): unknown {
    this.#step.received++;
    this.done = --this.#left === 0;
    return this.#step.emit(item);
  }

  state(): StageState {
    return [this.#step.received, this.#left];
  }
}

/** Drops the first items. */
export class SkipStage implements FusedStage {
  readonly #step: StepRuntime;
  #left: number;

  constructor(step: StepRuntime, left: number) {
    this.#step = step;
    this.#left = left;
  }

  apply(item: unknown): unknown {
    this.#step.received++;
    if (this.#left === 0) return this.#step.emit(item);
    this.#left--;
    return SKIP;
  }

  state(): StageState {
    return [this.#step.received, this.#left];
  }
}

/** Groups items into arrays. */
export class BatchStage implements FusedStage {
  readonly #step: StepRuntime;
  readonly #size: number;
  #batch: unknown[] = [];

  constructor(step: StepRuntime, size: number) {
    this.#step = step;
    this.#size = size;
  }

  apply(item: unknown): unknown {
    this.#step.received++;
    this.#batch.push(item);
    return this.#batch.length === this.#size ? this.flush() : SKIP;
  }

  flush(): unknown {
    if (this.#batch.length === 0) return SKIP;
    const batch = this.#batch;
    this.#batch = [];
    return this.#step.emit(batch);
  }

  state(): StageState {
    return [this.#step.received];
  }
}

/** Passes everything on; what is kept of it is the step's recording. */
export class TeeStage implements FusedStage {
  readonly #step: StepRuntime;
  /** Items to record only: an earlier run passed them on. */
  #skip: number;

  constructor(step: StepRuntime, skip: number) {
    this.#step = step;
    this.#skip = skip;
  }

  apply(item: unknown): unknown {
    this.#step.received++;
    if (this.#skip === 0) return this.#step.emit(item);
    this.#skip--;
    this.#step.recorder?.push(item);
    return SKIP;
  }

  state(): StageState {
    // What an earlier run handed out counts as handed out, also before it was made again.
    return [this.#step.received + this.#skip];
  }
}
