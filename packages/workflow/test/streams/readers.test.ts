/** Readers inside a run: what they read is journalled, and a run without an id reads the stream it means. */
import {
  collect,
  createMemoryStreamStore,
  isStreamEnded,
  isStreamTimeout,
  type StreamStore,
  take,
} from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { createWorkflow, isWorkflowError, type RunContext } from '../../src/index.ts';
import { crashable } from '../support/crashable-store.ts';
import { createGate, forever } from '../support/gate.ts';

const create = (streamStore: StreamStore = createMemoryStreamStore()) =>
  createWorkflow('readers', {}, { streamStore, leaseMs: 500 });

describe('reads of the body', () => {
  it('are the same after a takeover, however the stream has grown meanwhile', async () => {
    const shared = createMemoryStreamStore();
    const source = create(shared);
    const [more, done] = [createGate(), createGate()];
    const written = source.start(
      async ({ step }) => {
        const writer = step.getWritable<string>({ namespace: 'in' });
        await writer.write('a');
        await writer.flush();
        await more.pass();
        await writer.write('b');
        await writer.flush();
        await done.pass();
      },
      { id: 'source' },
    );
    await more.reached;

    const first = crashable(shared);
    const killed = createGate();
    const seen: Record<string, unknown[]> = { first: [], second: [] };
    const define = (worker: 'first' | 'second', store: StreamStore) =>
      create(store).define(async ({ step }: RunContext) => {
        const reader = step.getReadable<string>({ namespace: 'in', runId: 'source', pollTimeout: 10 });
        const out = step.getWritable<string>({ namespace: 'out' });
        // What a read finds decides what the body writes: a replay that read more would write something else.
        for (let i = 0; i < 3; i++) {
          const read = await reader.read();
          seen[worker]?.push(read.ok ? read.value : read.error.code);
          await out.write(read.ok ? read.value : read.error.code);
        }
        await out.flush();
        if (worker === 'first') {
          await killed.pass();
          await forever();
        }
        const rest = await reader.read();
        return rest.ok ? rest.value : rest.error.code;
      });
    await define('first', first.store).start({ id: 'r' });
    await killed.reached;
    first.die();
    more.open();
    await done.reached;

    const second = define('second', shared);
    await second.recover({ watch: false });
    expect(await second.handle('r').result).toEqual({ ok: true, value: 'b' });
    expect(seen).toEqual({ first: ['a', 'TIMEOUT', 'TIMEOUT'], second: ['a', 'TIMEOUT', 'TIMEOUT'] });
    expect(await collect(second.handle('r').reader({ namespace: 'out' }))).toEqual(['a', 'TIMEOUT', 'TIMEOUT']);
    done.open();
    await written.result;
  });

  it('begin at `startIndex`, and tell the end', async () => {
    const result = await create().run(
      async ({ step }) => {
        const writer = step.getWritable<number>({ namespace: 'n' });
        for (let i = 0; i < 5; i++) await writer.write(i);
        await writer.close();
        const reader = step.getReadable<number>({ namespace: 'n', startIndex: 3 });
        const read = [await reader.read(), await reader.read()].map((item) => (item.ok ? item.value : null));
        const end = await reader.read();
        return { read, position: reader.position, end: !end.ok && isStreamEnded(end.error), readable: reader.readable };
      },
      { id: 'r' },
    );
    expect(result).toEqual({ ok: true, value: { read: [3, 4], position: 5, end: true, readable: false } });
  });

  it('wait no longer than `pollTimeout`, which is not an end', async () => {
    const result = await create().run(
      async ({ step }) => {
        const writer = step.getWritable<number>({ namespace: 'n' });
        const reader = step.getReadable<number>({ namespace: 'n', pollTimeout: 5 });
        const early = await reader.read();
        await writer.write(1);
        const later = await reader.read();
        return [!early.ok && isStreamTimeout(early.error), later.ok && later.value];
      },
      { id: 'r' },
    );
    expect(result).toEqual({ ok: true, value: [true, 1] });
  });

  it('can be mixed with writes: each own write is read back', async () => {
    const result = await create().run(
      async ({ step }) => {
        const writer = step.getWritable<number>({ namespace: 'n' });
        const reader = step.getReadable<number>({ namespace: 'n' });
        const seen: unknown[] = [];
        for (let i = 0; i < 5; i++) {
          await writer.write(i);
          const read = await reader.read();
          seen.push(read.ok && read.value);
        }
        return seen;
      },
      { id: 'r' },
    );
    expect(result).toEqual({ ok: true, value: [0, 1, 2, 3, 4] });
  });

  it('tell of a run that there is not', async () => {
    const result = await create().run(
      async ({ step }) => {
        const read = await step.getReadable({ runId: 'none', namespace: 'n' }).read();
        return read.ok ? null : read.error.code;
      },
      { id: 'r' },
    );
    expect(result).toEqual({ ok: true, value: 'NOT_FOUND' });
  });

  it('stop when the run is cancelled', async () => {
    const workflow = create();
    const reading = createGate();
    const handle = workflow.start(
      async ({ step }) => {
        await step.getWritable({ namespace: 'n' }).write(1);
        const reader = step.getReadable({ namespace: 'n' });
        await reader.read();
        void reading.pass();
        await reader.read();
      },
      { id: 'r' },
    );
    await reading.reached;
    await handle.cancel('enough');
    expect(await handle.result).toMatchObject({ ok: false, error: { code: 'CANCELLED' } });
  });
});

describe('a run without an id', () => {
  const write = (workflow: ReturnType<typeof create>, value: string, until?: Promise<void>) =>
    workflow.start(async ({ step }) => {
      const writer = step.getWritable<string>({ namespace: 'out' });
      await writer.write(value);
      await writer.flush();
      await until;
      await writer.close();
    });
  const read = (workflow: ReturnType<typeof create>) =>
    workflow.run(async ({ step, runId }) => {
      const reader = step.getReadable<string>({ namespace: 'out' });
      const values = await collect(reader);
      return { values, isOwn: reader.streamId.includes(runId), streamId: reader.streamId };
    });

  it('reads the latest run that opened the namespace, and says so', async () => {
    const workflow = create();
    await write(workflow, 'first').result;
    const latest = write(workflow, 'second');
    await latest.result;
    expect(await read(workflow)).toEqual({
      ok: true,
      value: { values: ['second'], isOwn: false, streamId: latest.streamId('out') },
    });
  });

  it('waits for one', async () => {
    const workflow = create();
    const reading = read(workflow);
    await write(workflow, 'later').result;
    expect(await reading).toMatchObject({ ok: true, value: { values: ['later'] } });
  });

  it('reads its own stream once it has opened it', async () => {
    const workflow = create();
    await write(workflow, 'other').result;
    const result = await workflow.run(async ({ step }) => {
      const writer = step.getWritable<string>({ namespace: 'out' });
      await writer.write('own');
      await writer.close();
      return collect(step.getReadable<string>({ namespace: 'out' }));
    });
    expect(result).toEqual({ ok: true, value: ['own'] });
  });

  it('reads the one that is open rather than one that is over', async () => {
    const workflow = create();
    const gate = createGate();
    const open = write(workflow, 'open', gate.pass());
    await collectFirst(open);
    await write(workflow, 'over').result;
    const reading = read(workflow);
    gate.open();
    expect(await reading).toMatchObject({ ok: true, value: { values: ['open'] } });
  });

  it('reports AMBIGUOUS_STREAM, with the ids, when several have it open', async () => {
    const workflow = create();
    const gate = createGate();
    const open = [write(workflow, 'one', gate.pass()), write(workflow, 'two', gate.pass())];
    await Promise.all(open.map(collectFirst));
    const result = await workflow.run(async ({ step }) => {
      const found = await step.getReadable({ namespace: 'out' }).read();
      const cause = found.ok ? null : found.error.cause;
      return isWorkflowError(cause, 'AMBIGUOUS_STREAM') ? cause.message : found;
    });
    expect(result).toMatchObject({ ok: true, value: expect.stringContaining('getReadable({ runId })') });
    for (const { runId } of open) expect(result).toMatchObject({ value: expect.stringContaining(runId) });
    gate.open();
    await Promise.all(open.map(({ result }) => result));
  });

  it('reads a run by its id when told to', async () => {
    const workflow = create();
    const one = write(workflow, 'one');
    await write(workflow, 'two').result;
    await one.result;
    const result = await workflow.run(({ step }) =>
      collect(step.getReadable<string>({ namespace: 'out', runId: one.runId })),
    );
    expect(result).toEqual({ ok: true, value: ['one'] });
  });

  async function collectFirst(handle: ReturnType<typeof write>): Promise<void> {
    await handle.reader({ namespace: 'out' }).read();
  }
});

describe('reads of a step', () => {
  it('see what other steps and the body write', async () => {
    const result = await create().run(
      async ({ step }) => {
        const writer = step.getWritable<string>({ namespace: 'n' });
        const reading = step('read', () => collect(take(step.getReadable<string>({ namespace: 'n' }), 2)));
        await writer.write('body');
        await step('write', () => void writer.write('step'));
        return reading;
      },
      { id: 'r' },
    );
    expect(result).toEqual({ ok: true, value: ['body', 'step'] });
  });
});
