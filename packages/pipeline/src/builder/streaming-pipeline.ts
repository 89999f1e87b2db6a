import { collect, reduce, type StreamAddress } from '@perennial/core';

import { type CheckpointOptions, assertCheckpointOptions } from '../durable/checkpoint-options.ts';
import { assertFunction, assertNumber, assertText, assertWhole } from '../errors/arguments.ts';
import { PipelineError } from '../errors/streaming-error.ts';
import type { PipelineMetadata } from '../metadata/streaming-metadata.ts';
import { inputOf, itemOf, type RunInput, streamOf } from '../run/run-input.ts';
import { RunState, type RunStateOptions } from '../run/run-state.ts';
import { createStreamingRun, type StreamingRun } from '../run/streaming-run.ts';
import { runToStream, type SinkRun, type StreamOutput, type StreamOutputOptions } from '../sinks/run-to-stream.ts';
import { assertGroupOptions, type Group, type GroupOptions } from '../stages/groups.ts';
import type { ItemContext, ItemFunction } from '../stages/item-function.ts';
import { assertJoinOptions, type Joined, type JoinOptions } from '../stages/join.ts';
import type { PipelineSource } from '../stages/source-link.ts';
import { assertWindowOptions, type WindowOptions } from '../stages/windows.ts';
import type { AddToState, Snapshot, ValidateNewKey } from '../step/streaming-state.ts';
import type { FirstInput, StreamingStep } from '../step/streaming-step.ts';
import {
  checkpointOperation,
  groupOperation,
  joinOperation,
  mergeOperation,
  timedBatchOperation,
  windowOperation,
} from './collecting-operations.ts';
import type { Definition } from './definition.ts';
import { describe } from './describe.ts';
import { addEntry, assertOperations, itemEntry, openSource } from './entries.ts';
import type { Operation } from './operation.ts';
import { batchOperation, filterOperation, skipOperation, takeOperation } from './operations.ts';
import {
  type AddOptions,
  assertPipelineOptions,
  assertStepOptions,
  type BatchOptions,
  type ExecuteOptions,
  type PipelineOptions,
  type StepOptions,
  type StreamingOptions,
} from './options.ts';

/** A plain function as a step: the fast way, because neighbours run as one loop. */
export type ItemMapper<TInput, TOutput, TAccumulated, TContext> = (
  item: TInput,
  index: number,
  context: ItemContext<TAccumulated, TContext>,
) => TOutput | PromiseLike<TOutput>;

/** What `flatMap` makes of the output of a step: the values of an async iterable, anything else as it is. */
export type Flattened<TOutput> = TOutput extends AsyncIterable<infer TItem> ? TItem : TOutput;

/** What steps return. */
type Next<TInput, TOutput, TAccumulated extends object, TContext, TKey extends string, TValue> = StreamingPipeline<
  TInput,
  TOutput,
  AddToState<TAccumulated, TKey, TValue>,
  TContext
>;
type Predicate<T, TAccumulated, TContext> = ItemMapper<T, boolean, TAccumulated, TContext>;
let readDefinition: (pipeline: StreamingPipeline<unknown, unknown, object>) => Definition;

type ManyOf<T> = Iterable<T> | AsyncIterable<T>;
type SourceOrFactory<T> = PipelineSource<T> | (() => PipelineSource<T>);

/**
 * A typed chain of steps over a stream, built once and run any number of times. Values are pulled one by one: nothing is read that was
 * not asked for, and nothing is kept that no step asked for.
 *
 * Each step has a key of its own, by which later steps see what it emitted. Pipelines are immutable: every method returns a new one.
 *
 * @example
 * const pipeline = StreamingPipeline.start<string>()
 *   .map('text', (path) => readFile(path, 'utf8'), { parallel: true, concurrencyLimit: 10 })
 *   .flatMap('line', (text) => text.split('\n'))
 *   .filter('error', (line) => line.includes('ERROR'));
 * for await (const line of pipeline.execute(paths)) console.log(line);
 */
export class StreamingPipeline<TInitialInput, TCurrentOutput, TAccumulated extends object = {}, TContext = unknown> {
  readonly #definition: Definition;
  #lastRun: { readonly metadata: Promise<PipelineMetadata> } | null = null;

  static {
    readDefinition = (pipeline) => pipeline.#definition;
  }

  /** Use {@link StreamingPipeline.start}. */
  constructor(definition: Definition) {
    this.#definition = definition;
  }

  /**
   * Begins a pipeline whose runs take `TInput` items.
   *
   * @param contextBuilder Makes the context of a run: connections, clients, settings. Called when a run's first value is asked for.
   */
  static start<TInput, TContext = unknown>(
    contextBuilder?: () => TContext,
    options: PipelineOptions = {},
  ): FirstPipeline<TInput, TContext> {
    if (contextBuilder !== undefined) assertFunction('contextBuilder', contextBuilder);
    assertPipelineOptions(options);
    return new FirstPipeline<TInput, TContext>({ operations: [], contextBuilder, options });
  }

  /** A step over the whole stream: one generator, never in parallel. For steps that carry something along, or turn one request into many items. */
  add<TKey extends string, TOutput>(
    key: ValidateNewKey<TAccumulated, TKey>,
    step: StreamingStep<TCurrentOutput, TOutput, TAccumulated, TContext>,
    options: AddOptions = {},
  ): Next<TInitialInput, TOutput, TAccumulated, TContext, TKey, TOutput> {
    return this.#add(addEntry(key, step, options, this.#definition.options));
  }

  /** A step per item: a function, the fast way, or a generator step. With `parallel`, several items at once, in order unless `ordered: false`. */
  map<TKey extends string, TOutput>(
    key: ValidateNewKey<TAccumulated, TKey>,
    step:
      | StreamingStep<TCurrentOutput, TOutput, TAccumulated, TContext>
      | ItemMapper<TCurrentOutput, TOutput, TAccumulated, TContext>,
    options: StreamingOptions = {},
  ): Next<TInitialInput, TOutput, TAccumulated, TContext, TKey, TOutput> {
    return this.#add(itemEntry('map', key, step, options));
  }

  /**
   * A step that makes any number of values of an item. A function returns an iterable, sync or async, which is taken apart; a generator
   * step emits the values, of which only async iterables are taken apart, one level deep.
   */
  flatMap<TKey extends string, TOutput = never, TItem = never>(
    key: ValidateNewKey<TAccumulated, TKey>,
    step:
      | StreamingStep<TCurrentOutput, TOutput, TAccumulated, TContext>
      | ItemMapper<TCurrentOutput, ManyOf<TItem>, TAccumulated, TContext>,
    options: StreamingOptions = {},
  ): Next<TInitialInput, Flattened<TOutput> | TItem, TAccumulated, TContext, TKey, Flattened<TOutput> | TItem> {
    return this.#add(itemEntry('flatMap', key, step, options));
  }

  /** Keeps the items for which `predicate` holds; it may be async. */
  filter<TKey extends string, TKept extends TCurrentOutput>(
    key: ValidateNewKey<TAccumulated, TKey>,
    predicate: (item: TCurrentOutput, index: number) => item is TKept,
    options?: StepOptions,
  ): Next<TInitialInput, TKept, TAccumulated, TContext, TKey, TKept>;
  filter<TKey extends string>(
    key: ValidateNewKey<TAccumulated, TKey>,
    predicate: Predicate<TCurrentOutput, TAccumulated, TContext>,
    options?: StepOptions,
  ): Next<TInitialInput, TCurrentOutput, TAccumulated, TContext, TKey, TCurrentOutput>;
  filter<TKey extends string>(
    key: TKey,
    predicate: Predicate<TCurrentOutput, TAccumulated, TContext>,
    options: StepOptions = {},
  ): Next<TInitialInput, TCurrentOutput, TAccumulated, TContext, TKey, TCurrentOutput> {
    assertFunction('predicate', predicate);
    assertStepOptions(options);
    return this.#add(filterOperation(describe(key, options), predicate as ItemFunction));
  }

  /** Groups items into arrays of `size`; the last may be shorter, and with `maxWaitMs` any that would come too late. */
  batch<TKey extends string>(
    key: ValidateNewKey<TAccumulated, TKey>,
    size: number,
    { maxWaitMs }: BatchOptions = {},
  ): Next<TInitialInput, TCurrentOutput[], TAccumulated, TContext, TKey, TCurrentOutput[]> {
    assertWhole('size', size, 1);
    assertNumber('maxWaitMs', maxWaitMs);
    const step = describe(key);
    return this.#add(maxWaitMs === undefined ? batchOperation(step, size) : timedBatchOperation(step, size, maxWaitMs));
  }

  /** The first `count` items; then the steps before are closed. */
  take<TKey extends string>(
    key: ValidateNewKey<TAccumulated, TKey>,
    count: number,
  ): Next<TInitialInput, TCurrentOutput, TAccumulated, TContext, TKey, TCurrentOutput> {
    assertWhole('count', count, 0);
    return this.#add(takeOperation(describe(key), count));
  }

  /** All but the first `count` items. */
  skip<TKey extends string>(
    key: ValidateNewKey<TAccumulated, TKey>,
    count: number,
  ): Next<TInitialInput, TCurrentOutput, TAccumulated, TContext, TKey, TCurrentOutput> {
    assertWhole('count', count, 0);
    return this.#add(skipOperation(describe(key), count));
  }

  /** Keeps the items, up to a limit, for the state of later steps; with a `store`, makes runs resumable. */
  checkpoint<TKey extends string>(
    key: ValidateNewKey<TAccumulated, TKey>,
    options: CheckpointOptions & { readonly mode: 'pass' },
  ): Next<TInitialInput, TCurrentOutput, TAccumulated, TContext, TKey, undefined>;
  checkpoint<TKey extends string>(
    key: ValidateNewKey<TAccumulated, TKey>,
    options?: CheckpointOptions & { readonly mode?: 'barrier' | 'tee' },
  ): Next<TInitialInput, TCurrentOutput, TAccumulated, TContext, TKey, Snapshot<TCurrentOutput>>;
  checkpoint<TKey extends string>(
    key: TKey,
    options: CheckpointOptions = {},
  ): Next<TInitialInput, TCurrentOutput, TAccumulated, TContext, TKey, Snapshot<TCurrentOutput> | undefined> {
    assertCheckpointOptions(options);
    return this.#add(checkpointOperation(key, options));
  }

  /** Arrays of items by number or by time, overlapping where `step` or `everyMs` is less than the window. */
  window<TKey extends string>(
    key: ValidateNewKey<TAccumulated, TKey>,
    options: WindowOptions<TCurrentOutput>,
  ): Next<TInitialInput, TCurrentOutput[], TAccumulated, TContext, TKey, TCurrentOutput[]> {
    assertWindowOptions(options);
    return this.#add(windowOperation(describe(key), options as WindowOptions<unknown>));
  }

  /** Items by key. Groups are emitted at the end, unless `maxSize` or `consecutive` completes them before. */
  groupBy<TKey extends string, TGroup>(
    key: ValidateNewKey<TAccumulated, TKey>,
    keyOf: (item: TCurrentOutput, index: number) => TGroup,
    options: GroupOptions = {},
  ): Next<TInitialInput, Group<TGroup, TCurrentOutput>, TAccumulated, TContext, TKey, Group<TGroup, TCurrentOutput>> {
    assertFunction('keyOf', keyOf);
    assertGroupOptions(options);
    return this.#add(groupOperation(describe(key), keyOf as (item: unknown, index: number) => unknown, options));
  }

  /** Pairs each item with the items of another stream that have the same key. The other one is read whole before the first pair. */
  join<TKey extends string, TRight, TMatch, TType extends 'inner' | 'left' = 'inner'>(
    key: ValidateNewKey<TAccumulated, TKey>,
    other: SourceOrFactory<TRight>,
    options: JoinOptions<TCurrentOutput, TRight, TMatch, TType>,
  ): Next<
    TInitialInput,
    Joined<TCurrentOutput, PartnerOf<TRight, TType>>,
    TAccumulated,
    TContext,
    TKey,
    Joined<TCurrentOutput, PartnerOf<TRight, TType>>
  > {
    assertJoinOptions(options);
    const untyped = options as JoinOptions<unknown, unknown, unknown, 'inner' | 'left'>;
    return this.#add(joinOperation(describe(key), () => openSource(other), untyped));
  }

  /** Mixes in the items of other streams as they come. A factory is called once per run. */
  merge<TKey extends string, TOther>(
    key: ValidateNewKey<TAccumulated, TKey>,
    ...others: readonly SourceOrFactory<TOther>[]
  ): Next<TInitialInput, TCurrentOutput | TOther, TAccumulated, TContext, TKey, TCurrentOutput | TOther> {
    return this.#add(mergeOperation(describe(key), () => others.map(openSource)));
  }

  /**
   * Starts a run. An async iterable, a web stream or a reader is a stream of items; anything else, arrays and strings too, is one item
   * ({@link StreamingPipeline.executeFrom} and {@link StreamingPipeline.executeOne} for the other way round).
   */
  execute(
    input: TInitialInput | AsyncIterable<TInitialInput> | ReadableStream<TInitialInput>,
    options?: ExecuteOptions,
  ): StreamingRun<TCurrentOutput> {
    return this.#run(inputOf(input), options).run;
  }

  /** Starts a run over any source: also arrays and other iterables, and what `positionedSource` made. */
  executeFrom(source: PipelineSource<TInitialInput>, options?: ExecuteOptions): StreamingRun<TCurrentOutput> {
    return this.#run(streamOf(source), options).run;
  }

  /** Starts a run over one item, also where it is an async iterable. */
  executeOne(item: TInitialInput, options?: ExecuteOptions): StreamingRun<TCurrentOutput> {
    return this.#run(itemOf(item), options).run;
  }

  /** Runs, and collects the values into an array. */
  executeToArray(
    input: TInitialInput | AsyncIterable<TInitialInput> | ReadableStream<TInitialInput>,
    options?: ExecuteOptions,
  ): Promise<TCurrentOutput[]> {
    return collect(this.execute(input, options));
  }

  /** Runs, and folds the values into one, in order; the reducer may be async. */
  executeReduce<TResult>(
    input: TInitialInput | AsyncIterable<TInitialInput> | ReadableStream<TInitialInput>,
    reducer: (accumulator: TResult, item: TCurrentOutput, index: number) => TResult | PromiseLike<TResult>,
    initial: TResult,
  ): Promise<TResult> {
    return reduce(this.execute(input), reducer, initial);
  }

  /** Runs over any source into a stream. With a `runId`, every value is stored there once, however often the run is interrupted and run again. */
  executeToStream(
    source: PipelineSource<TInitialInput>,
    options: StreamOutputOptions & StreamAddress,
  ): StreamOutput<TCurrentOutput> {
    return runToStream((flushSink) => this.#run(streamOf(source), { ...options, flushSink }), options);
  }

  /**
   * Metadata of the run of this pipeline that was started last; `run.metadata` is that of a particular run.
   *
   * @throws `NOT_STARTED` before the first run.
   */
  async getMetadata(): Promise<PipelineMetadata> {
    if (!this.#lastRun) throw new PipelineError('NOT_STARTED', 'This pipeline was not run yet, so it has no metadata.');
    return this.#lastRun.metadata;
  }

  #run(input: RunInput, options: RunStateOptions = {}): SinkRun<TCurrentOutput> {
    if (options.total !== undefined) assertWhole('total', options.total, 0);
    if (options.runId !== undefined) assertText('runId', options.runId);
    const state = new RunState<TCurrentOutput>(this.#definition, input, options);
    this.#lastRun = state;
    return { state, run: createStreamingRun(state) };
  }

  /** The types of what is appended are the callers' to vouch for. */
  #add<TOutput, TNextAccumulated extends object>(
    operation: Operation,
  ): StreamingPipeline<TInitialInput, TOutput, TNextAccumulated, TContext> {
    const operations = [...this.#definition.operations, operation];
    assertOperations(operations);
    return new StreamingPipeline({ ...this.#definition, operations });
  }
}

/** A pipeline without steps: its first step finds the fields of a single input item on its `input`. */
export class FirstPipeline<TInput, TContext> extends StreamingPipeline<TInput, TInput, {}, TContext> {
  override add<TKey extends string, TOutput>(
    key: ValidateNewKey<{}, TKey>,
    step: StreamingStep<TInput, TOutput, {}, TContext, FirstInput<TInput>>,
    options?: AddOptions,
  ): Next<TInput, TOutput, {}, TContext, TKey, TOutput> {
    return super.add(key, step as StreamingStep<TInput, TOutput, {}, TContext>, options);
  }

  override map<TKey extends string, TOutput>(
    key: ValidateNewKey<{}, TKey>,
    step: StreamingStep<TInput, TOutput, {}, TContext, FirstInput<TInput>> | ItemMapper<TInput, TOutput, {}, TContext>,
    options?: StreamingOptions,
  ): Next<TInput, TOutput, {}, TContext, TKey, TOutput> {
    return super.map(key, step as StreamingStep<TInput, TOutput, {}, TContext>, options);
  }

  override flatMap<TKey extends string, TOutput = never, TItem = never>(
    key: ValidateNewKey<{}, TKey>,
    step:
      | StreamingStep<TInput, TOutput, {}, TContext, FirstInput<TInput>>
      | ItemMapper<TInput, ManyOf<TItem>, {}, TContext>,
    options?: StreamingOptions,
  ): Next<TInput, Flattened<TOutput> | TItem, {}, TContext, TKey, Flattened<TOutput> | TItem> {
    return super.flatMap(key, step as StreamingStep<TInput, TOutput, {}, TContext>, options);
  }
}

/** The definition of a pipeline, for the adapters. */
export function definitionOf<TInput, TOutput, TAccumulated extends object, TContext>(
  pipeline: StreamingPipeline<TInput, TOutput, TAccumulated, TContext>,
): Definition {
  return readDefinition(pipeline);
}

type PartnerOf<TRight, TType> = TType extends 'left' ? TRight | undefined : TRight;
