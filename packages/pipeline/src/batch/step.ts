import { assertFunction, assertText } from '../errors/arguments.ts';
import { PipelineError, codeOf, messageOf } from '../errors/streaming-error.ts';
import { assertRetry, type RetryOptions } from '../step/retry.ts';

/** What a step of a batch pipeline gets. */
export interface StepContext<TInput, TState = {}, TContext = unknown> {
  readonly input: TInput;
  /** What earlier steps returned, by key. */
  readonly state: TState;
  /** What the pipeline's context builder made for this run. */
  readonly context: TContext;
  /** Aborted when the run is over. Pass it to `fetch` and the like. */
  readonly signal: AbortSignal;
}

/** The outcome of a step: a value, or the error it failed with. */
export type StepResult<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly error: Error };

/** A named function from one value to another, whose failures are results. Make one with {@link createStep}. */
export interface Step<TInput, TOutput, TState = {}, TContext = unknown> {
  readonly name: string;
  /** One try. Never rejects. */
  readonly execute: (ctx: StepContext<TInput, TState, TContext>) => Promise<StepResult<TOutput>>;
  /** How the pipeline repeats it. */
  readonly retry?: RetryOptions;
}

/**
 * Names a function and makes a step of it; what it throws becomes a failed result.
 *
 * @example
 * const readText = createStep<string, string>('readText', ({ input }) => readFile(input, 'utf8'));
 */
export function createStep<TInput, TOutput, TState = {}, TContext = unknown>(
  name: string,
  run: (ctx: StepContext<TInput, TState, TContext>) => TOutput | PromiseLike<TOutput>,
  options?: { readonly retry?: RetryOptions },
): Step<TInput, TOutput, TState, TContext> {
  assertText('name', name);
  assertFunction('run', run);
  assertRetry(options?.retry);
  return {
    name,
    async execute(ctx) {
      try {
        return { success: true, data: await run(ctx) };
      } catch (thrown) {
        return { success: false, error: asError(thrown) };
      }
    },
    ...(options?.retry && { retry: options.retry }),
  };
}

/** The value of a result. @throws Its error. */
export function unwrapStep<T>(result: StepResult<T>): T {
  if (result.success) return result.data;
  throw result.error;
}

function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new PipelineError(codeOf(thrown) ?? 'STEP_FAILED', messageOf(thrown), { cause: thrown });
}
