import {
  asyncGeneratorOf,
  createStep,
  createStreamingStep,
  Pipeline,
  pipelineToStreaming,
  stepToStreamingStep,
  StreamingPipeline,
  streamingStepToStep,
  streamingToPipeline,
} from '@perennial/pipeline';
import { describe, expect, it } from 'vitest';

import { HastyClock } from '../support/clock.ts';
import { counted, rejection } from '../support/sources.ts';

const range = createStep<number, number[]>('range', ({ input }) => Array.from({ length: input }, (_, i) => i));

describe('Pipeline', () => {
  it('runs each step to its end before the next, and keeps what each returned', async () => {
    const order: string[] = [];
    const pipeline = Pipeline.start<number, { readonly factor: number }>(() => ({ factor: 10 }))
      .add('range', range)
      .map('scaled', (n, _, { context }) => {
        order.push(`scale ${n}`);
        return n * context.factor;
      })
      .flatMap('twice', (n) => {
        order.push(`double ${n}`);
        return [n, n];
      })
      .filter('some', (n) => n !== 10)
      .batch('pairs', 2)
      .add(
        'sum',
        createStep<number[][], number, { range: number[]; scaled: number[] }>('sum', ({ input, state }) =>
          input.flat().reduce((a, b) => a + b, state.range.length * 1_000 + state.scaled.length * 10_000),
        ),
      );
    const result = await pipeline.execute(3);
    expect(result).toMatchObject({
      success: true,
      data: 33_040,
      state: {
        range: [0, 1, 2],
        scaled: [0, 10, 20],
        twice: [0, 0, 10, 10, 20, 20],
        some: [0, 0, 20, 20],
        pairs: [
          [0, 0],
          [20, 20],
        ],
        sum: 33_040,
      },
    });
    expect(order).toEqual(['scale 0', 'scale 1', 'scale 2', 'double 0', 'double 10', 'double 20']);
    expect(result.metadata.steps.map(({ executionMode }) => executionMode)).toEqual(Array(6).fill('batch'));
  });

  it('reports a failure as a result with its context', async () => {
    const failing = createStep<number, number>('failing', () => {
      throw Object.assign(new Error('no'), { code: 'E_NO' });
    });
    expect(await Pipeline.start<number>().add('a', failing).execute(1)).toMatchObject({
      success: false,
      error: { name: 'StreamingError', code: 'E_NO', stepName: 'failing', itemIndex: 0 },
      metadata: { outcome: 'failed', errorCount: 1 },
    });
    const notAList = Pipeline.start<number[]>().map('a', (n) => n);
    expect(await notAList.execute(7 as never)).toMatchObject({
      success: false,
      error: { message: expect.stringContaining('it works on arrays, but the step before returned 7') as unknown },
    });
  });

  it.each([
    ['FAIL_FAST', { success: false, error: { itemIndex: 1 } }],
    ['SKIP_FAILED', { success: true, data: [0, 2] }],
    ['COLLECT_ERRORS', { success: true, data: [0, 2] }],
  ] as const)('treats failed items of a list with %s', async (errorStrategy, expected) => {
    const pipeline = Pipeline.start<number>()
      .add('range', range)
      .map('a', (n) => (n === 1 ? Promise.reject(new Error('one')) : n), { errorStrategy });
    const result = await pipeline.execute(3);
    expect(result).toMatchObject(expected);
    expect(result.metadata.steps[1]?.errorCount).toBe(1);
  });

  it('retries steps and items as they say', async () => {
    const clock = new HastyClock();
    let tries = 0;
    const flaky = createStep<number, number>(
      'flaky',
      ({ input }) => {
        if (++tries % 3 !== 0) throw new Error('busy');
        return input + 1;
      },
      { retry: { maxAttempts: 3, backoffMs: 10, jitter: 0 } },
    );
    const pipeline = Pipeline.start<number>(undefined, { clock })
      .add('whole', flaky)
      .add('range', range)
      .map('each', flaky);
    expect(await pipeline.execute(1)).toMatchObject({ success: true, data: [1, 2] });
    expect(clock.waits).toEqual([10, 20, 10, 20, 10, 20]);
  });

  it('runs items of a list at once when asked', async () => {
    let running = 0;
    let most = 0;
    const pipeline = Pipeline.start<number>()
      .add('range', range)
      .map(
        'a',
        async (n) => {
          most = Math.max(most, ++running);
          await Promise.resolve();
          running--;
          return n;
        },
        { parallel: true, concurrencyLimit: 4 },
      );
    expect(await pipeline.execute(20)).toMatchObject({ success: true });
    expect(most).toBe(4);
  });

  it('stops on its signal', async () => {
    const controller = new AbortController();
    const pipeline = Pipeline.start<number>().add(
      'wait',
      createStep<number, number>('wait', ({ signal }) => {
        controller.abort('enough');
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('aborted')));
        });
      }),
    );
    expect(await pipeline.execute(1, { signal: controller.signal })).toMatchObject({
      success: false,
      error: { code: 'ABORTED' },
      metadata: { outcome: 'aborted' },
    });
  });

  it('passes undefined through', async () => {
    const nothing = createStep<number, undefined>('nothing', () => undefined);
    expect(await Pipeline.start<number>().add('a', nothing).execute(1)).toMatchObject({
      success: true,
      data: undefined,
    });
  });
});

describe('createStep', () => {
  it('makes results of what its function returns and throws', async () => {
    const step = createStep<number, number>('half', ({ input }) => {
      if (input === 0) throw new TypeError('zero');
      // oxlint-disable-next-line typescript/only-throw-error -- what a step has to cope with
      if (input < 0) throw 'negative';
      return input / 2;
    });
    const run = (input: number): ReturnType<typeof step.execute> =>
      step.execute({ input, state: {}, context: null, signal: new AbortController().signal });
    expect(await run(4)).toEqual({ success: true, data: 2 });
    expect(await run(0)).toMatchObject({ success: false, error: { name: 'TypeError', message: 'zero' } });
    expect(await run(-1)).toMatchObject({ success: false, error: { message: 'negative', cause: 'negative' } });
  });
});

describe('adapters', () => {
  const double = createStreamingStep<number, number>('double', async function* ({ input }) {
    for await (const n of input) yield n * 2;
  });

  it('a batch pipeline runs for each item of a stream, each with its own state', async () => {
    const batch = Pipeline.start<number>()
      .add('range', range)
      .map('squares', (n) => n * n)
      .add(
        'both',
        createStep<number[], string, { range: number[] }>('both', ({ input, state }) =>
          [state.range, input].map((list) => list.join()).join(':'),
        ),
      );
    const streaming = pipelineToStreaming(batch).map('text', (text) => `<${text}>`);
    const source = counted();
    const run = streaming.execute(source.source);
    expect([(await run.next()).value, (await run.next()).value, (await run.next()).value]).toEqual([
      '<:>',
      '<0:0>',
      '<0,1:0,1>',
    ]);
    expect(source.pulls).toBe(3);
    await run.return();
  });

  it('a streaming pipeline runs for one item, and its values become an array', async () => {
    const streaming = StreamingPipeline.start<{ readonly count: number }>()
      .add(
        'numbers',
        createStreamingStep('numbers', async function* ({ input }) {
          for (let i = 0; i < input.count; i++) yield i;
        }),
      )
      .map('double', double);
    const batch = streamingToPipeline(streaming).map('text', (n) => `${n}`);
    expect(await batch.execute({ count: 3 })).toMatchObject({
      success: true,
      data: ['0', '2', '4'],
      state: { numbers: 2, double: 4, text: ['0', '2', '4'] },
    });
    expect(await batch.execute({ count: 0 })).toMatchObject({ success: true, data: [] });
    expect(await streamingToPipeline(streaming, { limit: 2 }).execute({ count: 3 })).toMatchObject({
      success: false,
      error: { code: 'CHECKPOINT_OVERFLOW' },
    });
  });

  it('a batch step becomes a streaming step, with its retries and its state', async () => {
    const clock = new HastyClock();
    let tries = 0;
    const step = createStep<number, string, { double: number }>(
      'text',
      ({ input, state }) => {
        if (++tries === 2) throw new Error('busy');
        return `${state.double}=${input}`;
      },
      { retry: { maxAttempts: 2, backoffMs: 5, jitter: 0 } },
    );
    const pipeline = StreamingPipeline.start<number>(undefined, { clock })
      .map('double', double)
      .map('text', stepToStreamingStep(step));
    expect(await pipeline.executeToArray(asyncGeneratorOf(1, 2))).toEqual(['2=2', '4=4']);
    expect(clock.waits).toEqual([5]);
  });

  it('a streaming step becomes a batch step over arrays', async () => {
    const withState = createStreamingStep<number, number, { range: number[] }>('s', async function* ({ input, state }) {
      const [first] = await state.materialize('range');
      yield state.hasSnapshot('range') ? state.accumulated.range.length : -1;
      yield first?.length ?? -1;
      for await (const [n] of state.stream('range')) yield n ?? -1;
      yield* input;
    });
    const pipeline = Pipeline.start<number>()
      .add('range', range)
      .add('double', streamingStepToStep(double))
      .add('state', streamingStepToStep(withState));
    expect(await pipeline.execute(3)).toMatchObject({ success: true, data: [3, 3, 0, 0, 2, 4] });
    const bounded = Pipeline.start<number>()
      .add('range', range)
      .add('double', streamingStepToStep(double, { limit: 2 }));
    expect(await bounded.execute(3)).toMatchObject({ success: false, error: { code: 'CHECKPOINT_OVERFLOW' } });
  });

  it('there and back again', async () => {
    const batch = Pipeline.start<number>()
      .add('range', range)
      .map('square', (n) => n * n);
    const back = streamingToPipeline(pipelineToStreaming(batch));
    expect(await back.execute(3)).toMatchObject({ success: true, data: [[0, 1, 4]] });
    const error = await rejection(
      pipelineToStreaming(
        Pipeline.start<number>().add(
          'bad',
          createStep<number, number>('bad', () => {
            throw new Error('no');
          }),
        ),
      ).executeToArray(1),
    );
    expect(error).toMatchObject({ stepName: 'bad' });
  });
});
