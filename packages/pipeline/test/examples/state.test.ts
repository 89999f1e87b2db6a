/** Examples of the design this package implements, each compiled under strict and run. */
import { asyncGeneratorOf, createStreamingStep, StreamingPipeline } from '@perennial/pipeline';
import { describe, expect, expectTypeOf, it } from 'vitest';

import { counted } from '../support/sources.ts';

describe('state', () => {
  const step1 = createStreamingStep<string, { value: number }>('step1', async function* ({ input }) {
    for await (const text of input) yield { value: text.length };
  });

  it('type-safe state access', async () => {
    // Example showing type inference
    const pipeline = StreamingPipeline.start<string>()
      .add('step1', step1) // Returns { value: number }
      .add(
        'step2',
        createStreamingStep('step2', async function* ({ input, state }) {
          for await (const item of input) {
            expectTypeOf(item).toEqualTypeOf<{ value: number }>();
            expectTypeOf(state.accumulated.step1).toEqualTypeOf<{ value: number }>();
            yield `Value: ${item.value}`;
          }
        }),
      );

    // TypeScript enforces state shape
    // oxlint-disable-next-line typescript/no-explicit-any -- as the design writes it
    type PipelineState = typeof pipeline extends StreamingPipeline<any, any, infer S, any> ? S : never;
    const state: PipelineState = { step1: { value: 1 }, step2: 'text' };
    expect(state.step2).toBe('text');
    expect(await pipeline.executeToArray(asyncGeneratorOf('a', 'bcd'))).toEqual(['Value: 1', 'Value: 3']);
  });

  it('checkpoint strategy', async () => {
    const step2 = createStreamingStep<{ value: number }, number>('step2', async function* ({ input }) {
      for await (const { value } of input) yield value * 2;
    });
    const step3 = createStreamingStep<number, number>('step3', async function* ({ input }) {
      for await (const n of input) yield n + 1;
    });
    const processItem = (item: number, ...snapshots: (readonly unknown[])[]): number[] => [
      item,
      ...snapshots.map(({ length }) => length),
    ];
    const pipeline = StreamingPipeline.start<string>()
      .add('step1', step1)
      .checkpoint('step1_snapshot') // Force snapshot
      .map('step2', step2)
      .map('step3', step3)
      .checkpoint('step3_snapshot') // Another snapshot
      .map(
        'step4',
        createStreamingStep('step4', async function* ({ input, state }) {
          // Can access step1 and step3 snapshots efficiently
          const step1Data = state.accumulated.step1_snapshot;
          const step3Data = state.accumulated.step3_snapshot;

          for await (const item of input) {
            // Process with access to snapshots
            yield processItem(item, step1Data, step3Data);
          }
        }),
      );
    expect(await pipeline.executeToArray(asyncGeneratorOf('a', 'bc'))).toEqual([
      [3, 2, 2],
      [5, 2, 2],
    ]);
  });

  it('lazy state materialization', async () => {
    const step2 = createStreamingStep<{ value: number }, number>('step2', async function* ({ input }) {
      for await (const { value } of input) yield value * 2;
    });
    const processItem = (item: number, all: readonly number[]): string => `${item} of ${all.join()}`;
    const snapshots: unknown[] = [];
    const pipeline = StreamingPipeline.start<string>()
      .add('step1', step1)
      .map('step2', step2)
      .add(
        'step3',
        createStreamingStep('step3', async function* ({ input, state }) {
          // Option 1: Stream from previous step (no materialization)
          const step2Stream = state.stream('step2');

          // Option 2: Materialize previous step to array
          const step2Array = await state.materialize('step2');

          // Option 3: Access snapshot (if checkpoint exists)
          if (state.hasSnapshot('step1')) {
            const step1Data = state.accumulated.step1;
            // Use snapshot
            snapshots.push(step1Data);
          }
          for await (const value of step2Stream) snapshots.push(value);

          for await (const item of input) {
            yield processItem(item, step2Array);
          }
        }),
      );
    expect(await pipeline.executeToArray(asyncGeneratorOf('a', 'bc'))).toEqual(['2 of 2,4', '4 of 2,4']);
    expect(snapshots).toEqual([{ value: 2 }, 2, 4]);
  });

  it('memory-efficient pattern', async () => {
    const transform1 = createStreamingStep<number, number>('transform1', async function* ({ input }) {
      for await (const n of input) yield n + 1;
    });
    const transform2 = createStreamingStep<number, number>('transform2', async function* ({ input }) {
      for await (const n of input) yield n * 2;
    });
    const processBatch = createStreamingStep<number[], number>('processBatch', async function* ({ input }) {
      for await (const batch of input) yield batch.reduce((a, b) => a + b, 0);
    });
    // Pattern: Only materialize when necessary
    const pipeline = StreamingPipeline.start<number>()
      .map('transform1', transform1) // Streaming
      .map('transform2', transform2) // Streaming
      .checkpoint('batch_checkpoint') // Materialize here
      .batch('batches', 100)
      .map('process_batch', processBatch);
    expect(await pipeline.executeToArray(counted(150).source)).toEqual([10_100, 12_550]);
  });
});
