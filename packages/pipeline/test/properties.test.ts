import { ReadableStream } from 'node:stream/web';

import { createMemoryStreamStore, getStreamReader } from '@perennial/core';
import type { PipelineSource } from '@perennial/pipeline';
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
