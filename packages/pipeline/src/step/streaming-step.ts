import { assertFunction, assertText } from '../errors/arguments.ts';
import { assertRetry, type RetryOptions } from './retry.ts';
import type { StreamingState } from './streaming-state.ts';

/**
 * The input of a pipeline's first step. When the run was started with one plain object, the generator also carries that object's fields,
 * so that a step which turns a request into a stream can read `input.pattern`. On a run started from a stream, reading a field throws.
 */
export type FirstInput<T> = AsyncGenerator<T> & Omit<T, keyof AsyncGenerator<T>>;

/** What a step gets to work with. */
export interface StreamingStepContext<
  TInput,
  TAccumulated = {},
  TContext = unknown,
  TSource extends AsyncGenerator<TInput> = AsyncGenerator<TInput>,
> {
  /** The items, pulled one by one as the step asks for them. */
  readonly input: TSource;
  /** What earlier steps emitted. */
  readonly state: StreamingState<TAccumulated>;
  /** What the pipeline's context builder made for this run. */
  readonly context: TContext;
  /** Aborted when the run is over: by `abort()`, by its consumer leaving, by an error. Pass it to `fetch` and the like. */
  readonly signal: AbortSignal;
}

/** A named stage of a pipeline, written as an async generator. Make one with {@link createStreamingStep}. */
export interface StreamingStep<
  TInput,
  TOutput,
  TAccumulated = {},
  TContext = unknown,
  TSource extends AsyncGenerator<TInput> = AsyncGenerator<TInput>,
> {
  readonly name: string;
  /** Called once per run, and again for a retry; in `parallel` stages once per item. */
  readonly execute: (ctx: StreamingStepContext<TInput, TAccumulated, TContext, TSource>) => AsyncGenerator<TOutput>;
  readonly retry?: RetryOptions;
}

/** A value with what is known about its making, for steps that emit both. */
export interface StreamingStepResult<T> {
  readonly data: T;
  readonly metadata?: { readonly durationMs: number; readonly stepName: string; readonly itemIndex: number };
}

/** The stream a step reads. */
export type StreamingStepInput<S> =
  S extends StreamingStep<infer TInput, infer _O, infer _A, infer _C, infer _S> ? AsyncGenerator<TInput> : never;

/** The stream a step emits. */
export type StreamingStepOutput<S> =
  S extends StreamingStep<infer _I, infer TOutput, infer _A, infer _C, infer _S> ? AsyncGenerator<TOutput> : never;

/** The state a step expects. */
export type StreamingStepAccumulated<S> =
  S extends StreamingStep<infer _I, infer _O, infer TAccumulated, infer _C, infer _S> ? TAccumulated : never;

/**
 * Names a generator and makes a step of it. Types come from the pipeline it is added to, or from the type arguments.
 *
 * @example
 * const double = createStreamingStep<number, number>('double', async function* ({ input }) {
 *   for await (const n of input) yield n * 2;
 * });
 */
export function createStreamingStep<
  TInput,
  TOutput,
  TAccumulated = {},
  TContext = unknown,
  TSource extends AsyncGenerator<TInput> = AsyncGenerator<TInput>,
>(
  name: string,
  execute: (ctx: StreamingStepContext<TInput, TAccumulated, TContext, TSource>) => AsyncGenerator<TOutput>,
  options?: { readonly retry?: RetryOptions },
): StreamingStep<TInput, TOutput, TAccumulated, TContext, TSource> {
  assertText('name', name);
  assertFunction('execute', execute);
  assertRetry(options?.retry);
  return { name, execute, ...(options?.retry && { retry: options.retry }) };
}
