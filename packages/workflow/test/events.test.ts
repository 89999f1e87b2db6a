/** What a run tells of itself, and what it does not tell again. */
import { createMemoryStreamStore } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { createWorkflow, type WorkflowEvent } from '../src/index.ts';
import { crashable } from './support/crashable-store.ts';
import { createGate, forever } from './support/gate.ts';

/** An event as a short text. */
function told(event: WorkflowEvent): string {
  switch (event.type) {
    case 'run_started':
      return event.type;
    case 'run_resumed':
      return `${event.type} ${event.takeover}`;
    case 'run_ended':
      return `${event.type} ${event.end.outcome}`;
    case 'run_lost':
      return event.type;
    case 'step_started':
    case 'step_completed':
    case 'step_failed':
      return `${event.type} ${event.step}/${event.attempt}`;
    case 'step_retrying':
      return `${event.type} ${event.step}/${event.attempt} in ${event.delayMs}`;
    case 'stream_created':
      return `${event.type} ${event.namespace}`;
    case 'stream_write':
      return `${event.type} ${event.namespace}@${event.position}${event.step === undefined ? '' : ` ${event.step}/${event.attempt}`}`;
    case 'stream_read':
      return `${event.type} ${event.namespace}@${event.position}`;
    case 'stream_superseded':
      return `${event.type} ${event.namespace} ${event.step}/${event.belowAttempt}`;
    case 'stream_close':
      return `${event.type} ${event.namespace}@${event.position} ${event.end.outcome}`;
  }
}

describe('events', () => {
  it('tell a run from its start to its end', async () => {
    const events: WorkflowEvent[] = [];
    const streamStore = createMemoryStreamStore();
    const workflow = createWorkflow('events', {}, { streamStore, onEvent: (event) => events.push(event) });
    const { runId, result } = workflow.start(async ({ step }) => {
      const writer = step.getWritable<string>({ namespace: 'out' });
      await writer.write('body');
      await writer.flush();
      await step(
        'a',
        async ({ attempt }) => {
          await writer.write(`a${attempt}`);
          await writer.flush();
          if (attempt === 1) throw new Error('again');
        },
        { retry: { delayMs: 0 } },
      );
      await writer.close();
      await step.getReadable({ namespace: 'out' }).read();
    });
    await result;
    expect(events.map(told)).toEqual([
      'run_started',
      'stream_write out@0',
      'stream_created out',
      'step_started a/1',
      'stream_write out@1 a/1',
      'step_retrying a/1 in 0',
      'stream_superseded out a/2',
      'step_started a/2',
      'stream_write out@3 a/2',
      'step_completed a/2',
      'stream_close out@4 completed',
      'stream_read out@4',
      'run_ended completed',
    ]);
    expect(events.every((event) => event.workflow === 'events' && event.runId === runId)).toBe(true);
  });

  it('of what a replay repeats are not told again', async () => {
    const shared = createMemoryStreamStore();
    const first = crashable(shared);
    const gate = createGate();
    const events: Record<string, string[]> = { first: [], second: [] };
    const define = (worker: 'first' | 'second', streamStore = shared) =>
      createWorkflow(
        'events',
        {},
        { streamStore, leaseMs: 500, onEvent: (event) => events[worker]?.push(told(event)) },
      ).define(async ({ step }) => {
        const writer = step.getWritable<string>({ namespace: 'out' });
        await writer.write('body');
        await step('a', () => void writer.write('a'));
        if (worker === 'first') {
          await gate.pass();
          await forever();
        }
        await writer.write('more');
      });
    const handle = await define('first', first.store).start({ id: 'r' });
    await gate.reached;
    first.die();
    expect((await handle.result).ok).toBe(false);
    const second = define('second');
    await second.recover({ watch: false });
    await second.handle('r').result;
    expect(events.first?.at(-1)).toBe('run_lost');
    expect(events.second).toEqual([
      'run_resumed 1',
      'stream_write out@2',
      'stream_close out@3 completed',
      'run_ended completed',
    ]);
  });

  it('tell of a step that gave up', async () => {
    const events: string[] = [];
    const workflow = createWorkflow(
      'events',
      {},
      { streamStore: createMemoryStreamStore(), onEvent: (event) => events.push(told(event)) },
    );
    await workflow.run(({ step }) => step('a', () => Promise.reject(new Error('no'))));
    expect(events).toEqual(['run_started', 'step_started a/1', 'step_failed a/1', 'run_ended failed']);
  });

  it('do no harm when the listener throws', async () => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    const workflow = createWorkflow(
      'events',
      {},
      {
        streamStore: createMemoryStreamStore(),
        onEvent: () => {
          throw new Error('the listener broke');
        },
      },
    );
    expect(await workflow.run(({ step }) => step('a', () => 1))).toEqual({ ok: true, value: 1 });
    expect((await warned).message).toContain('the listener broke');
  });
});
