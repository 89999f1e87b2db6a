import { assertText, invalid, show } from '../errors/arguments.ts';
import { PipelineError } from '../errors/streaming-error.ts';
import type { StepFunction } from '../stages/generator-pull.ts';
import type { ItemFunction } from '../stages/item-function.ts';
import type { PipelineSource } from '../stages/source-link.ts';
import type { RetryOptions } from '../step/retry.ts';
import { describe } from './describe.ts';
import type { Operation } from './operation.ts';
import { flatMapOperation, generatorOperation, mapOperation, parallelGeneratorOperation } from './operations.ts';
import {
  type AddOptions,
  assertStepOptions,
  assertStreamingOptions,
  type PipelineOptions,
  type StreamingOptions,
} from './options.ts';

/** A generator step as entries read it: its types were checked by the pipeline's method. */
interface NamedStep {
  readonly name: string;
  readonly execute: StepFunction;
  readonly retry?: RetryOptions;
}

/** The entry of `add`. */
export function addEntry(
  key: string,
  step: unknown,
  options: AddOptions,
  { checkpoints = 'on-demand' }: PipelineOptions,
): Operation {
  assertStepOptions(options);
  assertStep(step);
  const { retain = checkpoints === 'always', stateless = false } = options;
  const description = { ...describe(key, { ...options, retain }, step), latest: checkpoints !== 'never' };
  return generatorOperation({ kind: 'add', step: description, execute: step.execute, stateless });
}

/** The entry of `map` and `flatMap`. */
export function itemEntry(kind: 'map' | 'flatMap', key: string, step: unknown, options: StreamingOptions): Operation {
  assertStreamingOptions(options);
  if (typeof step === 'function') {
    const description = describe(key, options);
    const create = kind === 'map' ? mapOperation : flatMapOperation;
    return create(description, step as ItemFunction, options);
  }
  assertStep(step);
  const entry = { kind, step: describe(key, options, step), execute: step.execute, stateless: true };
  return options.parallel ? parallelGeneratorOperation(entry, options) : generatorOperation(entry);
}

/** The source, or what its factory makes. */
export function openSource<T>(source: PipelineSource<T> | (() => PipelineSource<T>)): PipelineSource<T> {
  return typeof source === 'function' ? source() : source;
}

/**
 * Checks the last operation against those before it.
 *
 * @throws `DUPLICATE_KEY`, or `NOT_RESUMABLE` where a durable checkpoint could not keep its promise.
 */
export function assertOperations(operations: readonly Operation[]): void {
  const key = operations.at(-1)?.step.key;
  assertText('key', key);
  if (operations.some((operation, index) => operation.step.key === key && index < operations.length - 1)) {
    throw new PipelineError(
      'DUPLICATE_KEY',
      `The key '${key}' is taken: every step of a pipeline needs a key of its own.`,
    );
  }
  const durable = operations.filter((operation) => operation.checkpoint?.store);
  if (durable.length === 0) return;
  const culprit = operations.find((operation) => operation.unrepeatable);
  if (culprit) {
    throw new PipelineError(
      'NOT_RESUMABLE',
      `Step '${culprit.step.key}' cannot be in one pipeline with the durable checkpoint '${durable[0]?.step.key}': ${culprit.unrepeatable}, so a run that is resumed could lose or repeat items.`,
    );
  }
  const early = durable.slice(0, -1).find((operation) => operation.checkpoint?.mode === 'pass');
  if (early) {
    throw new PipelineError(
      'NOT_RESUMABLE',
      `Checkpoint '${early.step.key}' with \`mode: 'pass'\` has to be the last durable one: it only saves the position of the run, which '${durable.at(-1)?.step.key}' does already.`,
    );
  }
}

function assertStep(step: unknown): asserts step is NamedStep {
  if (
    typeof step === 'object' &&
    step !== null &&
    'execute' in step &&
    typeof step.execute === 'function' &&
    'name' in step &&
    typeof step.name === 'string'
  ) {
    return;
  }
  throw invalid(`A step is what \`createStreamingStep\` makes, or a function; got ${show(step)}.`);
}
