import { ReadableStream } from 'node:stream/web';

import { collect, createMemoryStreamStore, getStreamReader } from '@perennial/core';
import { createStreamingStep, type PipelineSource, StreamingPipeline } from '@perennial/pipeline';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { build, expected, failingStep, repeatableStep } from './support/model.ts';

const items = fc.array(fc.nat(50), { maxLength: 25 });
const steps = fc.array(fc.oneof({ weight: 5, arbitrary: repeatableStep }, failingStep), { maxLength: 5 });

const sources: Record<string, (values: readonly number[]) => Promise<PipelineSource<number>>> = {
  array: async (values) => values,
  generator: async (values) =>
    (async function* () {
      yield* values;
    })(),
  'slow generator': async (values) =>
    (async function* () {
      for (const value of values) {
        await new Promise((resolve) => setImmediate(resolve));
        yield value;
      }
    })(),
  'web stream': async (values) => ReadableStream.from(values),
  reader: async (values) => {
    const store = createMemoryStreamStore();
    await store.create('s', { records: values.map((value) => ({ data: `${value}` })), end: { outcome: 'completed' } });
    return getStreamReader<number>({ store, streamId: 's', pageSize: 3 });
  },
};

describe('any pipeline gives what arrays would', () => {
  it.each(Object.entries(sources))('over a source of kind %s', async (_, open) => {
    await fc.assert(
      fc.asyncProperty(items, steps, async (values, chain) => {
        const run = build(chain).executeFrom(await open(values));
        const seen: number[] = [];
        for await (const value of run) seen.push(value);
        expect(seen).toEqual(expected(chain, values));
      }),
      { numRuns: 120 * Number(process.env.MORE ?? 1) },
    );
  });

  it('however much of it is read', async () => {
    await fc.assert(
      fc.asyncProperty(items, steps, fc.nat(10), async (values, chain, count) => {
        const run = build(chain).executeFrom(values);
        const seen: number[] = [];
        for (let i = 0; i < count; i++) {
          const { done, value } = await run.next();
          if (done) break;
          seen.push(value);
        }
        await run.return();
        expect(seen).toEqual(expected(chain, values).slice(0, count));
        expect((await run.metadata).itemCount).toBe(seen.length);
      }),
      { numRuns: 200 * Number(process.env.MORE ?? 1) },
    );
  });

  it('and collecting it is the same as iterating', async () => {
    await fc.assert(
      fc.asyncProperty(items, steps, async (values, chain) => {
        const source = async function* (): AsyncGenerator<number> {
          yield* values;
        };
        expect(await build(chain).executeToArray(source())).toEqual(expected(chain, values));
      }),
      { numRuns: 120 * Number(process.env.MORE ?? 1) },
    );
  });
});

describe('neighbouring functions, which run as one loop,', () => {
  /** What a step does to a number; `undefined` drops it, an array takes its place. Sevens fail. */
  const works = {
    add: (n: number) => n + 1,
    double: (n: number) => n * 2,
    even: (n: number) => (n % 2 === 0 ? n : undefined),
    twice: (n: number) => [n, n + 10],
    nothing: () => [],
    fail: (n: number) => {
      if (n % 7 === 0) throw new Error(`no ${n}`);
      return n;
    },
  } satisfies Record<string, (n: number) => number | undefined | number[]>;
  const chains = fc.array(fc.constantFrom(...Object.keys(works).map((name) => name as keyof typeof works)), {
    minLength: 1,
    maxLength: 6,
  });
  const options = { errorStrategy: 'COLLECT_ERRORS' } as const;
  const listed = (out: number | undefined | number[]): number[] =>
    Array.isArray(out) ? out : out === undefined ? [] : [out];

  type Numbers = StreamingPipeline<number, number, object>;
  const fused = (name: keyof typeof works, key: string, pipeline: Numbers): Numbers => {
    const work: (n: number) => number | undefined | number[] = works[name];
    if (name === 'even') return pipeline.filter(key, (n) => work(n) !== undefined, options);
    if (name === 'twice' || name === 'nothing') return pipeline.flatMap(key, (n) => listed(work(n)), options);
    return pipeline.map(key, (n) => listed(work(n))[0] ?? NaN, options);
  };
  const unfused = (name: keyof typeof works, key: string, pipeline: Numbers): Numbers =>
    pipeline.add(
      key,
      createStreamingStep<number, number>(key, async function* ({ input }) {
        for await (const n of input) yield* listed(works[name](n));
      }),
      options,
    );
  const observe = async (
    step: typeof fused,
    names: readonly (keyof typeof works)[],
    values: readonly number[],
  ): Promise<unknown> => {
    const start: Numbers = StreamingPipeline.start<number>();
    const run = names.reduce((pipeline, name, i) => step(name, `${i}`, pipeline), start).executeFrom(values);
    const seen = await collect(run);
    const { errorCount, steps } = await run.metadata;
    return {
      seen,
      errorCount,
      steps: steps.map(({ receivedCount, timing, errors }) => ({
        receivedCount,
        emittedCount: timing.itemCount,
        errors: errors?.map(({ itemIndex, item, message }) => ({ itemIndex, item, message })),
      })),
    };
  };

  it('give the same values, counts and errors as generator steps, each in a layer of its own', async () => {
    await fc.assert(
      fc.asyncProperty(chains, fc.array(fc.nat(30), { maxLength: 20 }), async (names, values) => {
        expect(await observe(fused, names, values)).toEqual(await observe(unfused, names, values));
      }),
      { numRuns: 200 * Number(process.env.MORE ?? 1) },
    );
  });
});
