import { toPull } from '@perennial/core/engine';

import type { StepDescription } from '../run/step-runtime.ts';
import { BatchStage, FilterStage, MapStage, SkipStage, TakeStage } from '../stages/fused-stages.ts';
import { GeneratorPull, type GeneratorOptions, type StepFunction } from '../stages/generator-pull.ts';
import type { ItemFunction } from '../stages/item-function.ts';
import { runFlatFunction, runFlatten, runFunction, runPull } from '../stages/item-runners.ts';
import { type ItemRunner, ItemsPull } from '../stages/items-pull.ts';
import type { Link } from '../stages/link.ts';
import { once } from '../stages/source-link.ts';
import { Upstream } from '../stages/upstream.ts';
import type { Operation, OperationContext } from './operation.ts';
import type { StreamingOptions } from './options.ts';

/** A generator step as an entry of a pipeline. */
export interface StepEntry {
  readonly kind: 'add' | 'map' | 'flatMap';
  readonly step: StepDescription;
  readonly execute: StepFunction;
  /** See `GeneratorOptions.stateless`. */
  readonly stateless: boolean;
}

/** One generator over the whole stream; for `flatMap`, outputs that are async-iterable are taken apart. */
export function generatorOperation({ kind, step, execute, stateless }: StepEntry): Operation {
  if (kind !== 'flatMap') {
    return {
      kind,
      step,
      attach: (context, upstream) => attachGenerator(context, upstream, { execute, stateless, emits: true }),
    };
  }
  return {
    kind,
    step,
    attach(context, upstream) {
      const generator = attachGenerator(context, upstream, { execute, stateless, emits: false });
      return attachItems(context, generator, { run: runFlatten(context.step), counts: false });
    },
  };
}

/** One generator per item, several items at a time. */
export function parallelGeneratorOperation({ kind, step, execute }: StepEntry, options: StreamingOptions): Operation {
  return {
    kind,
    step,
    ...unrepeatable(options),
    attach(context, upstream) {
      const shared = new Upstream(upstream.pull);
      const state = context.createState(shared);
      const create = (item: unknown, index: number): GeneratorPull =>
        new GeneratorPull({
          ...generatorBase(context, { execute, stateless: true, emits: false }),
          source: toPull(once(item)),
          sourceCursor: null,
          createState: () => state,
          index,
        });
      const flat = (item: unknown, index: number): ItemsPull =>
        new ItemsPull({
          step: context.step,
          source: create(item, index),
          sourceCursor: null,
          run: runFlatten(context.step),
          limit: 1,
          ordered: true,
          counts: false,
          emits: false,
        });
      const link: Link = { pull: shared, cursor: upstream.cursor };
      return attachItems(context, link, {
        run: runPull(kind === 'flatMap' ? flat : create),
        counts: true,
        options,
        ahead: () => shared.ahead,
      });
    },
  };
}

/** A function per item; without `parallel` it is part of a fused loop. */
export function mapOperation(step: StepDescription, fn: ItemFunction, options: StreamingOptions): Operation {
  if (!options.parallel) {
    return {
      kind: 'map',
      step,
      createStage: (context, state) => {
        context.step.resume(state?.[0] ?? 0);
        return new MapStage(context.step, fn, context.itemContext);
      },
    };
  }
  return {
    kind: 'map',
    step,
    ...unrepeatable(options),
    attach: (context, upstream) =>
      attachItems(context, upstream, {
        run: runFunction(context.step, fn, context.itemContext),
        counts: true,
        options,
      }),
  };
}

/** A function per item that returns an iterable, which is taken apart. */
export function flatMapOperation(step: StepDescription, fn: ItemFunction, options: StreamingOptions): Operation {
  return {
    kind: 'flatMap',
    step,
    ...unrepeatable(options),
    attach: (context, upstream) =>
      attachItems(context, upstream, {
        run: runFlatFunction(context.step, fn, context.itemContext),
        counts: true,
        options,
      }),
  };
}

/** Items for which a function says so. */
export function filterOperation(step: StepDescription, fn: ItemFunction): Operation {
  return {
    kind: 'filter',
    step,
    createStage: (context, state) => {
      context.step.resume(state?.[0] ?? 0);
      return new FilterStage(context.step, fn, context.itemContext);
    },
  };
}

/** The first items. */
export function takeOperation(step: StepDescription, count: number): Operation {
  return {
    kind: 'take',
    step,
    createStage: (context, [received = 0, left = count] = []) => {
      context.step.resume(received);
      return new TakeStage(context.step, left);
    },
  };
}

/** All but the first items. */
export function skipOperation(step: StepDescription, count: number): Operation {
  return {
    kind: 'skip',
    step,
    createStage: (context, [received = 0, left = count] = []) => {
      context.step.resume(received);
      return new SkipStage(context.step, left);
    },
  };
}

/** Arrays of items. */
export function batchOperation(step: StepDescription, size: number): Operation {
  return {
    kind: 'batch',
    step,
    createStage: (context, [received = 0] = []) => {
      context.step.resume(received);
      return new BatchStage(context.step, size);
    },
  };
}

/** Options of {@link attachItems}. */
export interface ItemsStage {
  readonly run: ItemRunner;
  readonly counts: boolean;
  readonly options?: StreamingOptions;
  /** Items pulled that the stage was not given yet. */
  readonly ahead?: () => number;
}

/** Puts a stage of items behind a link. */
export function attachItems(
  context: OperationContext,
  upstream: Link,
  { run, counts, options = {}, ahead }: ItemsStage,
): Link {
  const { step, restored } = context;
  const { parallel = false, concurrencyLimit = DEFAULT_CONCURRENCY, ordered = true } = options;
  const [received = 0, skip = 0] = restored.take() ?? [];
  if (counts) step.resume(received);
  const pull = new ItemsPull({
    step,
    source: upstream.pull,
    sourceCursor: step.run.durable ? () => (ahead?.() ? null : upstream.cursor()) : null,
    run,
    limit: parallel ? concurrencyLimit : 1,
    ordered,
    counts,
    emits: true,
    skip,
  });
  return { pull, cursor: () => pull.cursor() };
}

const DEFAULT_CONCURRENCY = 10;

type GeneratorEntry = Pick<GeneratorOptions, 'execute' | 'stateless' | 'emits'>;

function attachGenerator(context: OperationContext, upstream: Link, entry: GeneratorEntry): Link {
  const { step, restored, createState } = context;
  const [received = 0, skip = 0] = restored.take() ?? [];
  step.resume(received);
  const pull = new GeneratorPull({
    ...generatorBase(context, entry),
    source: upstream.pull,
    sourceCursor: step.run.durable ? upstream.cursor : null,
    createState,
    skip,
  });
  return { pull, cursor: () => pull.cursor() };
}

function generatorBase(
  { step, single }: OperationContext,
  entry: GeneratorEntry,
): Pick<GeneratorOptions, 'step' | 'single'> & GeneratorEntry {
  return { step, single, ...entry };
}

function unrepeatable({ parallel, ordered = true }: StreamingOptions): Pick<Operation, 'unrepeatable'> {
  return parallel && !ordered ? { unrepeatable: 'its values come in the order of completion (`ordered: false`)' } : {};
}
