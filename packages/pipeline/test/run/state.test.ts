import { asyncGeneratorOf, createStreamingStep, StreamingPipeline, type StreamingState } from '@perennial/pipeline';
import { describe, expect, it } from 'vitest';

import { counted, rejection } from '../support/sources.ts';

type Numbers = ReturnType<typeof StreamingPipeline.start<number>>;
const numbers = (options = {}): Numbers => StreamingPipeline.start<number>(undefined, options);
type State = StreamingState<{ a: number }>;

/** A step that pulls `after` items, then uses the state, then goes on. */
function probe<T>(
  after: number,
  use: (state: State) => Promise<T> | T,
): ReturnType<typeof createStreamingStep<number, T>> {
  return createStreamingStep<number, T, { a: number }>('probe', async function* ({ input, state }) {
    for (let i = 0; i < after; i++) await input.next();
    yield await use(state);
    for await (const _ of input);
  }) as ReturnType<typeof createStreamingStep<number, T>>;
}

async function drain<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of stream) values.push(value);
  return values;
}

describe('accumulated', () => {
  it('holds the latest value of each step before, and no more', async () => {
    const seen: unknown[] = [];
    await numbers()
      .map('a', (n) => n + 1)
      .map('b', (n) => n * 10)
      .map('c', (n, _, { accumulated }) => {
        seen.push([accumulated.a, accumulated.b, Object.keys(accumulated)]);
        return n;
      })
      .executeToArray(counted(2).source);
    expect(seen).toEqual([
      [1, 10, ['a', 'b']],
      [2, 20, ['a', 'b']],
    ]);
  });

  it.each([
    ['on-demand', 2, true],
    ['always', 2, true],
    ['never', undefined, false],
  ] as const)('after `add` with checkpoints: %s', async (checkpoints, latest, has) => {
    const one = createStreamingStep<number, number>('one', async function* ({ input }) {
      yield* input;
    });
    const values = await numbers({ checkpoints })
      .add('a', one)
      .map(
        'b',
        probe(3, (state) => [state.accumulated.a, state.hasSnapshot('a')]),
      )
      .executeToArray(counted(5).source);
    expect(values).toEqual([[latest, has]]);
  });

  it('has no snapshot before the first value, one after it', async () => {
    const has = async (after: number): Promise<unknown> =>
      numbers()
        .map('a', (n) => n)
        .map(
          'b',
          probe(after, (state) => state.hasSnapshot('a')),
        )
        .executeToArray(counted(3).source);
    expect([await has(0), await has(1)]).toEqual([[false], [true]]);
  });

  it('tells an emitted undefined from no value', async () => {
    const values = await numbers()
      .map('a', () => undefined as unknown as number)
      .map(
        'b',
        probe(1, (state) => state.hasSnapshot('a')),
      )
      .executeToArray(counted(3).source);
    expect(values).toEqual([true]);
  });
});

describe('stream and materialize', () => {
  it('give every value when asked before the first one, and leave the input whole', async () => {
    const values = await numbers()
      .map('a', (n) => n * 2)
      .filter('odd', (n) => n % 4 === 0)
      .add(
        'b',
        createStreamingStep('b', async function* ({ input, state }) {
          const stream = state.stream('a');
          yield [(await stream.next()).value, (await stream.next()).value];
          yield await state.materialize('a').catch((error: Error) => error.name);
          yield await drain(input);
          yield await drain(stream);
        }),
      )
      .executeToArray(counted(4).source);
    expect(values).toEqual([[0, 2], 'StateNotRetained', [0, 4], [4, 6]]);
  });

  it('are refused once values were emitted that nobody kept', async () => {
    const error = await rejection(
      numbers()
        .map('a', (n) => n)
        .map(
          'b',
          probe(1, (state) => state.materialize('a')),
        )
        .executeToArray(counted(3).source),
    );
    expect(error).toMatchObject({ code: 'STATE_NOT_RETAINED', stepName: 'probe' });
    expect(String(error)).toContain("Step 'a' has emitted 1 values that were not kept");
  });

  it.each([
    ['retain: true', { retain: true }, [0, 1, 2, 3, 4]],
    ['retain: 2', { retain: 2 }, [1, 2, 3, 4]],
    ['retain: 1', { retain: 1 }, [2, 3, 4]],
  ])('go back as far as %s says', async (_, options, all) => {
    const pipeline = numbers()
      .map('a', (n) => n, options)
      .map(
        'b',
        probe(3, (state) => state.materialize('a')),
      );
    expect(await pipeline.executeToArray(counted(5).source)).toEqual([all]);
    const streamed = numbers()
      .map('a', (n) => n, options)
      .map(
        'b',
        probe(3, (state) => drain(state.stream('a'))),
      );
    expect(await streamed.executeToArray(counted(5).source)).toEqual([all]);
  });

  it('give the items of a checkpoint, at any time', async () => {
    for (const mode of ['barrier', 'tee'] as const) {
      const values = await numbers()
        .checkpoint('cp', { mode })
        .map('a', (n) => n)
        .add(
          'b',
          createStreamingStep('b', async function* ({ input, state }) {
            await input.next();
            yield await state.materialize('cp');
            yield await drain(state.stream('cp'));
          }),
        )
        .executeToArray(counted(4).source);
      expect(values).toEqual([
        [0, 1, 2, 3],
        [0, 1, 2, 3],
      ]);
    }
  });

  it('work in parallel steps, whose input is one item', async () => {
    const values = await numbers()
      .map('a', (n) => n, { retain: true })
      .map(
        'b',
        createStreamingStep('b', async function* ({ input, state }) {
          for await (const n of input) yield [n, await state.materialize('a')];
        }),
        { parallel: true, concurrencyLimit: 2 },
      )
      .executeToArray(counted(3).source);
    expect(values).toEqual([0, 1, 2].map((n) => [n, [0, 1, 2]]));
  });

  it('report the failure of the steps they pull', async () => {
    const error = await rejection(
      numbers()
        .map('a', (n) => (n < 2 ? n : Promise.reject(new Error('no'))))
        .map(
          'b',
          probe(0, (state) => state.materialize('a')),
        )
        .executeToArray(counted().source),
    );
    expect(error).toMatchObject({ stepName: 'a', itemIndex: 2 });
  });

  it('are bounded', async () => {
    const error = await rejection(
      numbers({ retainLimit: 3 })
        .map('a', (n) => n)
        .map(
          'b',
          probe(0, (state) => state.materialize('a')),
        )
        .executeToArray(counted().source),
    );
    expect(error).toMatchObject({ code: 'CHECKPOINT_OVERFLOW' });
    expect(String(error)).toContain("'a' would keep more than 3 items");
  });

  it('let a reading that nobody reads fail alone', async () => {
    const values = await numbers({ retainLimit: 3 })
      .map('a', (n) => n)
      .add(
        'b',
        createStreamingStep('b', async function* ({ input, state }) {
          const unread = state.stream('a');
          yield (await drain(input)).length;
          yield await rejection(unread.next());
        }),
      )
      .executeToArray(counted(10).source);
    expect(values).toEqual([10, expect.objectContaining({ name: 'CheckpointOverflow', key: 'a', limit: 3 })]);
  });

  it('know only steps before', async () => {
    const error = await rejection(
      numbers()
        .map('a', (n) => n)
        .map(
          'b',
          probe(0, (state) => drain(state.stream('later' as 'a'))),
        )
        .executeToArray(counted().source),
    );
    expect(String(error)).toContain("asked for the state of 'later', which is no step before it ('a')");
  });
});

describe('checkpoint', () => {
  it('takes everything in before the first item goes on', async () => {
    const source = counted(3);
    const run = numbers()
      .checkpoint('cp')
      .map('a', (n, _, { accumulated }) => [n, accumulated.cp.length])
      .execute(source.source);
    expect((await run.next()).value).toEqual([0, 3]);
    expect(source.pulls).toBe(3);
    await run.return();
  });

  it('as a tee notes items while they pass', async () => {
    const source = counted(3);
    const run = numbers()
      .checkpoint('cp', { mode: 'tee' })
      .map('a', (n, _, { accumulated }) => [n, accumulated.cp.length])
      .execute(source.source);
    expect((await run.next()).value).toEqual([0, 1]);
    expect(source.pulls).toBe(1);
    expect((await run.next()).value).toEqual([1, 2]);
    await run.return();
  });

  it.each(['barrier', 'tee'] as const)('refuses more items than its limit: %s', async (mode) => {
    const source = counted();
    const error = await rejection(numbers().checkpoint('cp', { mode, limit: 5 }).executeToArray(source.source));
    expect(error).toMatchObject({ name: 'CheckpointOverflow', code: 'CHECKPOINT_OVERFLOW', key: 'cp', limit: 5 });
    expect([source.pulls, source.closed]).toEqual([6, 1]);
    expect(
      await numbers()
        .checkpoint('cp', { mode, limit: 5 })
        .executeToArray(asyncGeneratorOf(1, 2, 3, 4, 5)),
    ).toHaveLength(5);
  });
});
