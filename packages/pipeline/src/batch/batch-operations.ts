import { collect } from '@perennial/core';
import { isThenable, PULL, SKIP, toPull } from '@perennial/core/engine';

import type { Operation, OperationContext } from '../builder/operation.ts';
import type { StreamingOptions } from '../builder/options.ts';
import { show } from '../errors/arguments.ts';
import type { StepDescription, StepRuntime } from '../run/step-runtime.ts';
import { tryItem } from '../stages/attempts.ts';
import type { FusedStage } from '../stages/fused-stages.ts';
import type { ItemFunction } from '../stages/item-function.ts';
import { runFlatFunction, runFunction } from '../stages/item-runners.ts';
import { ItemsPull } from '../stages/items-pull.ts';
import type { StageState } from '../stages/link.ts';

const DEFAULT_CONCURRENCY = 10;

/** A step from the whole value to the next one. */
export function wholeOperation(step: StepDescription, fn: ItemFunction): Operation {
  return operation('add', step, ({ step: runtime, itemContext }) => (value) => {
    const index = runtime.received - 1;
    return tryItem(runtime, { item: value, index, call: () => fn(value, index, itemContext) });
  });
}

/** A step over the items of an array; `flat`: each becomes any number of items. */
export function listOperation(
  step: StepDescription,
  fn: ItemFunction,
  options: StreamingOptions & { flat: boolean },
): Operation {
  const { parallel = false, concurrencyLimit = DEFAULT_CONCURRENCY, flat } = options;
  return operation(flat ? 'flatMap' : 'map', step, ({ step: runtime, itemContext }) => (value) => {
    const items = new ItemsPull({
      step: runtime,
      source: toPull(listOf(runtime, value)),
      sourceCursor: null,
      run: (flat ? runFlatFunction : runFunction)(runtime, fn, itemContext),
      limit: parallel ? concurrencyLimit : 1,
      ordered: true,
      counts: false,
      emits: false,
    });
    return collect({ [PULL]: () => items });
  });
}

/** The items of an array for which a function says so. */
export function listFilterOperation(step: StepDescription, fn: ItemFunction): Operation {
  const keep: ItemFunction = async (item, index, context) => ((await fn(item, index, context)) ? [item] : []);
  return { ...listOperation(step, keep, { flat: true }), kind: 'filter' };
}

/** Arrays of the items of an array. */
export function listBatchOperation(step: StepDescription, size: number): Operation {
  return operation('batch', step, ({ step: runtime }) => (value) => {
    const items = listOf(runtime, value);
    return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
  });
}

/** A stage that works on one value at a time, in its own time. */
function operation(
  kind: string,
  step: StepDescription,
  create: (context: OperationContext) => (value: unknown) => unknown,
): Operation {
  return { kind: `batch-${kind}`, step, createStage: (context) => new WholeStage(context.step, create(context)) };
}

class WholeStage implements FusedStage {
  readonly #step: StepRuntime;
  readonly #work: (value: unknown) => unknown;

  constructor(step: StepRuntime, work: (value: unknown) => unknown) {
    this.#step = step;
    this.#work = work;
  }

  apply(value: unknown): unknown {
    this.#step.received++;
    const out = this.#work(value);
    return isThenable(out) ? Promise.resolve(out).then((late) => this.#emit(late)) : this.#emit(out);
  }

  state(): StageState {
    return [this.#step.received];
  }

  #emit(out: unknown): unknown {
    return out === SKIP ? SKIP : this.#step.emit(out);
  }
}

function listOf(step: StepRuntime, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw step.fatal(step.error(new TypeError(`it works on arrays, but the step before returned ${show(value)}`)));
}
