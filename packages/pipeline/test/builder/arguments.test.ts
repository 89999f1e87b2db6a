import { createMemoryStreamStore } from '@perennial/core';
import {
  createStep,
  createStreamingStep,
  Pipeline,
  PipelineError,
  pipelineToStreaming,
  positionedSource,
  StreamingPipeline,
  streamingStepToStep,
  streamingToPipeline,
} from '@perennial/pipeline';
import { describe, expect, it } from 'vitest';

const numbers = StreamingPipeline.start<number>();
const step = createStreamingStep<number, number>('step', async function* ({ input }) {
  yield* input;
});
const store = createMemoryStreamStore();
const any = (value: unknown): never => value as never;

/** Every call names the value that cannot be used, before anything runs. */
const refused: [string, () => unknown, string][] = [
  ['start', () => StreamingPipeline.start(any(1)), '`contextBuilder` must be a function; got 1'],
  [
    'start',
    () => StreamingPipeline.start(undefined, { samplingRate: 2 }),
    '`samplingRate` must be a number from 0 to 1',
  ],
  ['start', () => StreamingPipeline.start(undefined, { checkpoints: any('some') }), '`checkpoints` is'],
  ['start', () => StreamingPipeline.start(undefined, { retainLimit: 0 }), '`retainLimit`'],
  ['start', () => StreamingPipeline.start(undefined, { errorBuffer: -1 }), '`errorBuffer`'],
  ['createStreamingStep', () => createStreamingStep('', any(null)), '`name` must be a non-empty string'],
  ['createStreamingStep', () => createStreamingStep('a', any(null)), '`execute` must be a function'],
  [
    'createStreamingStep',
    () =>
      createStreamingStep(
        'a',
        any(() => 1),
        { retry: { maxAttempts: 0, backoffMs: 1 } },
      ),
    '`retry.maxAttempts`',
  ],
  [
    'createStreamingStep',
    () =>
      createStreamingStep(
        'a',
        any(() => 1),
        { retry: { maxAttempts: 1, backoffMs: -1 } },
      ),
    '`retry.backoffMs`',
  ],
  [
    'add',
    () =>
      numbers.add(
        'a',
        any((n: number) => n),
      ),
    'A step is what `createStreamingStep` makes',
  ],
  ['add', () => numbers.add(any(''), step), '`key` must be a non-empty string'],
  ['add', () => numbers.add(any(undefined), step), '`key`'],
  ['map', () => numbers.map('a', any('fn')), 'or a function; got "fn"'],
  ['map', () => numbers.map('a', step, { concurrencyLimit: 3 }), 'need `parallel: true`'],
  ['map', () => numbers.map('a', step, { ordered: false }), 'need `parallel: true`'],
  ['map', () => numbers.map('a', step, { parallel: true, concurrencyLimit: 0 }), '`concurrencyLimit`'],
  ['map', () => numbers.map('a', step, { errorStrategy: any('IGNORE') }), '`errorStrategy` is one of'],
  ['map', () => numbers.map('a', step, { retain: -1 }), '`retain`'],
  ['map', () => numbers.map('a', step, { retry: { maxAttempts: 1.5, backoffMs: 1 } }), '`retry.maxAttempts`'],
  ['map', () => numbers.map('a', step, { retry: { maxAttempts: 1, backoffMs: 1, jitter: 2 } }), '`retry.jitter`'],
  ['flatMap', () => numbers.flatMap('a', any(7)), 'A step is what'],
  ['filter', () => numbers.filter('a', any(7)), '`predicate` must be a function; got 7'],
  ['batch', () => numbers.batch('a', 0), '`size` must be a whole number from 1; got 0'],
  ['batch', () => numbers.batch('a', 2, { maxWaitMs: -1 }), '`maxWaitMs`'],
  ['take', () => numbers.take('a', -1), '`count` must be a whole number from 0; got -1'],
  ['skip', () => numbers.skip('a', 0.5), '`count`'],
  ['checkpoint', () => numbers.checkpoint('a', { mode: any('other') }), "`mode` of a checkpoint is 'barrier'"],
  ['checkpoint', () => numbers.checkpoint('a', { limit: 0 }), '`limit`'],
  ['checkpoint', () => numbers.checkpoint('a', { mode: 'pass' }), 'without a `store` it does nothing'],
  ['checkpoint', () => numbers.checkpoint('a', { intervalMs: 5 }), '`intervalMs` of a checkpoint needs a `store`'],
  ['checkpoint', () => numbers.checkpoint('a', { store, streamId: '' }), '`streamId`'],
  ['checkpoint', () => numbers.checkpoint('a', { store, ttlMs: 0 }), '`ttlMs`'],
  ['groupBy', () => numbers.groupBy('a', any(null)), '`keyOf`'],
  ['groupBy', () => numbers.groupBy('a', (n) => n, { maxSize: 0 }), '`maxSize`'],
  ['join', () => numbers.join('a', [], any({ leftKey: 1 })), '`leftKey`'],
  [
    'join',
    () => numbers.join('a', [1], any({ leftKey: Number, rightKey: Number, type: 'outer' })),
    "'inner' or 'left'",
  ],
  ['positionedSource', () => positionedSource(any([])), '`open` must be a function'],
  ['createStep', () => createStep('', any(null)), '`name`'],
  ['createStep', () => createStep('a', any(null)), '`run` must be a function'],
  ['Pipeline.add', () => Pipeline.start<number>().add('a', any(7)), 'A step is what `createStep` makes'],
  ['Pipeline.batch', () => Pipeline.start<number[]>().batch('a', 0), '`size`'],
  ['streamingToPipeline', () => streamingToPipeline(numbers, { limit: 0 }), '`limit`'],
  ['streamingStepToStep', () => streamingStepToStep(step, { limit: 0 }), '`limit`'],
];

describe('arguments', () => {
  it.each(refused)('%s refuses what it cannot follow: %s', (_, call, message) => {
    let error: unknown;
    try {
      call();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(PipelineError);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) as unknown });
  });

  it('cuts long values in messages', () => {
    expect(() => numbers.take('a', any('x'.repeat(5_000)))).toThrow(/^.{0,250}$/);
  });

  it('refuses a source that is none', async () => {
    expect(() => numbers.executeFrom(any('abc'))).toThrow('an (async) iterable or a web stream; got "abc"');
    await expect(numbers.executeFrom(any({})).next()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('refuses a second step of the same key in every kind of pipeline', () => {
    const key: string = 'a';
    expect(() => numbers.map(key, step).checkpoint(key)).toThrow("The key 'a' is taken");
    const batch = Pipeline.start<number[]>().map(key, (n) => n);
    expect(() => batch.filter(key, () => true)).toThrow("The key 'a' is taken");
    expect(() => pipelineToStreaming(batch).map(key, (n) => n)).toThrow("The key 'a' is taken");
  });

  it('leaves the pipeline it is called on as it was', async () => {
    const base = StreamingPipeline.start<number>().map('a', (n) => n + 1);
    const left = base.map('b', (n) => n * 10);
    const right = base.map('b', (n) => -n);
    expect([await base.executeToArray(1), await left.executeToArray(1), await right.executeToArray(1)]).toEqual([
      [2],
      [20],
      [-2],
    ]);
  });
});
