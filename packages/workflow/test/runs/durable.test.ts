/** Runs that outlive the worker that began them: taken over after a crash, recovered at boot. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { collect, createMemoryStreamStore, type StreamStore } from '@perennial/core';
import { createFileStreamStore } from '@perennial/store-file';
import { createFaultyStore } from '@perennial/testing';
import { describe, expect, it, onTestFinished } from 'vitest';

import { createWorkflow, type RunContext } from '../../src/index.ts';
import { answer } from '../support/answer.ts';
import { crashable } from '../support/crashable-store.ts';
import { createGate, forever } from '../support/gate.ts';

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

  it('a handle can be read, asked and cancelled from its first moment', async () => {
    const world = await (worlds[name] as () => Promise<World>)();
    const workflow = createWorkflow('answers', {}, { streamStore: await world.open() });
    const body = async ({ step }: RunContext): Promise<void> => {
      await step.getWritable({ namespace: 'out' }).write('first');
      await forever();
    };
    const [run, same] = [workflow.start(body, { id: 'r' }), workflow.start(body, { id: 'r' })];
    const reads = [run, same].map((handle) => handle.reader({ namespace: 'out' }).read());
    const states = [run, same].map((handle) => handle.status());
    for (const read of reads) expect(await read).toMatchObject({ ok: true, value: 'first' });
    for (const state of states) expect(await state).toMatchObject({ runId: 'r', end: null });
    const other = workflow.start(body, { id: 'other' });
    await other.cancel('at once');
    expect(await other.result).toMatchObject({ ok: false, error: { code: 'CANCELLED' } });
    await run.cancel();
    await workflow.close();
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
