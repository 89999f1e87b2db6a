/** A body that does something else than before is found out: the run fails as NONDETERMINISTIC and nothing is appended. */
import { createMemoryStreamStore, type StreamStore } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { createWorkflow, type RunContext } from '../../src/index.ts';
import { crashable } from '../support/crashable-store.ts';
import { createGate, forever } from '../support/gate.ts';
import { rawTexts } from '../support/records.ts';

type Body = (context: RunContext) => Promise<unknown>;

const define = (streamStore: StreamStore, body: Body) =>
  createWorkflow('replay', {}, { streamStore, leaseMs: 500, replayTimeoutMs: 200 }).define(body);

/** Runs `first` until its worker dies behind it, then `second` in its place. */
async function replay(first: Body, second: Body) {
  const shared = createMemoryStreamStore();
  const worker = crashable(shared);
  const gate = createGate();
  await define(worker.store, async (context) => {
    await first(context);
    await context.step.getWritable({ namespace: 'out' }).flush();
    await gate.pass();
    await forever();
  }).start({ id: 'r' });
  await gate.reached;
  worker.die();
  const before = await rawTexts(shared, 'r', 'out');
  const again = define(shared, second);
  await again.recover({ watch: false });
  const handle = again.handle('r');
  const result = await handle.result;
  return { result, before, after: await rawTexts(shared, 'r', 'out'), end: (await handle.status()).end };
}

const out = ({ step }: RunContext) => step.getWritable({ namespace: 'out' });

const original: Body = async (context) => {
  await out(context).write('one');
  await context.step('a', () => 'A');
  await out(context).write({ n: 1 });
  await context.step('b', () => 'B');
};

const changed: Record<string, Body> = {
  'another value': async (context) => {
    await out(context).write('another');
    await context.step('a', () => 'A');
  },
  'another value behind a step': async (context) => {
    await out(context).write('one');
    await context.step('a', () => 'A');
    await out(context).write({ n: 2 });
    await context.step('b', () => 'B');
  },
  'a close instead of a write': async (context) => {
    await out(context).write('one');
    await context.step('a', () => 'A');
    await out(context).close();
    await context.step('b', () => 'B');
  },
  'another step': async (context) => {
    await out(context).write('one');
    await context.step('renamed', () => 'A');
    await out(context).write({ n: 1 });
    await context.step('b', () => 'B');
  },
  'no such step any more': async (context) => {
    await out(context).write('one');
    await out(context).write({ n: 1 });
    await context.step('b', () => 'B');
  },
};

describe('NONDETERMINISTIC', () => {
  it.each(Object.keys(changed))('is the end of a run whose body does %s', async (name) => {
    const { result, before, after, end } = await replay(original, changed[name] as Body);
    expect(result).toMatchObject({ ok: false, error: { code: 'NONDETERMINISTIC' } });
    expect(end).toMatchObject({ outcome: 'failed', error: { code: 'NONDETERMINISTIC' } });
    expect(before).toEqual(['one', '[object Object]']);
    expect(after).toEqual(before);
  });

  it('names the stream and both values', async () => {
    const { result } = await replay(original, changed['another value'] as Body);
    const message = result.ok ? '' : (result.error as Error).message;
    expect(message).toContain('stream "out" was "another"; before it was "one"');
  });

  it('names the step that was not called', async () => {
    const { result } = await replay(original, changed['no such step any more'] as Body);
    expect(result.ok ? '' : (result.error as Error).message).toContain('"a"');
  });

  it.each(['returns', 'throws'])(
    'is the end of a run whose body %s before it has repeated what it did',
    async (how) => {
      const { result, before, after } = await replay(original, async (context) => {
        await out(context).write('one');
        if (how === 'throws') throw new Error('changed my mind');
        return 'done early';
      });
      expect(result).toMatchObject({ ok: false, error: { code: 'NONDETERMINISTIC' } });
      expect(after).toEqual(before);
    },
  );
});

describe('a replay', () => {
  it('of a body that does the same goes on behind it', async () => {
    const { result, after } = await replay(original, async (context) => {
      await original(context);
      await out(context).write('more');
      return 'done';
    });
    expect(result).toEqual({ ok: true, value: 'done' });
    expect(after).toEqual(['one', '[object Object]', 'more']);
  });

  it('resolves parallel steps in the order in which they had finished', async () => {
    const gates = { slow: createGate(), fast: createGate() };
    const orders: string[][] = [];
    const body =
      (isFirst: boolean): Body =>
      async (context) => {
        const order: string[] = [];
        const branch = async (name: 'slow' | 'fast'): Promise<void> => {
          await context.step(name, () => gates[name].pass());
          order.push(name);
          await out(context).write(name);
        };
        const both = Promise.all([branch('slow'), branch('fast')]);
        if (isFirst) {
          await Promise.all([gates.slow.reached, gates.fast.reached]);
          gates.fast.open();
          while (order.length === 0) await new Promise((resolve) => setImmediate(resolve));
          gates.slow.open();
        }
        await both;
        orders.push(order);
        return order;
      };
    const { result, after } = await replay(body(true), body(false));
    expect(result).toEqual({ ok: true, value: ['fast', 'slow'] });
    expect(after).toEqual(['fast', 'slow']);
    expect(orders).toEqual([
      ['fast', 'slow'],
      ['fast', 'slow'],
    ]);
  });

  it('gives a failed step’s error again', async () => {
    let calls = 0;
    const body: Body = async (context) => {
      await context
        .step('a', () => {
          calls++;
          throw Object.assign(new Error('no'), { code: 'NOPE' });
        })
        .catch((error: unknown) => out(context).write(String(error)));
      await out(context).write('caught');
    };
    const { result, after } = await replay(body, async (context) => {
      await body(context);
      return calls;
    });
    expect(result).toEqual({ ok: true, value: 1 });
    expect(after).toEqual(['WorkflowError: Step "a" failed in attempt 1: no', 'caught']);
  });
});
