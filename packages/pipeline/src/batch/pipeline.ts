import type { Definition } from '../builder/definition.ts';
import { describe } from '../builder/describe.ts';
import { assertOperations } from '../builder/entries.ts';
import type { Operation } from '../builder/operation.ts';
import {
  assertPipelineOptions,
  assertStreamingOptions,
  type ExecuteOptions,
  type PipelineOptions,
} from '../builder/options.ts';
import { assertFunction, assertWhole, invalid, show } from '../errors/arguments.ts';
import type { StreamingErrorStrategy } from '../errors/error-strategy.ts';
import { isStreamingError, StreamingError } from '../errors/streaming-error.ts';
import type { PipelineMetadata } from '../metadata/streaming-metadata.ts';
import { itemOf } from '../run/run-input.ts';
import { RunState } from '../run/run-state.ts';
import type { StepDescription } from '../run/step-runtime.ts';
import { createStreamingRun } from '../run/streaming-run.ts';
import type { ItemContext, ItemFunction } from '../stages/item-function.ts';
import type { RetryOptions } from '../step/retry.ts';
import type { AddToState, ValidateNewKey } from '../step/streaming-state.ts';
import { listBatchOperation, listFilterOperation, listOperation, wholeOperation } from './batch-operations.ts';
import { type Step, unwrapStep } from './step.ts';

/** Options of the list operations of {@link Pipeline}. */
export interface ListOptions {
  /** Several items at once. @default false */
  readonly parallel?: boolean;
  /** With `parallel`: items in flight. @default 10 */
  readonly concurrencyLimit?: number;
  /** What becomes of items that failed; in a batch there is no error channel to split them off to. @default 'FAIL_FAST' */
  readonly errorStrategy?: Exclude<StreamingErrorStrategy, 'SPLIT_ERRORS'>;
  /** Tries failed items again; overrides the step's own. @default none */
  readonly retry?: RetryOptions;
}

/** The outcome of {@link Pipeline.execute}. */
export type PipelineResult<TOutput, TState> =
  | { readonly success: true; readonly data: TOutput; readonly state: TState; readonly metadata: PipelineMetadata }
  | { readonly success: false; readonly error: StreamingError; readonly metadata: PipelineMetadata };

/** What an array holds. */
export type ItemOf<TList> = TList extends readonly (infer TItem)[] ? TItem : never;

/** A step over one item, or a plain function. */
export type ItemStep<TInput, TOutput, TState, TContext> =
  | Step<TInput, TOutput, TState, TContext>
  | ((item: TInput, index: number, context: ItemContext<TState, TContext>) => TOutput | PromiseLike<TOutput>);

type NextBatch<TInput, TOutput, TState extends object, TContext, TKey extends string> = Pipeline<
  TInput,
  TOutput,
  AddToState<TState, TKey, TOutput>,
  TContext
>;

let readDefinition: (pipeline: Pipeline<unknown, unknown, object>) => Definition;

/**
 * A typed chain of steps over one value: each step runs to its end before the next begins, and arrays are held whole. For data that
 * fits into memory and steps that need all of it; `StreamingPipeline` for the rest. Immutable, and run any number of times.
 */
export class Pipeline<TInput, TOutput, TState extends object = {}, TContext = unknown> {
  readonly #definition: Definition;

  static {
    readDefinition = (pipeline) => pipeline.#definition;
  }

  /** Use {@link Pipeline.start}. */
  constructor(definition: Definition) {
    this.#definition = definition;
  }

  /** Begins a pipeline. `contextBuilder` is called once per run. */
  static start<TInput, TContext = unknown>(
    contextBuilder?: () => TContext,
    options: PipelineOptions = {},
  ): Pipeline<TInput, TInput, {}, TContext> {
    if (contextBuilder !== undefined) assertFunction('contextBuilder', contextBuilder);
    assertPipelineOptions(options);
    return new Pipeline({ operations: [], contextBuilder, options });
  }

  /** A step over the whole value. */
  add<TKey extends string, TNext>(
    key: ValidateNewKey<TState, TKey>,
    step: Step<TOutput, TNext, TState, TContext>,
  ): NextBatch<TInput, TNext, TState, TContext, TKey> {
    return this.#add(wholeOperation(describeBatch(key, step), toFunction(step)));
  }

  /** A step over each item of an array. */
  map<TKey extends string, TNext>(
    key: ValidateNewKey<TState, TKey>,
    step: ItemStep<ItemOf<TOutput>, TNext, TState, TContext>,
    options: ListOptions = {},
  ): NextBatch<TInput, TNext[], TState, TContext, TKey> {
    assertStreamingOptions(options);
    return this.#add(listOperation(describeBatch(key, step, options), toFunction(step), { ...options, flat: false }));
  }

  /** A step that makes an iterable of each item of an array; the results are joined into one array. */
  flatMap<TKey extends string, TNext>(
    key: ValidateNewKey<TState, TKey>,
    step: ItemStep<ItemOf<TOutput>, Iterable<TNext> | AsyncIterable<TNext>, TState, TContext>,
    options: ListOptions = {},
  ): NextBatch<TInput, TNext[], TState, TContext, TKey> {
    assertStreamingOptions(options);
    return this.#add(listOperation(describeBatch(key, step, options), toFunction(step), { ...options, flat: true }));
  }

  /** The items of an array for which `predicate` holds. */
  filter<TKey extends string>(
    key: ValidateNewKey<TState, TKey>,
    predicate: (item: ItemOf<TOutput>, index: number) => boolean | PromiseLike<boolean>,
  ): NextBatch<TInput, ItemOf<TOutput>[], TState, TContext, TKey> {
    assertFunction('predicate', predicate);
    return this.#add(listFilterOperation(describeBatch(key), predicate as ItemFunction));
  }

  /** Arrays of `size` items of an array. */
  batch<TKey extends string>(
    key: ValidateNewKey<TState, TKey>,
    size: number,
  ): NextBatch<TInput, ItemOf<TOutput>[][], TState, TContext, TKey> {
    assertWhole('size', size, 1);
    return this.#add(listBatchOperation(describeBatch(key), size));
  }

  /** Runs all steps. Never rejects: a failure is a result. */
  async execute(input: TInput, options: ExecuteOptions = {}): Promise<PipelineResult<TOutput, TState>> {
    const state = new RunState<TOutput>(this.#definition, itemOf(input), options);
    const run = createStreamingRun(state);
    try {
      const step = await run.next();
      if (step.done) throw noValue(run);
      const data = step.value;
      const accumulated = state.accumulated();
      await run.next();
      // Keys and types of the state were checked when the steps were added.
      return { success: true, data, state: accumulated as TState, metadata: await run.metadata };
    } catch (thrown) {
      const error = isStreamingError(thrown) ? thrown : noValue(run);
      await run.return();
      return { success: false, error, metadata: await run.metadata };
    }
  }

  #add<TNext, TNextState extends object>(operation: Operation): Pipeline<TInput, TNext, TNextState, TContext> {
    const operations = [...this.#definition.operations, operation];
    assertOperations(operations);
    return new Pipeline({ ...this.#definition, operations });
  }
}

/** The definition of a batch pipeline, for the adapters. */
export function batchDefinitionOf<TInput, TOutput, TState extends object, TContext>(
  pipeline: Pipeline<TInput, TOutput, TState, TContext>,
): Definition {
  return readDefinition(pipeline);
}

/** A step's function as the stages call it. */
function toFunction(step: unknown): ItemFunction {
  if (typeof step === 'function') return step as ItemFunction;
  if (!isStep(step)) throw invalid(`A step is what \`createStep\` makes, or a function; got ${show(step)}.`);
  return async (input, _, { accumulated, context, signal }) =>
    unwrapStep(await step.execute({ input, state: accumulated, context, signal }));
}

function isStep(step: unknown): step is Step<unknown, unknown> {
  return typeof step === 'object' && step !== null && 'execute' in step && typeof step.execute === 'function';
}

function describeBatch(key: string, step?: unknown, options: ListOptions = {}): StepDescription {
  return { ...describe(key, options, isStep(step) ? step : undefined), executionMode: 'batch' };
}

function noValue(run: { readonly traceId: string; readonly spanId: string }): StreamingError {
  return new StreamingError('STEP_FAILED', 'The pipeline gave no value.', {
    stepName: 'pipeline',
    retryable: false,
    traceId: run.traceId,
    spanId: run.spanId,
  });
}
