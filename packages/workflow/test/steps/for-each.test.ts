/** Items processed side by side, with checkpoints from which a retry and a recovery go on. */
import { collect, createMemoryStreamStore, err, map } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { createWorkflow, type ForEachOptions, type RunContext } from '../../src/index.ts';
import { crashable } from '../support/crashable-store.ts';
import { createGate, forever } from '../support/gate.ts';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const create = () => createWorkflow('items', {}, { streamStore: createMemoryStreamStore() });

describe('streamForEach', () => {
  it.each([1, 3, 8])('runs at most %i items at the same time', async (concurrency) => {
    let running = 0;
    let most = 0;
    const seen: number[] = [];
    const result = await create().run(({ step }) =>
      step.streamForEach(
        numbers(25),
        async (item, { index }) => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setImmediate(resolve));
          expect(index).toBe(item);
          seen.push(item);
          running--;
        },
        { name: 'all', concurrency, checkpointInterval: 4 },
      ),
    );
    expect(result).toEqual({ ok: true, value: { processedCount: 25 } });
    expect(most).toBe(concurrency);
    expect(seen.toSorted((a, b) => a - b)).toEqual(numbers(25));
  });

  it('counts nothing for a source without items', async () => {
    const result = await create().run(({ step }) => step.streamForEach([], () => 1, { name: 'none' }));
    expect(result).toEqual({ ok: true, value: { processedCount: 0 } });
  });

  it('gives the error of the first item that failed, and starts no more', async () => {
    const begun: number[] = [];
    const result = await create().run(async ({ step }) => {
      const processed = await step.streamForEach(
        numbers(10),
        (item) => {
          begun.push(item);
          return item === 3 ? err({ item }) : item;
        },
        { name: 'all' },
      );
      return processed.ok ? null : [processed.error.code, processed.error.error];
    });
    expect(result).toEqual({ ok: true, value: ['STEP_FAILED', { item: 3 }] });
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  it('goes on after the last checkpoint when it is retried, and each item’s write stands once', async () => {
    const begun: number[] = [];
    let failures = 0;
    const handle = create().start(async ({ step }) => {
      const out = step.getWritable<string>({ namespace: 'out' });
      return step.streamForEach(
        numbers(10),
        async (item) => {
          begun.push(item);
          await out.write(`item ${item}`);
          if (item === 7 && ++failures < 3) throw new Error('no');
        },
        { name: 'all', checkpointInterval: 3, retry: { delayMs: 0 } },
      );
    });
    expect(await handle.result).toEqual({ ok: true, value: { processedCount: 10 } });
    expect(begun).toEqual([...numbers(8), 6, 7, 6, 7, 8, 9]);
    expect(await collect(handle.reader({ namespace: 'out' }))).toEqual(numbers(10).map((n) => `item ${n}`));
  });

  it.each(['an array', 'a reader'])('can be retried over %s', async (kind) => {
    const body = async ({ step }: RunContext): Promise<unknown> => {
      const input = step.getWritable<number>({ namespace: 'in' });
      for (const n of numbers(6)) await input.write(n);
      await input.close();
      const reader = () => step.getReadable<number>({ namespace: 'in' });
      const source = kind === 'an array' ? numbers(6) : reader();
      let failed = false;
      const sum: number[] = [];
      const processed = await step.streamForEach(
        source,
        (item) => {
          if (item === 4 && !failed) {
            failed = true;
            throw new Error('once');
          }
          sum.push(item);
        },
        { name: 'all', checkpointInterval: 2, retry: { delayMs: 0 } },
      );
      return processed.ok ? [processed.value.processedCount, sum] : [processed.error.failureCode, sum];
    };
    const result = await create().run(body);
    expect(result).toEqual({ ok: true, value: [6, numbers(6)] });
  });

  it.each(['a generator', 'a transformed reader'])(
    'fails as NONDETERMINISTIC when %s would be read again',
    async (kind) => {
      const once = function* (): Generator<number> {
        yield* numbers(5);
      };
      const result = await create().run(async ({ step }) => {
        const input = step.getWritable<number>({ namespace: 'in' });
        for (const n of numbers(5)) await input.write(n);
        const source = kind === 'a generator' ? once() : map(step.getReadable<number>({ namespace: 'in' }), (n) => n);
        return step.streamForEach(source, (item) => (item === 2 ? err('no') : item), {
          name: 'all',
          retry: { attempts: 2, delayMs: 0 },
        });
      });
      expect(result).toMatchObject({ ok: false, error: { code: 'STEP_FAILED', failureCode: 'NONDETERMINISTIC' } });
    },
  );

  it('goes on after the last checkpoint in another process', async () => {
    const shared = createMemoryStreamStore();
    const first = crashable(shared);
    const begun: Record<string, number[]> = { first: [], second: [] };
    const gate = createGate();
    const define = (worker: 'first' | 'second', store = shared) =>
      createWorkflow('items', {}, { streamStore: store, leaseMs: 200 }).define(async ({ step }) => {
        const out = step.getWritable<number>({ namespace: 'out' });
        return step.streamForEach(
          numbers(10),
          async (item) => {
            begun[worker]?.push(item);
            await out.write(item);
            if (worker === 'first' && item === 7) {
              await gate.pass();
              await forever();
            }
          },
          { name: 'all', checkpointInterval: 3 },
        );
      });
    await define('first', first.store).start({ id: 'r' });
    await gate.reached;
    first.die();
    const second = define('second');
    await second.recover({ watch: false });
    const handle = second.handle('r');
    expect(await handle.result).toEqual({ ok: true, value: { processedCount: 10 } });
    expect(begun).toEqual({ first: numbers(8), second: [6, 7, 8, 9] });
    expect(await collect(handle.reader({ namespace: 'out' }))).toEqual(numbers(10));
  });

  it('fires the signal of its items when its time is up', async () => {
    const result = await create().run(({ step }) =>
      step.streamForEach(
        numbers(3),
        (_, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error));
          }),
        { name: 'all', timeout: 5 },
      ),
    );
    expect(result).toMatchObject({ ok: false, error: { code: 'STEP_FAILED', failureCode: 'TIMEOUT' } });
  });

  const refused: [string, Partial<ForEachOptions>, string][] = [
    ['no name', { name: '' }, 'name'],
    ['a concurrency of 0', { concurrency: 0 }, 'concurrency'],
    ['a concurrency of 1.5', { concurrency: 1.5 }, 'concurrency'],
    ['a checkpointInterval of -1', { checkpointInterval: -1 }, 'checkpointInterval'],
    ['a timeout of 0', { timeout: 0 }, 'timeout'],
  ];

  it.each(refused)('refuses %s, naming it', async (_, options, argument) => {
    const result = await create().run(async ({ step }) =>
      step
        .streamForEach([1], () => 1, { name: 'all', ...options })
        .then(
          () => 'was accepted',
          (error: unknown) => (error instanceof Error && 'argument' in error ? error.argument : String(error)),
        ),
    );
    expect(result).toEqual({ ok: true, value: argument });
  });

  it('refuses a source that is none, and a function that is none', async () => {
    const result = await create().run(async ({ step }) => {
      const argumentOf = (call: Promise<unknown>): Promise<unknown> =>
        call.then(
          () => 'was accepted',
          (error: unknown) => (error instanceof Error && 'argument' in error ? error.argument : String(error)),
        );
      return [
        await argumentOf(step.streamForEach(5 as unknown as number[], () => 1, { name: 'a' })),
        await argumentOf(step.streamForEach(undefined as unknown as number[], () => 1, { name: 'b' })),
        await argumentOf(step.streamForEach([1], null as unknown as () => 1, { name: 'c' })),
      ];
    });
    expect(result).toEqual({ ok: true, value: ['source', 'source', 'fn'] });
  });
});
