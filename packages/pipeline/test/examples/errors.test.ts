/* oxlint-disable no-console -- the examples log as programs would */
/** Examples of the design this package implements, each compiled under strict and run. */
import {
  asyncGeneratorOf,
  createStreamingStep,
  type StreamingError,
  StreamingErrorStrategy,
  StreamingPipeline,
} from '@perennial/pipeline';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { embed, type EmbeddingServer, generateEmbeddings, startEmbeddingServer } from '../support/embeddings.ts';
import { counted } from '../support/sources.ts';

const EMBEDDING_MODEL = 'test-embedding';
let server: EmbeddingServer;

beforeAll(async () => {
  server = await startEmbeddingServer();
});
afterAll(async () => {
  await server.close();
});
beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => undefined));

describe('errors', () => {
  interface Input {
    readonly n: number;
  }
  const inputs = (): AsyncGenerator<Input> => asyncGeneratorOf({ n: 0 }, { n: 1 }, { n: 2 });
  const step1 = createStreamingStep<Input, number>('step1', async function* ({ input }) {
    for await (const { n } of input) {
      if (n === 1) throw Object.assign(new Error('one is bad'), { code: 'BAD_ONE' });
      yield n;
    }
  });

  it('retry logic', async () => {
    server.refuse(2, 429);
    const processItem = ({ n }: Input): Promise<{ embedding: number[] }[]> =>
      generateEmbeddings([`${n}`], server.url, EMBEDDING_MODEL);
    const resilientStep = createStreamingStep<Input, number[] | undefined>(
      'resilientStep',
      async function* ({ input }) {
        for await (const item of input) {
          yield (await processItem(item))[0]?.embedding;
        }
      },
      {
        retry: {
          maxAttempts: 3,
          backoffMs: 1,
          retryableErrors: ['RATE_LIMIT', 'ETIMEDOUT'],
        },
      },
    );
    const pipeline = StreamingPipeline.start<Input>().map('resilient', resilientStep);
    expect(await pipeline.executeToArray(inputs())).toEqual([embed('0'), embed('1'), embed('2')]);
  });

  it('error strategies', async () => {
    const pipeline1 = StreamingPipeline.start<Input>().map('step1', step1, {
      errorStrategy: StreamingErrorStrategy.FAIL_FAST,
    });
    // First error throws, stops processing
    await expect(pipeline1.executeToArray(inputs())).rejects.toMatchObject({
      name: 'StreamingError',
      code: 'BAD_ONE',
      stepName: 'step1',
      itemIndex: 1,
      retryable: true,
      cause: expect.objectContaining({ message: 'one is bad' }) as unknown,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/) as unknown,
    });

    const pipeline2 = StreamingPipeline.start<Input>().map('step1', step1, {
      errorStrategy: StreamingErrorStrategy.SKIP_FAILED,
    });
    // Failed items are skipped, processing continues
    expect(await pipeline2.executeToArray(inputs())).toEqual([0, 2]);

    const pipeline3 = StreamingPipeline.start<Input>().map('step1', step1, {
      errorStrategy: StreamingErrorStrategy.COLLECT_ERRORS,
    });
    // Errors collected, available in metadata
    expect(await pipeline3.executeToArray(inputs())).toEqual([0, 2]);
    const { steps } = await pipeline3.getMetadata();
    expect(steps[0]?.errors).toMatchObject([{ code: 'BAD_ONE', itemIndex: 1 }]);

    const pipeline4 = StreamingPipeline.start<Input>().map('step1', step1, {
      errorStrategy: StreamingErrorStrategy.SPLIT_ERRORS,
    });
    // Errors emitted to separate error channel
    const run = pipeline4.execute(inputs());
    const values: number[] = [];
    for await (const value of run) values.push(value);
    const errors: StreamingError[] = [];
    for await (const error of run.errors) errors.push(error);
    expect(values).toEqual([0, 2]);
    expect(errors).toMatchObject([{ code: 'BAD_ONE', itemIndex: 1, item: { n: 1 } }]);
  });

  it('error handling in steps', async () => {
    const processItem = async ({ n }: Input): Promise<number> => {
      if (n === 1) throw new Error('no');
      return n;
    };
    const robustStep = createStreamingStep<Input, number>('robustStep', async function* ({ input }) {
      for await (const item of input) {
        try {
          const result = await processItem(item);
          yield result;
        } catch (error) {
          // Option 1: Skip and log
          console.warn(`Failed to process item:`, error);
          continue;

          // Option 2: Yield error item
          // yield { error: true, message: error.message };

          // Option 3: Throw (let retry/error strategy handle it)
          // throw error;
        }
      }
    });
    const pipeline = StreamingPipeline.start<Input>().map('robust', robustStep);
    expect(await pipeline.executeToArray(inputs())).toEqual([0, 2]);
    expect(console.warn).toHaveBeenCalledOnce();
  });
});

describe('metadata', () => {
  it('inline metadata', async () => {
    const processItem = async (item: { id: string }): Promise<{ id: string; done: true }> => ({ ...item, done: true });
    const stepWithMetadata = createStreamingStep<
      { id: string },
      { id: string; done: true; _metadata: { durationMs: number; stepName: string; itemIndex: number } }
    >('stepWithMetadata', async function* ({ input }) {
      let itemIndex = 0;

      for await (const item of input) {
        const startTime = performance.now();

        const result = await processItem(item);

        const durationMs = performance.now() - startTime;

        // Yield with metadata
        yield {
          ...result,
          _metadata: {
            durationMs,
            stepName: 'stepWithMetadata',
            itemIndex: itemIndex++,
          },
        };
      }
    });
    const pipeline = StreamingPipeline.start<{ id: string }>().map('step', stepWithMetadata);
    const results = await pipeline.executeToArray(asyncGeneratorOf({ id: 'a' }, { id: 'b' }));
    expect(results.map(({ _metadata }) => _metadata.itemIndex)).toEqual([0, 1]);
  });

  it('aggregated metadata', async () => {
    const step1 = createStreamingStep<number, number>('step1', async function* ({ input }) {
      yield* input;
    });
    const step2 = createStreamingStep<number, number>('step2', async function* ({ input }) {
      for await (const n of input) {
        if (n % 20 === 0) throw new Error(`${n} is bad`);
        yield n;
      }
    });
    const pipeline = StreamingPipeline.start<number>(undefined, { samplingRate: 1 })
      .map('step1', step1)
      .map('step2', step2, { errorStrategy: StreamingErrorStrategy.COLLECT_ERRORS });
    await pipeline.executeToArray(counted(100).source);
    // After stream completes, aggregate metadata
    const metadata = await pipeline.getMetadata();
    expect(metadata).toMatchObject({
      stepName: 'pipeline_complete',
      steps: [
        {
          stepName: 'step1',
          timing: {
            itemCount: 100,
            sampledCount: 100,
            avgDurationMs: expect.any(Number) as unknown,
            p95DurationMs: expect.any(Number) as unknown,
          },
          errorCount: 0,
        },
        { stepName: 'step2', timing: { itemCount: 95 }, errorCount: 5 },
      ],
    });
    expect(metadata.steps[1]?.errors).toHaveLength(5);
  });
});
