import { createStreamingStep, StreamingPipeline } from '@perennial/pipeline';
import { describe, expect, it } from 'vitest';

import { TestClock } from '../support/clock.ts';
import { counted } from '../support/sources.ts';

describe('timing', () => {
  const run = async (
    add: (
      pipeline: ReturnType<typeof StreamingPipeline.start<number>>,
      clock: TestClock,
    ) => StreamingPipeline<number, number, object>,
    samplingRate: number | 'auto' = 1,
  ): Promise<unknown> => {
    const clock = new TestClock();
    const pipeline = add(StreamingPipeline.start<number>(undefined, { clock, samplingRate }), clock);
    const values = pipeline.execute(
      (async function* () {
        for await (const n of counted(4).source) {
          // Time the source takes is no step's.
          clock.advance(1_000);
          yield n;
        }
      })(),
    );
    // Nor is time that the consumer takes.
    for await (const _ of values) clock.advance(500);
    const { timing } = (await values.metadata).steps[0] ?? {};
    return timing;
  };
  const each10 = {
    itemCount: 4,
    sampledCount: 4,
    avgDurationMs: 10,
    p50DurationMs: 10,
    p95DurationMs: 10,
    p99DurationMs: 10,
  };

  it.each<[string, Parameters<typeof run>[0]]>([
    ['a function', (p, clock) => p.map('a', (n) => (clock.advance(10), n))],
    ['an async function', (p, clock) => p.map('a', async (n) => (await Promise.resolve(), clock.advance(10), n))],
    ['a predicate', (p, clock) => p.filter('a', () => (clock.advance(10), true))],
    [
      'a generator step',
      (p, clock) =>
        p.add(
          'a',
          createStreamingStep('a', async function* ({ input }) {
            for await (const n of input) {
              clock.advance(4);
              await Promise.resolve();
              clock.advance(6);
              yield n;
            }
          }),
        ),
    ],
    ['a flatMap function', (p, clock) => p.flatMap('a', (n) => (clock.advance(10), [n]))],
  ])('is that of the step alone: %s', async (_, add) => {
    const timing = (await run(add)) as Record<string, number>;
    expect(timing).toMatchObject({ itemCount: 4, sampledCount: 4, avgDurationMs: 10 });
    for (const key of ['p50DurationMs', 'p95DurationMs', 'p99DurationMs'] as const) {
      expect(Math.abs((timing[key] ?? 0) - each10[key])).toBeLessThan(0.16);
    }
  });

  it('is not taken with samplingRate 0', async () => {
    const timing = await run((p) => p.map('a', (n) => n), 0);
    expect(timing).toEqual({ itemCount: 4, sampledCount: 0, avgDurationMs: 0 });
  });

  it('is taken of each item of a slow step, also where several finish at the same moment', async () => {
    const clock = new TestClock();
    const pipeline = StreamingPipeline.start<number>(undefined, { clock }).map(
      'a',
      (n) => {
        // Bursts of 10, a tenth of a second apart: 100 a second.
        if (n % 10 === 0) clock.advance(100);
        return n;
      },
      { parallel: true, concurrencyLimit: 10 },
    );
    await pipeline.executeToArray(counted(2_000).source);
    const { timing } = (await pipeline.getMetadata()).steps[0] ?? {};
    expect(timing).toMatchObject({ itemCount: 2_000, sampledCount: 2_000 });
  });

  it('is taken of a share of the items of a fast step', async () => {
    const clock = new TestClock();
    const pipeline = StreamingPipeline.start<number>(undefined, { clock }).map('a', (n) => {
      // 1,000 in a millisecond, of which about ten are to be timed.
      if (n % 1_000 === 0) clock.advance(1);
      return n;
    });
    await pipeline.executeToArray(counted(200_000).source);
    const { timing } = (await pipeline.getMetadata()).steps[0] ?? {};
    expect(timing?.sampledCount).toBeGreaterThan(1_000);
    expect(timing?.sampledCount).toBeLessThan(6_000);
  });
});
