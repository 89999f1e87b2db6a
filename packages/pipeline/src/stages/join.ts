import { toAsyncIterable } from '@perennial/core';

import { assertFunction, assertWhole, invalid, show } from '../errors/arguments.ts';
import { CheckpointOverflow } from '../errors/streaming-error.ts';
import type { StepRuntime } from '../run/step-runtime.ts';
import type { ItemFunction } from './item-function.ts';
import type { PipelineSource } from './source-link.ts';

/** Options of `join`. */
export interface JoinOptions<TLeft, TRight, TKey, TType extends 'inner' | 'left' = 'inner'> {
  /** Key of an item of the pipeline. */
  readonly leftKey: (item: TLeft) => TKey;
  /** Key of an item of the other stream. */
  readonly rightKey: (item: TRight) => TKey;
  /** `inner`: only items with a partner. `left`: also items without one, with `right: undefined`. @default 'inner' */
  readonly type?: TType;
  /** Items that the other stream may have: it is read whole before the first pair. @default 100_000 */
  readonly limit?: number;
}

/** An item of the pipeline with an item of the other stream that has the same key. */
export interface Joined<TLeft, TRight> {
  readonly left: TLeft;
  readonly right: TRight;
}

const DEFAULT_LIMIT = 100_000;

/** @throws `INVALID_ARGUMENT` naming the first option that cannot be followed. */
export function assertJoinOptions(options: JoinOptions<never, never, unknown, 'inner' | 'left'>): void {
  assertFunction('leftKey', options.leftKey);
  assertFunction('rightKey', options.rightKey);
  const { type = 'inner', limit } = options;
  if (type !== 'inner' && type !== 'left') throw invalid(`\`type\` of a join is 'inner' or 'left'; got ${show(type)}.`);
  if (limit !== undefined) assertWhole('limit', limit, 1);
}

/** A `flatMap` function that reads the other stream before the first item, then looks each item up. */
export function createJoin(
  step: StepRuntime,
  other: () => PipelineSource<unknown>,
  options: JoinOptions<unknown, unknown, unknown, 'inner' | 'left'>,
): ItemFunction {
  const { leftKey, type = 'inner' } = options;
  let table: Map<unknown, unknown[]> | null = null;
  let loading: Promise<Map<unknown, unknown[]>> | null = null;
  const lookUp = (from: Map<unknown, unknown[]>, left: unknown): readonly unknown[] => {
    const partners = from.get(leftKey(left));
    if (partners) return partners.map((right) => ({ left, right }));
    return type === 'left' ? [{ left, right: undefined }] : [];
  };
  return (left) => {
    if (table) return lookUp(table, left);
    loading ??= readTable(step, other(), options);
    return loading.then(
      (loaded) => {
        table = loaded;
        return lookUp(loaded, left);
      },
      (error: unknown) => {
        // The next try of the item, or the next item, reads the other stream anew.
        loading = null;
        throw error;
      },
    );
  };
}

async function readTable(
  step: StepRuntime,
  source: PipelineSource<unknown>,
  { rightKey, limit = DEFAULT_LIMIT }: JoinOptions<unknown, unknown, unknown, 'inner' | 'left'>,
): Promise<Map<unknown, unknown[]>> {
  const table = new Map<unknown, unknown[]>();
  let count = 0;
  const iterator = toAsyncIterable(source)[Symbol.asyncIterator]();
  const leave = (): void => void iterator.return?.();
  step.run.signal.addEventListener('abort', leave, { once: true });
  try {
    for await (const right of iterator) {
      if (++count > limit) throw new CheckpointOverflow(step.key, limit, step.errorContext());
      const key = rightKey(right);
      const partners = table.get(key);
      if (partners) partners.push(right);
      else table.set(key, [right]);
    }
  } finally {
    step.run.signal.removeEventListener('abort', leave);
  }
  return table;
}
