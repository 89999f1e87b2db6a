import { type CheckpointOptions, DEFAULT_CHECKPOINT_LIMIT } from '../durable/checkpoint-options.ts';
import { createLogLink } from '../durable/log-pull.ts';
import { CheckpointOverflow } from '../errors/streaming-error.ts';
import type { StepDescription, StepRuntime } from '../run/step-runtime.ts';
import { AccumulatorPull } from '../stages/accumulator-pull.ts';
import { type Accumulator, createCollector, createTimedBatches } from '../stages/accumulator.ts';
import { BarrierPull } from '../stages/barrier-pull.ts';
import { fuseStages } from '../stages/fuse.ts';
import { TeeStage } from '../stages/fused-stages.ts';
import { createGroups, type GroupOptions } from '../stages/groups.ts';
import { runFlatFunction } from '../stages/item-runners.ts';
import { createJoin, type JoinOptions } from '../stages/join.ts';
import type { Link } from '../stages/link.ts';
import { MergePull } from '../stages/merge-pull.ts';
import { createSourceLink, type PipelineSource } from '../stages/source-link.ts';
import { createCountWindows, createTimeWindows, type WindowOptions } from '../stages/windows.ts';
import type { Operation, OperationContext } from './operation.ts';
import { attachItems } from './operations.ts';

/** Arrays of items that also end when their first item has waited long enough. */
export function timedBatchOperation(step: StepDescription, size: number, maxWaitMs: number): Operation {
  return accumulating('batch', step, () => createTimedBatches(size, maxWaitMs));
}

/** Windows of a number of items or a stretch of time. */
export function windowOperation(step: StepDescription, options: WindowOptions<unknown>): Operation {
  if ('size' in options) return accumulating('window', step, () => createCountWindows(options));
  return {
    ...accumulating('window', step, (runtime) => createTimeWindows(options, overflowOf(runtime))),
    ...(!options.timestamp && { unrepeatable: 'its windows follow the clock (no `timestamp`)' }),
  };
}

/** Groups of items that share a key. */
export function groupOperation(
  step: StepDescription,
  keyOf: (item: unknown, index: number) => unknown,
  options: GroupOptions,
): Operation {
  return accumulating('groupBy', step, (runtime) => createGroups(keyOf, options, overflowOf(runtime)));
}

/** Pairs of items of two streams. */
export function joinOperation(
  step: StepDescription,
  other: () => PipelineSource<unknown>,
  options: JoinOptions<unknown, unknown, unknown, 'inner' | 'left'>,
): Operation {
  return {
    kind: 'join',
    step,
    attach: (context, upstream) =>
      attachItems(context, upstream, {
        run: runFlatFunction(context.step, createJoin(context.step, other, options), context.itemContext),
        counts: true,
      }),
  };
}

/** Items of several streams as they come. */
export function mergeOperation(step: StepDescription, others: () => readonly PipelineSource<unknown>[]): Operation {
  return {
    kind: 'merge',
    step,
    unrepeatable: 'it mixes streams as they come',
    attach({ step: runtime }, upstream) {
      const lanes = others().map((source) => createSourceLink(runtime.run, source, { name: step.stepName }).pull);
      return { pull: new MergePull(runtime, [upstream.pull, ...lanes]), cursor: upstream.cursor };
    },
  };
}

/** One array of all items, at the end. */
export function collectOperation(key: string, limit: number): Operation {
  return accumulating('collect', { key, stepName: key, executionMode: 'batch' }, (runtime) =>
    createCollector(limit, overflowOf(runtime)),
  );
}

/** See {@link CheckpointOptions}. */
export function checkpointOperation(key: string, options: CheckpointOptions): Operation {
  const { mode = 'barrier', limit = DEFAULT_CHECKPOINT_LIMIT } = options;
  const step: StepDescription = {
    key,
    stepName: key,
    executionMode: mode === 'barrier' ? 'batch' : 'streaming',
    checkpoint: true,
    ...(mode !== 'pass' && { retain: true, retainLimit: limit }),
  };
  const base: Operation = { kind: `checkpoint-${mode}`, step, checkpoint: options };
  if (mode === 'barrier')
    return { ...base, attach: (context, upstream) => attachBarrier(context, withLog(context, upstream)) };
  return {
    ...base,
    createStage: (context, [received = 0] = []) => {
      context.step.resume(received);
      return new TeeStage(context.step, 0);
    },
    attach(context, upstream) {
      const logged = withLog(context, upstream);
      const [passed = 0] = context.restored.take() ?? [];
      return fuseStages(logged, [new TeeStage(context.step, passed)]);
    },
  };
}

function attachBarrier({ step, restored }: OperationContext, upstream: Link): Link {
  const pull = new BarrierPull(step, upstream, restored.take()?.[0] ?? 0);
  return { pull, cursor: () => pull.cursor() };
}

/** Puts the checkpoint's log between it and the stages before, where it has one. */
function withLog({ step, items, restored }: OperationContext, upstream: Link): Link {
  if (!items) return upstream;
  restored.cut();
  restored.take();
  return createLogLink({ step, upstream, ...items });
}

function accumulating(kind: string, step: StepDescription, create: (step: StepRuntime) => Accumulator): Operation {
  return {
    kind,
    step,
    attach({ step: runtime, restored }, upstream) {
      const [received = 0, skip = 0] = restored.take() ?? [];
      runtime.resume(received);
      const pull = new AccumulatorPull({
        step: runtime,
        source: upstream.pull,
        sourceCursor: runtime.run.durable ? upstream.cursor : null,
        accumulator: create(runtime),
        skip,
      });
      return { pull, cursor: () => pull.cursor() };
    },
  };
}

function overflowOf(step: StepRuntime): (limit: number) => CheckpointOverflow {
  return (limit) => new CheckpointOverflow(step.key, limit, step.errorContext());
}
