/** Stopping runs: from anywhere, at any time, by hand or by the clock. */
import { createMemoryStreamStore, runJournalId, runStreamId, type StreamStore } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { cancelRun, createWorkflow, type RunContext } from '../../src/index.ts';
import { createGate, forever } from '../support/gate.ts';
import { rawTexts } from '../support/records.ts';

const create = (streamStore: StreamStore = createMemoryStreamStore()) =>
  createWorkflow('cancel', {}, { streamStore, leaseMs: 500 });

describe('a cancel', () => {
  it.each(['handle', 'workflow', 'definition', 'store'])('by the %s of another process stops the run', async (by) => {
    const store = createMemoryStreamStore();
    const gate = createGate();
    const body = async ({ step, signal }: RunContext): Promise<unknown> => {
      await step.getWritable({ namespace: 'out' }).write('some');
      await gate.pass();
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      return 'not reached';
    };
    const handle = await create(store).define(body).start({ id: 'r' });
    await gate.reached;
    const elsewhere = create(store);
    if (by === 'handle') await elsewhere.define(body).handle('r').cancel('why');
    else if (by === 'workflow') await elsewhere.cancel('r', 'why');
    else if (by === 'definition') await elsewhere.define(body).cancel('r', 'why');
    else await cancelRun(store, 'r', 'why');
    expect(await handle.result).toMatchObject({
      ok: false,
      error: { code: 'CANCELLED', message: 'The run was cancelled: why.' },
    });
    for (const id of [runStreamId('r', 'out'), runJournalId('r')])
      expect((await store.head(id))?.end).toEqual({ outcome: 'cancelled', reason: 'why' });
    expect(await handle.status()).toMatchObject({ isCancelRequested: true });
  });

  it('before the first write stops the run, too', async () => {
    const gate = createGate();
    const handle = create().start(async ({ signal }) => {
      await gate.pass();
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    });
    await gate.reached;
    const reader = handle.reader({ namespace: 'out' });
    await handle.cancel();
    expect(await handle.result).toMatchObject({ ok: false, error: { code: 'CANCELLED' } });
    expect(await reader.read()).toMatchObject({ ok: false, error: { code: 'CANCELLED' } });
  });

  it('of a stream of the run stops the run', async () => {
    const store = createMemoryStreamStore();
    const gate = createGate();
    const handle = create(store).start(async ({ step }) => {
      const writer = step.getWritable<number>({ namespace: 'out' });
      await writer.write(1);
      await writer.flush();
      void gate.pass();
      for (let i = 0; ; i++) {
        const written = await writer.write(i);
        if (!written.ok) return;
        await writer.flush();
      }
    });
    await gate.reached;
    await store.mark(handle.streamId('out'), { type: 'cancel', reason: 'stop' });
    expect(await handle.result).toMatchObject({ ok: false, error: { code: 'CANCELLED' } });
  });

  it('of a run that is over changes nothing', async () => {
    const handle = create().start(() => 'done');
    await handle.result;
    await handle.cancel('too late');
    expect((await handle.status()).end).toEqual({ outcome: 'completed' });
    expect(await handle.result).toEqual({ ok: true, value: 'done' });
  });

  it('of a run that nobody advances counts when somebody takes it over, before its body runs', async () => {
    const store = createMemoryStreamStore();
    const before = create(store);
    await before.define(() => forever()).start({ id: 'r' });
    await before.close();
    await cancelRun(store, 'r', 'meanwhile');
    let calls = 0;
    const after = create(store).define(() => ++calls);
    await after.recover({ watch: false });
    expect(await after.handle('r').result).toMatchObject({ ok: false, error: { code: 'CANCELLED' } });
    expect(calls).toBe(0);
  });

  it('takes back what unfinished retries had left, and keeps what the body had written', async () => {
    const store = createMemoryStreamStore();
    const gate = createGate();
    const handle = create(store).start(async ({ step }) => {
      const writer = step.getWritable<string>({ namespace: 'out' });
      await writer.write('body');
      await step(
        'a',
        async ({ attempt }) => {
          await writer.write(`a${attempt}`);
          await writer.flush();
          if (attempt === 1) throw new Error('again');
          await gate.pass();
        },
        { retry: { delayMs: 0 } },
      );
    });
    await gate.reached;
    await handle.cancel();
    await handle.result;
    expect(await rawTexts(store, handle.runId, 'out')).toEqual(['body', 'a1 (a/1)', 'below a/2', 'a2 (a/2)']);
  });

  it('cannot be swallowed by a body that ignores it', async () => {
    const gate = createGate();
    const handle = create().start(async ({ step }) => {
      await step('a', () => gate.pass()).catch(() => undefined);
      return 'went on';
    });
    await gate.reached;
    await handle.cancel();
    expect(await handle.result).toMatchObject({ ok: false, error: { code: 'CANCELLED' } });
  });
});

describe('a signal', () => {
  it('cancels the run, with its reason', async () => {
    const controller = new AbortController();
    const gate = createGate();
    const handle = create().start(
      async () => {
        await gate.pass();
      },
      { signal: controller.signal },
    );
    await gate.reached;
    controller.abort(new Error('the caller left'));
    expect(await handle.result).toMatchObject({ ok: false, error: { code: 'CANCELLED', cause: 'the caller left' } });
  });

  it('that has fired already cancels the run at once', async () => {
    let calls = 0;
    const result = await create().run(
      async ({ step }) => {
        await step('a', () => calls++);
      },
      { signal: AbortSignal.abort('no') },
    );
    expect(result).toMatchObject({ ok: false, error: { code: 'CANCELLED' } });
    expect(calls).toBe(0);
  });
});

describe('a timeout', () => {
  it('fails the run with TIMEOUT, fires its signal, and ends its streams', async () => {
    const store = createMemoryStreamStore();
    let fired = false;
    const handle = create(store).start(
      async ({ step, signal }) => {
        signal.addEventListener('abort', () => (fired = true));
        await step.getWritable({ namespace: 'out' }).write(1);
        await step('wait', () => forever());
      },
      { timeout: 30 },
    );
    expect(await handle.result).toMatchObject({ ok: false, error: { code: 'TIMEOUT' } });
    expect(fired).toBe(true);
    expect((await store.head(handle.streamId('out')))?.end).toMatchObject({
      outcome: 'failed',
      error: { code: 'TIMEOUT' },
    });
  });

  it.each([0, -1, NaN, Infinity, 2 ** 31])('may not be %d', async (timeout) => {
    const workflow = create();
    expect(() => workflow.start(() => 1, { timeout })).toThrow(/`timeout` must be/);
    expect(() => workflow.define(() => 1, { timeout })).toThrow(/`timeout` must be/);
    await expect(workflow.run(() => 1, { timeout })).rejects.toMatchObject({ argument: 'timeout' });
  });
});

describe('createWorkflow', () => {
  it.each([
    ['name', () => createWorkflow('', {}, { streamStore: createMemoryStreamStore() })],
    ['leaseMs', () => createWorkflow('w', {}, { streamStore: createMemoryStreamStore(), leaseMs: 0 })],
    ['ttlMs', () => createWorkflow('w', {}, { streamStore: createMemoryStreamStore(), ttlMs: -5 })],
    [
      'replayTimeoutMs',
      () => createWorkflow('w', {}, { streamStore: createMemoryStreamStore(), replayTimeoutMs: NaN }),
    ],
    ['streamStore', () => createWorkflow('w', {}, {} as { streamStore: StreamStore })],
  ])('refuses a bad `%s`, naming it', (argument, call) => {
    expect(call).toThrow(expect.objectContaining({ argument }));
  });

  it('refuses a body that is none', async () => {
    const workflow = create();
    const body = 5 as unknown as () => number;
    await expect(workflow.run(body)).rejects.toMatchObject({ argument: 'body' });
    expect(() => workflow.start(body)).toThrow(expect.objectContaining({ argument: 'body' }));
    expect(() => workflow.define(body)).toThrow(expect.objectContaining({ argument: 'body' }));
  });
});
