import { answer, END, isThenable, type Pull, type Receiver, SKIP, toPull } from '@perennial/core/engine';

import { show } from '../errors/arguments.ts';
import type { StepRuntime } from '../run/step-runtime.ts';
import { retryItem, timed } from './attempts.ts';
import type { ItemContext, ItemFunction } from './item-function.ts';
import type { ItemRunner } from './items-pull.ts';
import type { Slot } from './slot.ts';

/** An item becomes what a function returns for it. */
export function runFunction(step: StepRuntime, fn: ItemFunction, context: ItemContext): ItemRunner {
  return runTried(
    step,
    (item, index) => fn(item, index, context),
    (slot, value) => slot.settle(value),
  );
}

/** An item becomes the values of what a function returns for it, an iterable of either kind. */
export function runFlatFunction(step: StepRuntime, fn: ItemFunction, context: ItemContext): ItemRunner {
  const call = async (values: unknown): Promise<unknown> => assertIterable(step, await values);
  return runTried(
    step,
    (item, index) => {
      const values = fn(item, index, context);
      return isThenable(values) ? call(values) : assertIterable(step, values);
    },
    (slot, values, item) => {
      if (Array.isArray(values)) slot.settleAll(values);
      else slot.pour(guarded(step, toPull(values as Iterable<unknown>), { item, index: slot.index }));
    },
  );
}

/** An item that is async-iterable becomes its values; other items stay what they are. */
export function runFlatten(step: StepRuntime): ItemRunner {
  return (item, slot) => {
    if (isAsyncIterable(item)) slot.pour(guarded(step, toPull(item), { item, index: slot.index }));
    else slot.settle(item);
  };
}

/** An item becomes what the pull made for it yields. */
export function runPull(create: (item: unknown, index: number) => Pull<unknown>): ItemRunner {
  return (item, slot) => slot.pour(create(item, slot.index));
}

/** True for what `flatMap` takes apart in the outputs of a step. */
function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function runTried(
  step: StepRuntime,
  fn: (item: unknown, index: number) => unknown,
  settle: (slot: Slot, value: unknown, item: unknown) => void,
): ItemRunner {
  /** Never throws: what the item failed with is in its slot. */
  const finish = (slot: Slot, value: unknown, item: unknown): void => {
    try {
      if (value === SKIP) slot.drop();
      else settle(slot, value, item);
    } catch (error) {
      slot.fail(error);
    }
  };
  const recover = async (slot: Slot, item: unknown, cause: unknown): Promise<void> => {
    const { index } = slot;
    try {
      finish(slot, await retryItem(step, { item, index, call: () => fn(item, index) }, cause), item);
    } catch (error) {
      slot.fail(error);
    }
  };
  return (item, slot, progressed) => {
    let out: unknown;
    try {
      out = --step.untilSample === 0 ? timed(step, () => fn(item, slot.index)) : fn(item, slot.index);
    } catch (cause) {
      void recover(slot, item, cause).then(progressed);
      return;
    }
    if (!isThenable(out)) {
      finish(slot, out, item);
      return;
    }
    // One reaction and no more on the usual way: its cost is that of every item. A promise of one's own stays the same here; a foreign one
    // may settle twice, or at once.
    void Promise.resolve(out).then(
      (value) => {
        finish(slot, value, item);
        progressed();
      },
      (cause: unknown) => void recover(slot, item, cause).then(progressed),
    );
  };
}

function assertIterable(step: StepRuntime, values: unknown): unknown {
  if (typeof values === 'object' && values !== null) {
    if (Symbol.iterator in values || Symbol.asyncIterator in values) return values;
    if (values instanceof ReadableStream) return values;
  }
  const hint = typeof values === 'string' ? ' Wrap a string in an array.' : '';
  throw new TypeError(
    `\`flatMap\` of '${step.key}' needs a function that returns an iterable, sync or async; got ${show(values)}.${hint}`,
  );
}

/** Lets the step's strategy decide about an item whose values stop with an error. */
function guarded(step: StepRuntime, inner: Pull<unknown>, failed: { item: unknown; index: number }): Pull<unknown> {
  const decide = (cause: unknown): typeof END => {
    // What failed may still hold something; its failure is the one to report, not one to close it.
    void Promise.resolve(inner.close()).catch(() => undefined);
    step.failItem(cause, failed);
    return END;
  };
  const give = (receiver: Receiver<unknown>): Receiver<unknown> => ({
    onValue: (value) => receiver.onValue(value),
    onEnd: () => receiver.onEnd(),
    onError: (cause) => answer(receiver, () => decide(cause)),
  });
  let given: Receiver<unknown> | null = null;
  return {
    next(receiver) {
      given ??= give(receiver);
      try {
        return inner.next(given);
      } catch (cause) {
        return decide(cause);
      }
    },
    close: () => inner.close(),
    rewind: () => false,
  };
}
