import { createPullIterator, type Pull } from '@perennial/core/engine';

import { StreamingError } from '../errors/streaming-error.ts';
import type { StepRuntime } from '../run/step-runtime.ts';

/** What promises, loggers and test tools ask any object for. */
const HARMLESS: ReadonlySet<PropertyKey> = new Set(['then', 'toJSON', 'asymmetricMatch', 'nodeType', '$$typeof']);

/**
 * Makes the generator that a step reads. The first step of a run that was started with one item also finds that item's fields on it; on
 * any other, asking for a field is an error, because `undefined` would travel far before anybody wondered.
 */
export function createStepInput(
  step: StepRuntime,
  feed: Pull<unknown>,
  single: { readonly item: unknown } | null,
): AsyncGenerator {
  const iterator = createPullIterator(feed);
  const input: AsyncGenerator = Object.create(single ? fieldsOf(single.item) : noFields(step));
  return Object.assign(input, {
    next: () => iterator.next(),
    return: (value?: unknown) => leave(iterator, value),
    async throw(error: unknown): Promise<never> {
      await iterator.return?.();
      throw error;
    },
    [Symbol.asyncIterator]: () => input,
    [Symbol.asyncDispose]: async () => void (await iterator.return?.()),
  });
}

async function leave(iterator: AsyncIterator<unknown>, value: unknown): Promise<IteratorResult<unknown>> {
  await iterator.return?.();
  return { done: true, value: await value };
}

function fieldsOf(item: unknown): object {
  const target = Object(item) as object;
  return new Proxy(Object.create(null) as object, {
    get(_, key) {
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    has: (_, key) => Reflect.has(target, key),
  });
}

function noFields(step: StepRuntime): object {
  return new Proxy(Object.create(null) as object, {
    get(_, key) {
      if (typeof key === 'symbol' || HARMLESS.has(key)) return undefined;
      throw new StreamingError(
        'NOT_ONE_ITEM',
        `Step '${step.description.stepName}' read \`input.${key}\`, but \`input\` is a stream here: only the first step of a run that was started with one item finds its fields on it. Read them from the items: \`for await (const item of input)\`.`,
        step.errorContext(),
      );
    },
  });
}
