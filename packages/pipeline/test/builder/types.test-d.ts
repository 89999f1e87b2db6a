/** Types of pipelines: checked by the compiler, run by nobody. */
import {
  asyncGeneratorOf,
  createStep,
  createStreamingStep,
  type ErrorChannel,
  type FirstInput,
  Pipeline,
  pipelineToStreaming,
  type PipelineMetadata,
  type Snapshot,
  type Step,
  stepToStreamingStep,
  type StreamingError,
  StreamingErrorStrategy,
  type StreamingMetadata,
  StreamingPipeline,
  type StreamingRun,
  type StreamingStep,
  type StreamingStepAccumulated,
  type StreamingStepInput,
  type StreamingStepOutput,
  streamingStepToStep,
  streamingToPipeline,
} from '@perennial/pipeline';
import { expectTypeOf } from 'vitest';

const double = createStreamingStep<number, number>('double', async function* ({ input }) {
  for await (const n of input) yield n * 2;
});
const numbers = StreamingPipeline.start<number>();

// Outputs flow from step to step.
const chain = numbers
  .map('a', double)
  .map('b', async (n) => `${n}`)
  .filter('c', (text): text is 'x' => text === 'x')
  .batch('d', 2)
  .flatMap('e', (batch) => batch)
  .flatMap('f', (text) => new Set([text.length]));
expectTypeOf(chain.execute(1)).toEqualTypeOf<StreamingRun<number>>();
expectTypeOf(chain.execute(1)).toExtend<AsyncGenerator<number>>();
expectTypeOf(chain.executeToArray(asyncGeneratorOf(1))).resolves.toEqualTypeOf<number[]>();
expectTypeOf(chain.executeReduce(1, (sum, n) => sum + n, 0)).resolves.toEqualTypeOf<number>();
expectTypeOf(chain.getMetadata()).resolves.toEqualTypeOf<PipelineMetadata>();
expectTypeOf(chain.execute(1).errors).toEqualTypeOf<ErrorChannel>();

// Steps infer their input, state and context from the pipeline they are added to.
StreamingPipeline.start<number, { readonly db: string }>(() => ({ db: 'x' }))
  .map('text', (n) => `${n}`)
  .checkpoint('all')
  .batch('pairs', 2)
  .add(
    'look',
    createStreamingStep('look', async function* ({ input, state, context, signal }) {
      expectTypeOf(input).toEqualTypeOf<AsyncGenerator<string[]>>();
      expectTypeOf(state.accumulated.text).toEqualTypeOf<string>();
      expectTypeOf(state.accumulated.all).toEqualTypeOf<Snapshot<string>>();
      expectTypeOf(state.accumulated.pairs).toEqualTypeOf<string[]>();
      expectTypeOf(context).toEqualTypeOf<{ readonly db: string }>();
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      // The items of a checkpoint are items, not arrays; arrays that a step emits stay arrays.
      expectTypeOf(await state.materialize('all')).toEqualTypeOf<string[]>();
      expectTypeOf(await state.materialize('pairs')).toEqualTypeOf<string[][]>();
      expectTypeOf(state.stream('all')).toEqualTypeOf<AsyncGenerator<string, undefined, undefined>>();
      // @ts-expect-error -- no such step
      state.stream('none');
      // @ts-expect-error -- no such step
      void state.accumulated.none;
      yield* input;
    }),
  )
  .map('plain', (pair, index, { context, accumulated }) => {
    expectTypeOf(pair).toEqualTypeOf<string[]>();
    expectTypeOf(index).toEqualTypeOf<number>();
    expectTypeOf(context.db).toEqualTypeOf<string>();
    expectTypeOf(accumulated.text).toEqualTypeOf<string>();
    return pair.length;
  });

// Only the first step finds the fields of the input, and only those that a generator does not have itself.
StreamingPipeline.start<{ readonly path: string; readonly next: number }>()
  .add(
    'first',
    createStreamingStep('first', async function* ({ input }) {
      expectTypeOf(input.path).toEqualTypeOf<string>();
      expectTypeOf(input.next).toBeFunction();
      for await (const item of input) yield item;
    }),
  )
  .map(
    'second',
    createStreamingStep('second', async function* ({ input }) {
      // @ts-expect-error -- a stream, and nothing else
      void input.path;
      yield* input;
    }),
  );
const explicit = createStreamingStep<{ path: string }, string, {}, unknown, FirstInput<{ path: string }>>(
  'explicit',
  async function* ({ input }) {
    yield input.path;
  },
);
StreamingPipeline.start<{ path: string }>().add('first', explicit);
const passed = StreamingPipeline.start<{ path: string }>().map('pass', (item) => item);
// @ts-expect-error -- wants to be first
passed.add('second', explicit);

// A key is used once.
// @ts-expect-error -- taken
numbers.map('a', double).map('a', double);
// @ts-expect-error -- taken
numbers.map('a', double).checkpoint('a');
// @ts-expect-error -- taken
numbers.map('a', double).batch('a', 2);
// Keys that are only known as strings are checked at run time.
const dynamic: string = 'a';
numbers.map(dynamic, double).map('b', double);

// A step fits its pipeline.
// @ts-expect-error -- takes numbers
StreamingPipeline.start<string>().map('a', double);
// @ts-expect-error -- takes numbers
StreamingPipeline.start<string>().add('a', double);
// @ts-expect-error -- takes numbers
StreamingPipeline.start<string>().map('a', (n: number) => n);
const wantsA = createStreamingStep<number, number, { a: number }>('wantsA', async function* ({ input, state }) {
  for await (const n of input) yield n + state.accumulated.a;
});
numbers.map('a', double).map('b', wantsA);
// @ts-expect-error -- no step `a` before
numbers.map('b', wantsA);
const wantsDb = createStreamingStep<number, number, {}, { db: string }>('wantsDb', async function* ({ input }) {
  yield* input;
});
StreamingPipeline.start<number, { db: string }>(() => ({ db: '' })).map('a', wantsDb);
// @ts-expect-error -- no such context
StreamingPipeline.start<number, { cache: string }>(() => ({ cache: '' })).map('a', wantsDb);
// @ts-expect-error -- strings, not numbers
numbers.execute('a');
// @ts-expect-error -- one or a stream, not an array; see executeFrom
numbers.execute([1, 2]);
numbers.executeFrom([1, 2]);
// @ts-expect-error -- not iterable
numbers.flatMap('a', (n) => n);

// Async iterables that a step emits are taken apart, arrays are not.
const emitsGenerators = createStreamingStep<number, AsyncGenerator<string>>('g', async function* ({ input }) {
  for await (const n of input) yield asyncGeneratorOf(`${n}`);
});
const emitsArrays = createStreamingStep<number, string[]>('a', async function* ({ input }) {
  for await (const n of input) yield [`${n}`];
});
expectTypeOf(numbers.flatMap('g', emitsGenerators).executeToArray(1)).resolves.toEqualTypeOf<string[]>();
expectTypeOf(numbers.flatMap('a', emitsArrays).executeToArray(1)).resolves.toEqualTypeOf<string[][]>();

// Windows, groups, joins and merges.
expectTypeOf(numbers.window('w', { size: 2 }).executeToArray(1)).resolves.toEqualTypeOf<number[][]>();
expectTypeOf(numbers.groupBy('g', (n) => `${n}`).executeToArray(1)).resolves.toEqualTypeOf<
  { readonly key: string; readonly items: readonly number[] }[]
>();
const byLength = { leftKey: (n: number): number => n, rightKey: (text: string): number => text.length };
expectTypeOf(numbers.join('j', ['a'], byLength).executeToArray(1)).resolves.toEqualTypeOf<
  { readonly left: number; readonly right: string }[]
>();
expectTypeOf(numbers.join('j', ['a'], { ...byLength, type: 'left' }).executeToArray(1)).resolves.toEqualTypeOf<
  { readonly left: number; readonly right: string | undefined }[]
>();
expectTypeOf(numbers.merge('m', ['a'], ['b']).executeToArray(1)).resolves.toEqualTypeOf<(number | string)[]>();
// @ts-expect-error -- a window has a size or a duration
numbers.window('w', {});

// The state of a pipeline can be asked for.
type StateOf<P> = P extends StreamingPipeline<infer _I, infer _O, infer S, infer _C> ? S : never;
const typed = numbers.map('a', double).map('b', (n) => `${n}`);
expectTypeOf<StateOf<typeof typed>>().toExtend<{ a: number; b: string }>();
expectTypeOf<{ a: number; b: string }>().toExtend<StateOf<typeof typed>>();
expectTypeOf<StreamingStepInput<typeof double>>().toEqualTypeOf<AsyncGenerator<number>>();
expectTypeOf<StreamingStepOutput<typeof double>>().toEqualTypeOf<AsyncGenerator<number>>();
expectTypeOf<StreamingStepAccumulated<typeof wantsA>>().toEqualTypeOf<{ a: number }>();
export function generic<T>(): StreamingStep<T, T> {
  return createStreamingStep<T, T>('generic', async function* ({ input }) {
    for await (const item of input) yield item;
  });
}

// The interfaces that users of the design rely on.
expectTypeOf<StreamingErrorStrategy>().toEqualTypeOf<'FAIL_FAST' | 'SKIP_FAILED' | 'COLLECT_ERRORS' | 'SPLIT_ERRORS'>();
expectTypeOf(StreamingErrorStrategy.FAIL_FAST).toEqualTypeOf<'FAIL_FAST'>();
expectTypeOf<StreamingError>().toExtend<
  Error & {
    code: string;
    stepName: string;
    itemIndex?: number | undefined;
    retryable: boolean;
    cause?: unknown;
    traceId: string;
    spanId: string;
  }
>();
expectTypeOf<StreamingMetadata>().toExtend<{
  readonly stepName: string;
  readonly timing: {
    readonly itemCount: number;
    readonly sampledCount: number;
    readonly avgDurationMs: number;
    readonly p50DurationMs?: number;
    readonly p95DurationMs?: number;
    readonly p99DurationMs?: number;
  };
  readonly traceId: string;
  readonly spanId: string;
  readonly errorCount: number;
  readonly errors?: readonly StreamingError[];
  readonly executionMode: 'streaming' | 'parallel-streaming' | 'batch';
}>();

// Batch pipelines and the adapters.
const length = createStep<string, number>('length', ({ input }) => input.length);
const batch = Pipeline.start<string>()
  .add('length', length)
  .add(
    'list',
    createStep<number, number[], { length: number }>('list', ({ input, state }) => [input, state.length]),
  )
  .map('text', (n) => `${n}`)
  .flatMap('chars', (text) => text.split(''))
  .filter('some', (char) => char !== '0')
  .batch('pairs', 2);
const result = await batch.execute('abc');
if (result.success) {
  expectTypeOf(result.data).toEqualTypeOf<string[][]>();
  expectTypeOf(result.state.text).toEqualTypeOf<string[]>();
} else {
  expectTypeOf(result.error).toEqualTypeOf<StreamingError>();
}
// @ts-expect-error -- taken
Pipeline.start<string>().add('length', length).add('length', length);
// @ts-expect-error -- takes strings
Pipeline.start<number>().add('length', length);
expectTypeOf(pipelineToStreaming(batch)).toExtend<StreamingPipeline<string, string[][], object>>();
expectTypeOf(streamingToPipeline(typed)).toExtend<Pipeline<number, string[], object>>();
expectTypeOf(stepToStreamingStep(length)).toEqualTypeOf<StreamingStep<string, number>>();
expectTypeOf(streamingStepToStep(double)).toEqualTypeOf<Step<number[], number[]>>();
