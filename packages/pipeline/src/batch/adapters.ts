import { collectOperation } from '../builder/collecting-operations.ts';
import { assertOperations } from '../builder/entries.ts';
import { definitionOf, StreamingPipeline } from '../builder/streaming-pipeline.ts';
import { assertWhole } from '../errors/arguments.ts';
import { CheckpointOverflow } from '../errors/streaming-error.ts';
import { asyncGeneratorOf } from '../stages/async-generator-of.ts';
import type { StreamingState } from '../step/streaming-state.ts';
import { createStreamingStep, type StreamingStep } from '../step/streaming-step.ts';
import { batchDefinitionOf, Pipeline } from './pipeline.ts';
import { createStep, type Step, unwrapStep } from './step.ts';

/** Options of the adapters that turn a stream into an array. */
export interface MaterializeOptions {
  /** Items that the array may have; one more is a {@link CheckpointOverflow}. @default 100_000 */
  readonly limit?: number;
}

const DEFAULT_LIMIT = 100_000;

/** Runs a batch pipeline for each item of a stream, one after the other. */
export function pipelineToStreaming<TInput, TOutput, TState extends object, TContext>(
  pipeline: Pipeline<TInput, TOutput, TState, TContext>,
): StreamingPipeline<TInput, TOutput, TState, TContext> {
  return new StreamingPipeline(batchDefinitionOf(pipeline));
}

/** Runs a streaming pipeline over one input item and collects what comes out into an array. */
export function streamingToPipeline<TInput, TOutput, TState extends object, TContext>(
  pipeline: StreamingPipeline<TInput, TOutput, TState, TContext>,
  { limit = DEFAULT_LIMIT }: MaterializeOptions = {},
): Pipeline<TInput, TOutput[], TState, TContext> {
  assertWhole('limit', limit, 1);
  const definition = definitionOf(pipeline);
  const operations = [...definition.operations, collectOperation('(collected)', limit)];
  assertOperations(operations);
  return new Pipeline({ ...definition, operations });
}

/** Runs a batch step for each item of a stream. */
export function stepToStreamingStep<TInput, TOutput, TState, TContext>(
  step: Step<TInput, TOutput, TState, TContext>,
): StreamingStep<TInput, TOutput, TState, TContext> {
  return createStreamingStep<TInput, TOutput, TState, TContext>(
    step.name,
    async function* ({ input, state, context, signal }) {
      for await (const item of input) {
        yield unwrapStep(await step.execute({ input: item, state: state.accumulated, context, signal }));
      }
    },
    step.retry && { retry: step.retry },
  );
}

/** Runs a streaming step over an array and collects what it emits into another. */
export function streamingStepToStep<TInput, TOutput, TState, TContext>(
  step: StreamingStep<TInput, TOutput, TState, TContext>,
  { limit = DEFAULT_LIMIT }: MaterializeOptions = {},
): Step<TInput[], TOutput[], TState, TContext> {
  assertWhole('limit', limit, 1);
  return createStep<TInput[], TOutput[], TState, TContext>(
    step.name,
    async ({ input, state, context, signal }) => {
      const outputs: TOutput[] = [];
      const stream = step.execute({ input: asyncGeneratorOf(...input), state: settledState(state), context, signal });
      for await (const output of stream) {
        if (outputs.length === limit) throw overflow(step.name, limit);
        outputs.push(output);
      }
      return outputs;
    },
    step.retry && { retry: step.retry },
  );
}

/** The state of a batch pipeline as a streaming step reads it: each step before has emitted exactly one value. */
function settledState<TState>(state: TState): StreamingState<TState> {
  return {
    accumulated: state,
    // One value per key: whether it is a checkpoint's cannot be, there are none in a batch.
    async *stream(key) {
      yield state[key] as never;
      return undefined;
    },
    materialize: async (key) => [state[key] as never],
    hasSnapshot: (key) => state[key] !== undefined,
  };
}

function overflow(stepName: string, limit: number): CheckpointOverflow {
  return new CheckpointOverflow(stepName, limit, { stepName, retryable: false, traceId: '', spanId: '' });
}
