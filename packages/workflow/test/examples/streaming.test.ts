/** The documented examples of streams inside workflows, each run as a reader would paste it. */
import {
  chunk,
  collect,
  createMemoryStreamStore,
  err,
  filter,
  getStreamReader,
  isStreamEnded,
  isStreamWriteError,
  map,
  ok,
  pipe,
  reduce,
  skip,
  take,
  toAsyncIterable,
} from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { createWorkflow, type WorkflowEvent } from '../../src/index.ts';

const words = ['A ', 'type ', 'is ', 'a ', 'promise.'];

async function generateAI({ onToken }: { prompt: string; onToken: (token: string) => Promise<void> }): Promise<string> {
  for (const word of words) await onToken(word);
  return words.join('');
}

describe('streams of a workflow', () => {
  it('quick start', async () => {
    const streamStore = createMemoryStreamStore();
    const workflow = createWorkflow('workflow', {}, { streamStore });
    const handle = workflow.start(async ({ step }) => {
      const writer = step.getWritable<string>({ namespace: 'tokens' });
      await writer.write('Hello');
      await writer.write(' World');
      await writer.close();
    });
    expect(await handle.result).toEqual({ ok: true, value: undefined });
    expect(await collect(handle.reader<string>({ namespace: 'tokens' }))).toEqual(['Hello', ' World']);
  });

  it('writes, with results, and closes', async () => {
    const workflow = createWorkflow('workflow', {}, { streamStore: createMemoryStreamStore() });
    const handle = workflow.start(async ({ step }) => {
      const writer = step.getWritable<string>({ namespace: 'ai-response' });
      const writeResult = await writer.write('token1');
      if (!writeResult.ok) return err(writeResult.error);
      await writer.write('token2');
      await writer.write('token3');
      await writer.close();
      return ok(writer.position);
    });
    const result = await handle.result;
    expect(result).toEqual({ ok: true, value: 3 });
    expect(await collect(handle.reader({ namespace: 'ai-response' }))).toEqual(['token1', 'token2', 'token3']);
  });

  it('writes the tokens of a step through a writer of the body', async () => {
    const workflow = createWorkflow('workflow', { generateAI }, { streamStore: createMemoryStreamStore() });
    const handle = workflow.start(async ({ step, deps }) => {
      const writer = step.getWritable<string>({ namespace: 'ai-tokens' });
      await step(
        'generateAI',
        () =>
          deps.generateAI({
            prompt: 'Explain TypeScript',
            onToken: async (token) => {
              await writer.write(token);
            },
          }),
        { key: 'generate' },
      );
      await writer.close();
    });
    expect((await handle.result).ok).toBe(true);
    expect(await collect(handle.reader({ namespace: 'ai-tokens' }))).toEqual(words);
  });

  it('reads its own stream, item by item, to the end', async () => {
    const workflow = createWorkflow('workflow', {}, { streamStore: createMemoryStreamStore() });
    const result = await workflow.run(async ({ step }) => {
      const writer = step.getWritable<string>({ namespace: 'tokens' });
      for (const word of words) await writer.write(word);
      await writer.close();
      const reader = step.getReadable<string>({ namespace: 'tokens' });
      const seen: string[] = [];
      let item = await reader.read();
      while (item.ok) {
        seen.push(item.value);
        item = await reader.read();
      }
      return { seen, at: item.error.type === 'STREAM_ENDED' ? item.error.finalPosition : null };
    });
    expect(result).toEqual({ ok: true, value: { seen: words, at: words.length } });
  });

  it('resumes from a position, and iterates', async () => {
    const workflow = createWorkflow('workflow', {}, { streamStore: createMemoryStreamStore() });
    const result = await workflow.run(async ({ step }) => {
      const writer = step.getWritable<string>({ namespace: 'tokens' });
      for (const word of words) await writer.write(word);
      await writer.close();
      const lastPosition = 1;
      const reader = step.getReadable<string>({ namespace: 'tokens', startIndex: lastPosition + 1 });
      const seen: string[] = [];
      for await (const token of toAsyncIterable(reader)) seen.push(token);
      return seen;
    });
    expect(result).toEqual({ ok: true, value: words.slice(2) });
  });

  it('transforms what it reads', async () => {
    const workflow = createWorkflow('workflow', {}, { streamStore: createMemoryStreamStore() });
    const result = await workflow.run(async ({ step }) => {
      const writer = step.getWritable<number>({ namespace: 'numbers' });
      for (let n = 1; n <= 40; n++) await writer.write(n);
      await writer.close();
      const numbers = () => step.getReadable<number>({ namespace: 'numbers' });

      const doubled: number[] = [];
      const evens = filter(numbers(), (n) => n % 2 === 0);
      for await (const value of map(evens, (n) => n * 2)) doubled.push(value);

      const sizes: number[] = [];
      for await (const batch of chunk(numbers(), 16)) sizes.push(batch.length);

      const items = await collect(take(skip(numbers(), 5), 10));
      const sum = await reduce(numbers(), (acc, n) => acc + n, 0);
      const piped = await collect(
        pipe(
          numbers(),
          (s) => filter(s, (n) => n % 2 === 0),
          (s) => map(s, (n) => n * 2),
          (s) => take(s, 10),
        ),
      );
      return { doubled: doubled.slice(0, 3), sizes, items, sum, piped };
    });
    expect(result).toEqual({
      ok: true,
      value: {
        doubled: [4, 8, 12],
        sizes: [16, 16, 8],
        items: [6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        sum: 820,
        piped: [4, 8, 12, 16, 20, 24, 28, 32, 36, 40],
      },
    });
  });

  it('processes orders with concurrency and checkpoints', async () => {
    let running = 0;
    let most = 0;
    const processOrder = async (order: { id: number }): Promise<number> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return order.id;
    };
    const workflow = createWorkflow('workflow', { processOrder }, { streamStore: createMemoryStreamStore() });
    const result = await workflow.run(async ({ step, deps }) => {
      const writer = step.getWritable<{ id: number }>({ namespace: 'orders' });
      for (let id = 0; id < 95; id++) await writer.write({ id });
      await writer.close();
      const reader = step.getReadable<{ id: number }>({ namespace: 'orders' });
      const processed = await step.streamForEach(
        reader,
        async (order) => {
          const done = await deps.processOrder(order);
          return ok(done);
        },
        { name: 'process-orders', concurrency: 5, checkpointInterval: 10 },
      );
      if (!processed.ok) return -1;
      return processed.value.processedCount;
    });
    expect(result).toEqual({ ok: true, value: 95 });
    expect(most).toBe(5);
  });

  it('is read from outside', async () => {
    const streamStore = createMemoryStreamStore();
    const workflow = createWorkflow('workflow', {}, { streamStore });
    const { runId, result } = workflow.start(async ({ step }) => {
      const writer = step.getWritable<string>({ namespace: 'ai-response' });
      for (const word of words) await writer.write(word);
      await writer.close();
    });
    const reader = getStreamReader<string>({
      store: streamStore,
      workflowId: runId,
      namespace: 'ai-response',
      startIndex: 0,
      pollTimeout: 30_000,
    });
    const sent: string[] = [];
    for await (const part of toAsyncIterable(reader)) sent.push(`data: ${JSON.stringify(part)}\n\n`);
    expect(sent).toEqual(words.map((word) => `data: ${JSON.stringify(word)}\n\n`));
    expect((await result).ok).toBe(true);
  });

  it('has several namespaces', async () => {
    const workflow = createWorkflow('workflow', {}, { streamStore: createMemoryStreamStore() });
    const handle = workflow.start(async ({ step }) => {
      const tokenWriter = step.getWritable<string>({ namespace: 'tokens' });
      const progressWriter = step.getWritable<number>({ namespace: 'progress' });
      await tokenWriter.write('Starting...');
      await progressWriter.write(0);
      await progressWriter.write(100);
      await tokenWriter.write('Done!');
      await tokenWriter.close();
      await progressWriter.close();
    });
    await handle.result;
    expect(await collect(handle.reader({ namespace: 'tokens' }))).toEqual(['Starting...', 'Done!']);
    expect(await collect(handle.reader({ namespace: 'progress' }))).toEqual([0, 100]);
  });

  it('tells errors apart', async () => {
    const workflow = createWorkflow('workflow', {}, { streamStore: createMemoryStreamStore() });
    const result = await workflow.run(async ({ step }) => {
      const writer = step.getWritable({ namespace: 'data' });
      await writer.write('data');
      const refused = await writer.write(10n);
      await writer.close();
      const late = await writer.write('late');
      const reasons = [refused, late].map((write) =>
        !write.ok && isStreamWriteError(write.error) ? write.error.reason : null,
      );
      const reader = step.getReadable({ namespace: 'data' });
      await reader.read();
      const readResult = await reader.read();
      return {
        reasons,
        ended: !readResult.ok && isStreamEnded(readResult.error) ? readResult.error.finalPosition : null,
      };
    });
    expect(result).toEqual({ ok: true, value: { reasons: ['unserialisable', 'closed'], ended: 1 } });
  });

  it('signals an abort to readers', async () => {
    const workflow = createWorkflow('workflow', {}, { streamStore: createMemoryStreamStore() });
    const handle = workflow.start(async ({ step }) => {
      const writer = step.getWritable<string>({ namespace: 'response' });
      try {
        await writer.write('half an ans');
        throw new Error('the model went away');
      } catch (error) {
        await writer.abort(error);
      }
    });
    const reader = handle.reader<string>({ namespace: 'response' });
    expect(await reader.read()).toMatchObject({ ok: true, value: 'half an ans' });
    expect(await reader.read()).toMatchObject({
      ok: false,
      error: { type: 'STREAM_FAILED', end: { error: { message: 'the model went away' } } },
    });
    expect((await handle.result).ok).toBe(true);
  });

  it('never blocks for want of a reader', async () => {
    const workflow = createWorkflow('workflow', {}, { streamStore: createMemoryStreamStore() });
    const handle = workflow.start(async ({ step }) => {
      const writer = step.getWritable<string>({ namespace: 'tokens', highWaterMark: 16 });
      for (let i = 0; i < 10_000; i++) {
        const result = await writer.write(`item ${i}`);
        if (!result.ok) break;
      }
      return writer.position;
    });
    expect(await handle.result).toEqual({ ok: true, value: 10_000 });
    expect(await collect(handle.reader({ namespace: 'tokens' }))).toHaveLength(10_000);
  });

  it('tells what happens', async () => {
    const told: string[] = [];
    const onEvent = (event: WorkflowEvent): void => {
      switch (event.type) {
        case 'stream_created':
          told.push(`Stream ${event.namespace} created`);
          break;
        case 'stream_write':
          told.push(`Wrote to ${event.namespace} at position ${event.position}`);
          break;
        case 'stream_close':
          told.push(`Stream ${event.namespace} closed`);
          break;
        default:
      }
    };
    const workflow = createWorkflow('workflow', {}, { streamStore: createMemoryStreamStore(), onEvent });
    await workflow.run(async ({ step }) => {
      const writer = step.getWritable<string>({ namespace: 'tokens' });
      await writer.write('a');
      await writer.write('b');
      await writer.close();
    });
    expect(told.toSorted()).toEqual([
      'Stream tokens closed',
      'Stream tokens created',
      'Wrote to tokens at position 0',
      'Wrote to tokens at position 1',
    ]);
  });

  it.each(['later', 'concurrently'])('the complete example: a consumer that runs %s', async (when) => {
    const streamStore = createMemoryStreamStore();
    const generateTokens = async ({
      onToken,
    }: {
      prompt: string;
      onToken: (token: string, score: number) => Promise<void>;
    }): Promise<void> => {
      for (const [i, word] of words.entries()) await onToken(word, i % 2 === 0 ? 0.9 : 0.5);
    };
    const workflow = createWorkflow('workflow', { generateTokens }, { streamStore });

    const produce = () =>
      workflow.run(async ({ step, deps }) => {
        const writer = step.getWritable<{ token: string; score: number }>({ namespace: 'ai-output' });
        await step(
          'generateTokens',
          () =>
            deps.generateTokens({
              prompt: 'Explain streaming',
              onToken: async (token, score) => {
                await writer.write({ token, score });
              },
            }),
          { key: 'generate' },
        );
        await writer.close();
        return { status: 'complete' };
      });
    const consume = () =>
      workflow.run(async ({ step }) => {
        const reader = step.getReadable<{ token: string; score: number }>({ namespace: 'ai-output' });
        const highConfidence = filter(toAsyncIterable(reader), (item) => item.score > 0.8);
        const tokens = map(highConfidence, (item) => item.token);
        const text = (await collect(tokens)).join('');
        return { text };
      });
    const produced = when === 'later' ? [await produce(), await consume()] : await Promise.all([produce(), consume()]);
    expect(produced).toEqual([
      { ok: true, value: { status: 'complete' } },
      { ok: true, value: { text: 'A is promise.' } },
    ]);
  });
});
