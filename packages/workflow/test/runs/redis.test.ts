/** Two workers on two connections to one Redis: one advances a run, the other takes over when the first is lost. */
import { collect, runJournalId, type StreamStore } from '@perennial/core';
import { type RedisServer, startRedis } from '@perennial/redis-server';
import { createRedisStreamStore } from '@perennial/store-redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { createWorkflow, type RunContext, type WorkflowEvent } from '../../src/index.ts';
import { crashable } from '../support/crashable-store.ts';
import { createGate, forever, type Gate } from '../support/gate.ts';
import { rawTexts } from '../support/records.ts';

const LEASE_MS = 600;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
}, 60_000);
afterAll(() => server.stop());

let prefix: string;
beforeEach(() => {
  prefix = crypto.randomUUID();
});

function connect(): StreamStore {
  const store = createRedisStreamStore({ url: server.url, prefix, onWarning: () => undefined });
  onTestFinished(() => store.close());
  return store;
}

function worker(
  streamStore: StreamStore,
  body: (context: RunContext) => unknown,
  onEvent?: (event: WorkflowEvent) => void,
) {
  const workflow = createWorkflow('shared', {}, { streamStore, leaseMs: LEASE_MS, ...(onEvent && { onEvent }) });
  return { workflow, runs: workflow.define(body) };
}

/** Writes from the body and from a step, and waits at the gate in the middle of the step's first attempt. */
const body =
  (name: string, calls: string[], gate?: Gate) =>
  async ({ step }: RunContext): Promise<string> => {
    const out = step.getWritable<string>({ namespace: 'out' });
    await out.write('begin');
    await step('once', () => calls.push(`once by ${name}`));
    await step('tokens', async ({ attempt }) => {
      calls.push(`tokens by ${name}`);
      for (const token of ['a', 'b', 'c']) {
        await out.write(`${token}${attempt}`);
        await out.flush();
        if (gate && token === 'b') await gate.pass();
      }
    });
    await out.write('end');
    return name;
  };

describe('two workers on Redis', () => {
  it('advance a run once: the second one waits while the first lives, longer than its lease', async () => {
    const calls: string[] = [];
    const gate = createGate();
    const first = worker(connect(), body('first', calls, gate));
    const second = worker(connect(), body('second', calls));
    const handle = await first.runs.start({ id: 'r' });
    await gate.reached;
    await second.runs.recover({ watch: false });
    const started = await second.runs.start({ id: 'r' });
    // Two and a half leases, seen on the journal itself: renewals are what keeps the second worker waiting.
    const observer = connect();
    const beatOf = async (): Promise<number> => (await observer.head(runJournalId('r')))?.lease?.beat ?? 0;
    const from = await beatOf();
    await expect.poll(beatOf, { timeout: 15_000 }).toBeGreaterThan(from + 7);
    gate.open();
    expect(await handle.result).toEqual({ ok: true, value: 'first' });
    expect(await started.result).toEqual({ ok: true, value: 'first' });
    expect(calls).toEqual(['once by first', 'tokens by first']);
    expect((await handle.status()).takeovers).toBe(0);
  });

  it('take over when the lease lapses; a reader sees the run go on, each token once', async () => {
    const calls: string[] = [];
    const gate = createGate();
    const lost = crashable(connect());
    const events: string[] = [];
    const first = worker(lost.store, body('first', calls, gate));
    const second = worker(connect(), body('second', calls), ({ type }) => events.push(type));
    await first.runs.start({ id: 'r' });
    await gate.reached;
    lost.freeze();
    const reader = second.runs.handle('r').reader<string>({ namespace: 'out', onSupersede: () => undefined });
    await second.runs.recover({ watch: false });
    expect(await second.runs.handle('r').result).toEqual({ ok: true, value: 'second' });
    expect(calls).toEqual(['once by first', 'tokens by first', 'tokens by second']);
    expect(await collect(second.runs.handle('r').reader({ namespace: 'out' }))).toEqual([
      'begin',
      'a2',
      'b2',
      'c2',
      'end',
    ]);
    expect(events[0]).toBe('run_resumed');
    expect(await collect(reader)).toEqual(['begin', 'a2', 'b2', 'c2', 'end']);
  });

  it('refuse a zombie: the worker that was presumed dead writes nothing and learns it', async () => {
    const calls: string[] = [];
    const [gate, woken] = [createGate(), createGate()];
    // The store of the first worker answers nothing while it is paused, and everything afterwards.
    const paused = pausable(connect(), woken);
    const lostEvents: string[] = [];
    const first = worker(paused.store, body('first', calls, gate), ({ type }) => lostEvents.push(type));
    const second = worker(connect(), body('second', calls));
    const handle = await first.runs.start({ id: 'r' });
    await gate.reached;
    paused.pause();
    await second.runs.recover({ watch: false });
    expect(await second.runs.handle('r').result).toEqual({ ok: true, value: 'second' });
    const raw = await rawTexts(connect(), 'r', 'out');
    // The zombie wakes up in the middle of its step and goes on writing.
    gate.open();
    woken.open();
    // It is told how the run ended, by the journal.
    expect(await handle.result).toEqual({ ok: true, value: 'second' });
    expect(lostEvents).toContain('run_lost');
    expect(await rawTexts(connect(), 'r', 'out')).toEqual(raw);
    expect((await handle.status()).takeovers).toBe(1);
  });

  it('hand over at once when one is closed', async () => {
    const first = createWorkflow('shared', {}, { streamStore: connect(), leaseMs: 3_600_000 });
    const gate = createGate();
    await first
      .define(async () => {
        await gate.pass();
        await forever();
      })
      .start({ id: 'r' });
    await gate.reached;
    await first.close();
    const second = createWorkflow('shared', {}, { streamStore: connect(), leaseMs: 3_600_000 }).define(() => 'done');
    await second.recover({ watch: false });
    expect(await second.handle('r').result).toEqual({ ok: true, value: 'done' });
  });

  it('cancel each other’s runs', async () => {
    const gate = createGate();
    const first = worker(connect(), async ({ signal }) => {
      await gate.pass();
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    });
    const handle = await first.runs.start({ id: 'r' });
    await gate.reached;
    await worker(connect(), () => 1).workflow.cancel('r', 'by the other');
    expect(await handle.result).toMatchObject({ ok: false, error: { code: 'CANCELLED', cause: 'by the other' } });
  });
});

/** A store whose calls, while it is paused, wait until the gate is open. */
function pausable(store: StreamStore, gate: Gate): { store: StreamStore; pause(): void } {
  let isPaused = false;
  const wrapped = new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]): Promise<unknown> => {
        if (isPaused) await gate.pass();
        return Reflect.apply(value, target, args);
      };
    },
  });
  return { store: wrapped, pause: () => (isPaused = true) };
}
