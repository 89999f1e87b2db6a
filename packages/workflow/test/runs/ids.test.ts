/** What the id of a run stands for: one run, its input, its result or its error. */
import { createMemoryStreamStore } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { createWorkflow, isWorkflowError, type RunContext } from '../../src/index.ts';
import { answer } from '../support/answer.ts';
import { createGate, forever } from '../support/gate.ts';

const LEASE_MS = 500;

describe('an id', () => {
  const open = (streamStore = createMemoryStreamStore(), name = 'answers') =>
    createWorkflow(name, {}, { streamStore, leaseMs: LEASE_MS });

  it('is one run, however often it is started; the first input stands', async () => {
    const calls: string[] = [];
    const answers = open().define(answer(calls));
    const handles = await Promise.all(['x', 'y', 'z'].map((input) => answers.start({ id: 'r', input })));
    for (const handle of handles) expect(await handle.result).toEqual({ ok: true, value: 'done x' });
    const late = await answers.start({ id: 'r', input: 'late' });
    expect(await late.result).toEqual({ ok: true, value: 'done x' });
    expect(calls).toEqual(['first', 'second']);
  });

  it('is one run across workflow objects', async () => {
    const store = createMemoryStreamStore();
    const calls: string[] = [];
    const gate = createGate();
    const body = async ({ step }: RunContext): Promise<number> => {
      await step('wait', () => gate.pass());
      return step('count', () => calls.push('called'));
    };
    const [one, two] = [open(store).define(body), open(store).define(body)];
    const handles = await Promise.all([one.start({ id: 'r' }), two.start({ id: 'r' })]);
    await gate.reached;
    gate.open();
    for (const handle of handles) expect(await handle.result).toEqual({ ok: true, value: 1 });
    expect(calls).toEqual(['called']);
  });

  it('of a run that is over gives its result again, of run() as of start()', async () => {
    const store = createMemoryStreamStore();
    let calls = 0;
    const run = () => open(store).run(({ step }) => step('count', () => ({ n: ++calls })), { id: 'r' });
    expect(await run()).toEqual({ ok: true, value: { n: 1 } });
    expect(await run()).toEqual({ ok: true, value: { n: 1 } });
    expect(calls).toBe(1);
  });

  it('of a run that failed gives its error again, with code, message and fields', async () => {
    const store = createMemoryStreamStore();
    const run = () =>
      open(store).run(
        ({ step }) =>
          step('pay', () => {
            throw Object.assign(new Error('declined'), { code: 'DECLINED', amount: 12 });
          }),
        { id: 'r' },
      );
    const [first, again] = [await run(), await run()];
    for (const result of [first, again]) {
      expect(!result.ok && isWorkflowError(result.error, 'STEP_FAILED')).toBe(true);
      expect(result).toMatchObject({
        ok: false,
        error: {
          name: 'WorkflowError',
          code: 'STEP_FAILED',
          message: 'Step "pay" failed in attempt 1: declined',
          step: 'pay',
          attempt: 1,
          failureCode: 'DECLINED',
          error: { message: 'declined', code: 'DECLINED', amount: 12 },
        },
      });
    }
  });

  it.each([
    ['cancelled', 'CANCELLED'],
    ['timed out', 'TIMEOUT'],
    ['threw', 'FAILED'],
  ])('of a run that %s gives that again', async (how, code) => {
    const store = createMemoryStreamStore();
    const started = createGate();
    const body = async (): Promise<void> => {
      if (how === 'threw') throw new Error('no');
      void started.pass();
      await forever();
    };
    const options = { id: 'r', ...(how === 'timed out' && { timeout: 10 }) };
    const handle = open(store).start(body, options);
    if (how === 'cancelled') {
      await started.reached;
      await handle.cancel('why');
    }
    const again = await handle.result.then(() => open(store).run(body, options));
    for (const result of [await handle.result, again]) {
      expect(!result.ok && isWorkflowError(result.error)).toBe(true);
      expect(result).toMatchObject({ ok: false, error: { code } });
    }
  });

  it('of another workflow’s run is RUN_EXISTS, and harms it in no way', async () => {
    const store = createMemoryStreamStore();
    await open(store, 'one').run(() => 1, { id: 'r' });
    const other = open(store, 'two');
    expect(await other.run(() => 2, { id: 'r' })).toMatchObject({ ok: false, error: { code: 'RUN_EXISTS' } });
    await expect(other.define(() => 2).start({ id: 'r' })).rejects.toMatchObject({ code: 'RUN_EXISTS' });
    expect(await open(store, 'one').run(() => 3, { id: 'r' })).toEqual({ ok: true, value: 1 });
  });

  it.each([
    ['empty', ''],
    ['a dot', '.'],
    ['two dots', '..'],
    ['ill-formed', '\ud800'],
    ['too long', 'x'.repeat(3_000)],
  ])('may not be %s', async (_, id) => {
    const workflow = open();
    const argument = (error: unknown): unknown =>
      error instanceof Error && 'argument' in error ? error.argument : String(error);
    const asRun = await workflow
      .run(() => 1, { id })
      .then(
        (result) => (result.ok ? 'accepted' : argument(result.error)),
        (error: unknown) => argument(error),
      );
    expect(asRun).toMatch(/^(workflowId|id)$/);
    const asStart = await workflow
      .define(() => 1)
      .start({ id })
      .then(
        () => 'was accepted',
        (error: unknown) => argument(error),
      );
    expect(asStart).toMatch(/^(workflowId|id)$/);
  });

  it('nobody has is RUN_NOT_FOUND', async () => {
    const workflow = open();
    const answers = workflow.define(() => 1);
    const handle = answers.handle('none');
    expect(await handle.result).toMatchObject({ ok: false, error: { code: 'RUN_NOT_FOUND' } });
    await expect(handle.status()).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    await expect(handle.cancel()).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    await expect(workflow.cancel('none')).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    await expect(answers.cancel('none')).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
  });

  it('takes an input that JSON can carry, and refuses others at once', async () => {
    const answers = open().define(({ input }) => input);
    await expect(answers.start({ input: 1n })).rejects.toMatchObject({ code: 'UNSERIALISABLE' });
    const input = { a: [1, null, 'ü'], at: new Date(0) };
    expect(await (await answers.start({ input })).result).toEqual({
      ok: true,
      value: { a: [1, null, 'ü'], at: '1970-01-01T00:00:00.000Z' },
    });
  });

  it('refuses a result that JSON cannot carry', async () => {
    const result = await open().run(() => 1n, { id: 'r' });
    expect(result).toMatchObject({ ok: false, error: { code: 'UNSERIALISABLE' } });
    // Without an id nobody could ask for it again.
    expect(await open().run(() => 1n)).toEqual({ ok: true, value: 1n });
  });
});
