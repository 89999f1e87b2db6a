/** Streams by key: written in a workflow, read from outside until they are closed, each closed when its run ends. */
import { createMemoryStreamStore, isStreamWriteError, type StreamEnd } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { closeStream, createWorkflow, readStream, readStreamAsync, writeStream } from '../../src/index.ts';
import { createGate, forever } from '../support/gate.ts';

const items = ['a', 'b', 'c'];
const processItem = (item: string): Promise<string> => Promise.resolve(item.toUpperCase());

describe('streams by key', () => {
  it('streams results as they become available', async () => {
    const workflow = createWorkflow('process', { processItem }, { streamStore: createMemoryStreamStore() });
    const process = workflow.define<string[]>(async (ctx) => {
      for (const item of ctx.input) {
        const result = await ctx.step('process', () => ctx.deps.processItem(item));
        await writeStream(ctx, 'results', result);
      }
      await closeStream(ctx, 'results');
      return 'done';
    });
    const handle = await process.start({ input: items });
    expect(await readStream<string>(handle, 'results')).toEqual({
      ok: true,
      value: { values: ['A', 'B', 'C'], closed: true, end: { outcome: 'completed' } },
    });
    expect(await handle.result).toEqual({ ok: true, value: 'done' });
    await workflow.close();
  });

  it('reads turn by turn', async () => {
    const workflow = createWorkflow('process', {}, { streamStore: createMemoryStreamStore() });
    const gate = createGate();
    const handle = workflow.start(async (ctx) => {
      await writeStream(ctx, 'results', 1);
      await gate.pass();
      await writeStream(ctx, 'results', 2);
      await closeStream(ctx, 'results');
    });
    const turns: unknown[] = [];
    for await (const turn of readStreamAsync<number>(handle, 'results')) {
      turns.push(turn);
      // The first value is there before the second is written.
      if (turns.length === 1) gate.open();
    }
    expect(turns).toEqual([
      { value: 1, closed: false },
      { value: 2, closed: false },
      { closed: true, end: { outcome: 'completed' } },
    ]);
  });

  it('blocks until the stream is closed, not until the run is over', async () => {
    const workflow = createWorkflow('process', {}, { streamStore: createMemoryStreamStore() });
    const gate = createGate();
    const handle = workflow.start(async (ctx) => {
      await writeStream(ctx, 'early', 1);
      await closeStream(ctx, 'early');
      await gate.pass();
    });
    expect(await readStream(handle, 'early')).toMatchObject({ ok: true, value: { values: [1], closed: true } });
    expect((await handle.status()).end).toBeNull();
    gate.open();
    await handle.result;
  });

  it('has any number of keys, each with values of its own', async () => {
    const workflow = createWorkflow('process', {}, { streamStore: createMemoryStreamStore() });
    const keys = Array.from({ length: 50 }, (_, i) => `key ${i} / ü`);
    const handle = workflow.start(async (ctx) => {
      for (const [i, key] of keys.entries()) for (let n = 0; n <= i; n++) await writeStream(ctx, key, n);
    });
    const read = await Promise.all(keys.map((key) => readStream<number>(handle, key)));
    expect(read.map((result) => (result.ok ? result.value.values.length : result.error))).toEqual(
      keys.map((_, i) => i + 1),
    );
  });

  it('refuses a write after the close with a typed error, and keeps what it has', async () => {
    const workflow = createWorkflow('process', {}, { streamStore: createMemoryStreamStore() });
    const handle = workflow.start(async (ctx) => {
      await writeStream(ctx, 'results', 1);
      await closeStream(ctx, 'results');
      const late = await writeStream(ctx, 'results', 2);
      const again = await closeStream(ctx, 'results');
      return {
        again: again.ok,
        late: !late.ok && isStreamWriteError(late.error) ? [late.error.reason, late.error.code] : null,
      };
    });
    expect(await handle.result).toEqual({ ok: true, value: { again: true, late: ['closed', 'CLOSED'] } });
    expect(await readStream(handle, 'results')).toMatchObject({ ok: true, value: { values: [1] } });
  });

  it('is immutable: what was read is read again from any position', async () => {
    const workflow = createWorkflow('process', {}, { streamStore: createMemoryStreamStore() });
    const handle = workflow.start(async (ctx) => {
      for (const item of items) await writeStream(ctx, 'results', item);
    });
    await handle.result;
    for (const startIndex of [0, 1, 2, 3])
      expect(await readStream(handle, 'results', { startIndex })).toMatchObject({
        ok: true,
        value: { values: items.slice(startIndex), closed: true },
      });
  });

  it('writes from steps, too', async () => {
    const workflow = createWorkflow('process', {}, { streamStore: createMemoryStreamStore() });
    const handle = workflow.start(async (ctx) => {
      await ctx.step('write', async (inStep) => {
        await writeStream(inStep, 'results', 'bound');
        await writeStream(ctx, 'results', 'by context');
      });
    });
    expect(await readStream(handle, 'results')).toMatchObject({ ok: true, value: { values: ['bound', 'by context'] } });
  });
});

describe('the end of a stream that its run leaves open', () => {
  const endOf = async (
    body: (ctx: { signal: AbortSignal }) => unknown,
    options: { timeout?: number; cancel?: string } = {},
  ): Promise<StreamEnd | null> => {
    const workflow = createWorkflow('process', {}, { streamStore: createMemoryStreamStore() });
    const handle = workflow.start(
      async (ctx) => {
        await writeStream(ctx, 'results', 1);
        return body(ctx);
      },
      { ...(options.timeout !== undefined && { timeout: options.timeout }) },
    );
    const turns = readStreamAsync<number>(handle, 'results');
    expect((await turns.next()).value).toEqual({ value: 1, closed: false });
    if (options.cancel !== undefined) await handle.cancel(options.cancel);
    const { value: last } = await turns.next();
    expect(last).toMatchObject({ closed: true });
    return last?.end ?? null;
  };

  it('is completed', async () => {
    expect(await endOf(() => 'done')).toEqual({ outcome: 'completed' });
  });

  it('is failed', async () => {
    expect(
      await endOf(() => {
        throw new Error('no');
      }),
    ).toMatchObject({ outcome: 'failed', error: { message: 'no' } });
  });

  it('is cancelled, with the reason', async () => {
    expect(await endOf(forever, { cancel: 'not wanted' })).toEqual({ outcome: 'cancelled', reason: 'not wanted' });
  });

  it('is failed with TIMEOUT', async () => {
    expect(await endOf(forever, { timeout: 20 })).toMatchObject({
      outcome: 'failed',
      error: { code: 'TIMEOUT', public: true },
    });
  });
});

describe('reading', () => {
  it('stops waiting when the run lost its worker, and says that the stream is not closed', async () => {
    const streamStore = createMemoryStreamStore();
    const workflow = createWorkflow('process', {}, { streamStore });
    const process = workflow.define(async (ctx) => {
      await writeStream(ctx, 'results', 1);
      await forever();
    });
    const handle = await process.start({ id: 'r' });
    const turns = readStreamAsync(handle, 'results');
    await turns.next();
    await workflow.close();
    expect(await readStream({ store: streamStore, runId: 'r' }, 'results')).toEqual({
      ok: true,
      value: { values: [1], closed: false, end: null },
    });
    await turns.return();
  });

  it('gives what stands, when a step took back what was read before', async () => {
    const workflow = createWorkflow('process', {}, { streamStore: createMemoryStreamStore() });
    const gate = createGate();
    const handle = workflow.start(async (ctx) => {
      await ctx.step(
        'write',
        async (inStep) => {
          await writeStream(inStep, 'results', `attempt ${inStep.attempt}`);
          if (inStep.attempt > 1) return;
          await gate.pass();
          throw new Error('again');
        },
        { retry: { delayMs: 0 } },
      );
    });
    await gate.reached;
    const read = readStream(handle, 'results');
    const turns = readStreamAsync<string>(handle, 'results');
    expect((await turns.next()).value).toEqual({ value: 'attempt 1', closed: false });
    gate.open();
    expect(await read).toMatchObject({ ok: true, value: { values: ['attempt 2'], closed: true } });
    expect((await turns.next()).value).toMatchObject({ error: { code: 'SUPERSEDED' }, closed: false });
    expect((await turns.next()).value).toEqual({ value: 'attempt 2', closed: false });
  });

  it('reports a run that there is not as an error', async () => {
    const store = createMemoryStreamStore();
    expect(await readStream({ store, runId: 'none' }, 'results')).toMatchObject({
      ok: false,
      error: { code: 'NOT_FOUND' },
    });
    const turns = readStreamAsync({ store, runId: 'none' }, 'results');
    expect((await turns.next()).value).toMatchObject({ error: { code: 'NOT_FOUND' }, closed: false });
    expect((await turns.next()).done).toBe(true);
  });

  it('stops by signal', async () => {
    const workflow = createWorkflow('process', {}, { streamStore: createMemoryStreamStore() });
    const handle = workflow.start(() => forever());
    const controller = new AbortController();
    const read = readStream(handle, 'results', { signal: controller.signal });
    controller.abort();
    expect(await read).toMatchObject({ ok: false, error: { code: 'ABORTED' } });
    await workflow.close();
  });
});
