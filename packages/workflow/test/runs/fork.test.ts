/** A fork has exactly what its origin had when the body called a step, and goes on from there by itself. */
import { collect, createMemoryStreamStore } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { createWorkflow, type RunContext } from '../../src/index.ts';
import { createGate } from '../support/gate.ts';
import { rawTexts } from '../support/records.ts';

function world(body: (context: RunContext<{ version: number }, string>) => unknown) {
  const streamStore = createMemoryStreamStore();
  const at = (version: number) => createWorkflow('fork', { version }, { streamStore, leaseMs: 500 }).define(body);
  return { streamStore, first: at(1), second: at(2) };
}

describe('fork', () => {
  it('copies exactly the records before the step, and calls only what comes from there on', async () => {
    const calls: string[] = [];
    const { streamStore, first, second } = world(async ({ step, deps, input }) => {
      const out = step.getWritable<string>({ namespace: 'out' });
      const later = step.getWritable<string>({ namespace: 'later' });
      for (const name of ['one', 'two', 'three']) {
        await out.write(`before ${name}`);
        await step(name, async () => {
          calls.push(`${name} v${deps.version}`);
          await out.write(`${name} v${deps.version}`);
        });
        if (name === 'two') await later.write('behind two');
      }
      return `${input} v${deps.version}`;
    });
    await (
      await first.start({ id: 'a', input: 'in' })
    ).result;
    const fork = await second.fork('a', { fromStep: 'two', id: 'b' });
    expect(await fork.result).toEqual({ ok: true, value: 'in v2' });
    expect(calls).toEqual(['one v1', 'two v1', 'three v1', 'two v2', 'three v2']);
    expect(await rawTexts(streamStore, 'b', 'out')).toEqual([
      'before one',
      'one v1 (one/1)',
      'before two',
      'two v2 (two/1)',
      'before three',
      'three v2 (three/1)',
    ]);
    expect(await rawTexts(streamStore, 'b', 'later')).toEqual(['behind two']);
    expect(await rawTexts(streamStore, 'a', 'out')).toEqual([
      'before one',
      'one v1 (one/1)',
      'before two',
      'two v1 (two/1)',
      'before three',
      'three v1 (three/1)',
    ]);
  });

  it('leaves out what parallel steps wrote whose result the body had not got, and earlier attempts', async () => {
    const gate = createGate();
    let isOrigin = true;
    const { streamStore, first, second } = world(async ({ step }) => {
      const out = step.getWritable<string>({ namespace: 'out' });
      const slow = step('slow', async ({ attempt }) => {
        await out.write(`slow ${attempt}`);
        await out.flush();
        if (isOrigin) await gate.pass();
      });
      await step(
        'flaky',
        async ({ attempt }) => {
          await out.write(`flaky ${attempt}`);
          await out.flush();
          if (attempt === 1) throw new Error('again');
        },
        { retry: { delayMs: 0 } },
      );
      await out.write('body');
      await step('here', () => 1);
      gate.open();
      await slow;
      await out.write('last');
    });
    await (
      await first.start({ id: 'a' })
    ).result;
    isOrigin = false;
    const raw = await rawTexts(streamStore, 'a', 'out');
    expect(raw).toContain('slow 1 (slow/1)');
    expect(raw).toContain('flaky 1 (flaky/1)');
    const fork = await second.fork('a', { fromStep: 'here', id: 'b' });
    expect((await fork.result).ok).toBe(true);
    const forked = await rawTexts(streamStore, 'b', 'out');
    // What the body had when it called `here`, then what the fork did itself.
    expect(forked.slice(0, 2)).toEqual(['flaky 2 (flaky/2)', 'body']);
    expect(forked.toSorted()).toEqual(['body', 'flaky 2 (flaky/2)', 'last', 'slow 1 (slow/1)']);
    expect(await collect(fork.reader<string>({ namespace: 'out', startIndex: 3 }))).toEqual(['last']);
  });

  it('of a run that failed goes on from the step that failed', async () => {
    const { first, second } = world(async ({ step, deps }) => {
      const prepared = await step('prepare', () => `prepared by v${deps.version}`);
      return step('publish', () => {
        if (deps.version === 1) throw new Error('bug');
        return `${prepared}, published by v${deps.version}`;
      });
    });
    expect((await (await first.start({ id: 'a' })).result).ok).toBe(false);
    const fork = await second.fork('a', { fromStep: 'publish' });
    expect(fork.runId).not.toBe('a');
    expect(await fork.result).toEqual({ ok: true, value: 'prepared by v1, published by v2' });
  });

  it('twice under one id is one run', async () => {
    let calls = 0;
    const { first, second } = world(async ({ step }) => {
      await step('one', () => 1);
      return step('two', () => ++calls);
    });
    await (
      await first.start({ id: 'a' })
    ).result;
    const forks = await Promise.all([1, 2].map(() => second.fork('a', { fromStep: 'two', id: 'b' })));
    const late = await second.fork('a', { fromStep: 'two', id: 'b' });
    for (const fork of [...forks, late]) expect(await fork.result).toEqual({ ok: true, value: 2 });
  });

  it('refuses a run or a step that there is not, and a run of another workflow', async () => {
    const { streamStore, first } = world(({ step }) => step('one', () => 1));
    await (
      await first.start({ id: 'a' })
    ).result;
    await expect(first.fork('none', { fromStep: 'one' })).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    await expect(first.fork('a', { fromStep: 'two' })).rejects.toMatchObject({ code: 'STEP_NOT_FOUND' });
    const other = createWorkflow('other', {}, { streamStore }).define(() => 1);
    await expect(other.fork('a', { fromStep: 'one' })).rejects.toMatchObject({ code: 'RUN_EXISTS' });
    await (
      await other.start({ id: 'mine' })
    ).result;
    await expect(first.fork('a', { fromStep: 'one', id: 'mine' })).rejects.toMatchObject({ code: 'RUN_EXISTS' });
  });
});
