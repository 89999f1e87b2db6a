/** Runs that outlive the worker that began them: one run per id, taken over after a crash, recovered at boot. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { collect, createMemoryStreamStore, type StreamStore } from '@perennial/core';
import { createFileStreamStore } from '@perennial/store-file';
import { createFaultyStore } from '@perennial/testing';
import { describe, expect, it, onTestFinished } from 'vitest';

import { createWorkflow, isWorkflowError, type RunContext } from '../../src/index.ts';
import { crashable } from '../support/crashable-store.ts';
import { createGate, forever, type Gate } from '../support/gate.ts';

const LEASE_MS = 500;

interface World {
  /** Opens the store again, as a process that starts does. */
  open(): Promise<StreamStore>;
}

const worlds: Record<string, () => Promise<World>> = {
  memory: async () => {
    const store = createMemoryStreamStore();
    return { open: async () => store };
  },
  file: async () => {
    const directory = await mkdtemp(join(tmpdir(), 'perennial-runs-'));
    const opened: StreamStore[] = [];
    onTestFinished(async () => {
      for (const store of opened) await store.close();
      await rm(directory, { recursive: true, force: true });
    });
    return {
      async open() {
        await opened.at(-1)?.close();
        const store = createFileStreamStore({ directory });
        opened.push(store);
        return store;
      },
    };
  },
};

/** Writes three values from the body and from steps; `gate` is where its first worker is stopped. */
function answer(calls: string[], gate?: Gate) {
  return async ({ step, input }: RunContext<unknown, string>): Promise<string> => {
    const out = step.getWritable<string>({ namespace: 'out' });
    await out.write(`body ${input}`);
    const first = await step('first', async () => {
      calls.push('first');
      await out.write('first');
      return calls.length;
    });
    if (gate) {
      await gate.pass();
      await forever();
    }
    await step('second', async () => {
      calls.push('second');
      await out.write('second');
    });
    await out.write(`last ${first}`);
    return `done ${input}`;
  };
}

describe.each(Object.keys(worlds))('on the %s store', (name) => {
  it('a run that lost its worker goes on in another one, repeating nothing', async () => {
    const world = await (worlds[name] as () => Promise<World>)();
    const calls: string[] = [];
    const gate = createGate();
    const before = createWorkflow('answers', {}, { streamStore: await world.open(), leaseMs: LEASE_MS });
    const first = before.define(answer(calls, gate));
    const handle = await first.start({ id: 'r', input: 'x' });
    await gate.reached;
    await before.close();
    expect(await handle.result).toMatchObject({ ok: false, error: { code: 'CLOSED' } });

    const streamStore = await world.open();
    const after = createWorkflow('answers', {}, { streamStore, leaseMs: LEASE_MS });
    const second = after.define(answer(calls));
    expect(await second.recover({ watch: false })).toEqual({ runIds: ['r'] });
    const recovered = second.handle('r');
    expect(await recovered.result).toEqual({ ok: true, value: 'done x' });
    expect(calls).toEqual(['first', 'second']);
    expect(await collect(recovered.reader({ namespace: 'out' }))).toEqual(['body x', 'first', 'second', 'last 1']);
    expect(await recovered.status()).toEqual({
      runId: 'r',
      end: { outcome: 'completed' },
      isCancelRequested: false,
      takeovers: 1,
    });
    await after.close();
  });

  it('an unclean death is survived, too', async () => {
    const world = await (worlds[name] as () => Promise<World>)();
    const shared = await world.open();
    const worker = crashable(shared);
    const calls: string[] = [];
    const gate = createGate();
    await createWorkflow('answers', {}, { streamStore: worker.store, leaseMs: LEASE_MS })
      .define(answer(calls, gate))
      .start({ id: 'r', input: 'x' });
    await gate.reached;
    // Nothing is told to anybody: the lease has to lapse.
    worker.freeze();
    const second = createWorkflow('answers', {}, { streamStore: shared, leaseMs: LEASE_MS }).define(answer(calls));
    await second.recover({ watch: false });
    expect(await second.handle('r').result).toEqual({ ok: true, value: 'done x' });
    expect(calls).toEqual(['first', 'second']);
  });

  it('a step that was under way is repeated under the next number, and its writes stand once', async () => {
    const world = await (worlds[name] as () => Promise<World>)();
    const shared = await world.open();
    const worker = crashable(shared);
    const gate = createGate();
    const define = (streamStore: StreamStore, isFirst: boolean) =>
      createWorkflow('answers', {}, { streamStore, leaseMs: LEASE_MS }).define(({ step }) =>
        step('generate', async ({ writable, attempt }) => {
          const out = writable<string>({ namespace: 'out' });
          for (const token of ['a', 'b', 'c']) {
            await out.write(`${token}${attempt}`);
            await out.flush();
            if (isFirst && token === 'b') {
              await gate.pass();
              await forever();
            }
          }
          return attempt;
        }),
      );
    await define(worker.store, true).start({ id: 'r' });
    await gate.reached;
    worker.die();
    const second = define(shared, false);
    await second.recover({ watch: false });
    expect(await second.handle('r').result).toEqual({ ok: true, value: 2 });
    expect(await collect(second.handle('r').reader({ namespace: 'out' }))).toEqual(['a2', 'b2', 'c2']);
    expect(await collect(second.handle('r').reader({ namespace: 'out', view: 'raw' }))).toEqual([
      'a1',
      'b1',
      'a2',
      'b2',
      'c2',
    ]);
  });
});

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

describe('recover', () => {
  const open = (streamStore: StreamStore) => createWorkflow('answers', {}, { streamStore, leaseMs: LEASE_MS });

  it('finds open runs through the index, without looking at any other stream', async () => {
    const store = createMemoryStreamStore();
    for (let i = 0; i < 30; i++)
      await (
        await open(store)
          .define(() => i)
          .start({ id: `over ${i}` })
      ).result;
    const stopped = open(store);
    const waiting = stopped.define(() => forever());
    for (const id of ['a', 'b / ü']) await waiting.start({ id });
    await stopped.close();

    const watched = createFaultyStore(store);
    const prefixes: string[] = [];
    const spied = new Proxy(watched, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (key !== 'list' || typeof value !== 'function') return value;
        return (options: { prefix: string }): unknown => {
          prefixes.push(options.prefix);
          return Reflect.apply(value, target, [options]);
        };
      },
    });
    const after = open(spied);
    const recovered = await after.define(() => 'done').recover({ watch: false });
    expect(recovered.runIds.toSorted()).toEqual(['a', 'b / ü']);
    expect(prefixes).toEqual(['$open-runs/answers/']);
    const answers = after.define(() => 'done');
    for (const id of recovered.runIds) expect(await answers.handle(id).result).toEqual({ ok: true, value: 'done' });
    // Two open runs: a look at each journal, and none at the 30 that are over.
    expect(watched.calls('list')).toBe(1);
    expect(
      await open(store)
        .define(() => 1)
        .recover({ watch: false }),
    ).toEqual({ runIds: [] });
  });

  it('leaves the runs of other workflows alone', async () => {
    const store = createMemoryStreamStore();
    const one = createWorkflow('one', {}, { streamStore: store });
    await one.define(() => forever()).start({ id: 'r' });
    await one.close();
    const two = createWorkflow('two', {}, { streamStore: store });
    expect(await two.define(() => 1).recover({ watch: false })).toEqual({ runIds: [] });
  });

  it('leaves a run alone that another worker of the process advances', async () => {
    const store = createMemoryStreamStore();
    const gate = createGate();
    const body = async ({ step }: RunContext): Promise<string> => {
      await step('wait', () => gate.pass());
      return 'done';
    };
    const handle = await open(store).define(body).start({ id: 'r' });
    await gate.reached;
    const standby = open(store).define(body);
    expect(await standby.recover({ watch: false })).toEqual({ runIds: ['r'] });
    gate.open();
    expect(await handle.result).toEqual({ ok: true, value: 'done' });
    expect((await handle.status()).takeovers).toBe(0);
  });

  it('watching, takes over what loses its worker later', async () => {
    const shared = createMemoryStreamStore();
    const worker = crashable(shared);
    const gate = createGate();
    const second = createWorkflow('answers', {}, { streamStore: shared, leaseMs: 100 });
    const answers = second.define(() => 'taken over');
    expect(await answers.recover()).toEqual({ runIds: [] });
    await createWorkflow('answers', {}, { streamStore: worker.store, leaseMs: 100 })
      .define(async () => {
        await gate.pass();
        await forever();
      })
      .start({ id: 'r' });
    await gate.reached;
    worker.die();
    expect(await answers.handle('r').result).toEqual({ ok: true, value: 'taken over' });
    await second.close();
  });
});

describe('close', () => {
  it('hands runs over at once, though their lease is long', async () => {
    const store = createMemoryStreamStore();
    const options = { streamStore: store, leaseMs: 3_600_000 };
    const before = createWorkflow('answers', {}, options);
    const gate = createGate();
    await before
      .define(async () => {
        await gate.pass();
        await forever();
      })
      .start({ id: 'r' });
    await gate.reached;
    await before.close();
    await before.close();
    const answers = createWorkflow('answers', {}, options).define(() => 'done');
    await answers.recover({ watch: false });
    expect(await answers.handle('r').result).toEqual({ ok: true, value: 'done' });
  });

  it('refuses what comes after', async () => {
    const workflow = createWorkflow('answers', {}, { streamStore: createMemoryStreamStore() });
    await workflow.close();
    expect(await workflow.run(() => 1)).toMatchObject({ ok: false, error: { code: 'CLOSED' } });
  });
});
