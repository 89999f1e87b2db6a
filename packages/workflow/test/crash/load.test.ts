/** Many runs at once, many writes without a reader, and many runs to recover. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createMemoryStreamStore, runStreamId, type StreamStore } from '@perennial/core';
import { sharedRedis } from '@perennial/redis-server';
import { createFileStreamStore } from '@perennial/store-file';
import { createRedisStreamStore } from '@perennial/store-redis';
import { describe, expect, it, onTestFinished } from 'vitest';

import { createWorkflow } from '../../src/index.ts';
import { readLog } from './matrix/inspect-run.ts';

const RUNS = 200;
const WRITES = 20;

const stores: Readonly<Record<string, () => Promise<StreamStore>>> = {
  async file() {
    const directory = await mkdtemp(join(tmpdir(), 'perennial-load-'));
    const store = createFileStreamStore({ directory });
    onTestFinished(async () => {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    });
    return store;
  },
  async redis() {
    const { url, stop } = await sharedRedis();
    const store = createRedisStreamStore({ url, prefix: `load:${crypto.randomUUID()}`, onWarning: () => undefined });
    onTestFinished(async () => {
      await store.close();
      await stop();
    });
    return store;
  },
};

/** Runs of {@link WRITES} writes, half of them from a step. */
function counting(streamStore: StreamStore) {
  return createWorkflow('counting', {}, { streamStore, leaseMs: 60_000 }).define(async ({ step, input }) => {
    const writer = step.getWritable({ namespace: 'numbers' });
    for (let n = 0; n < WRITES / 2; n++) await writer.write([input, n]);
    await step('rest', async () => {
      for (let n = WRITES / 2; n < WRITES; n++) await writer.write([input, n]);
    });
    await writer.close();
    return input;
  });
}

describe.each(Object.entries(stores))('on %s', (_name, open) => {
  it(`${RUNS} runs at once in one process write their own streams`, { timeout: 300_000 }, async () => {
    const store = await open();
    const definition = counting(store);
    const handles = await Promise.all(
      Array.from({ length: RUNS }, (_, run) => definition.start({ id: `r${run}`, input: run })),
    );
    const results = await Promise.all(handles.map(({ result }) => result));
    expect(results).toEqual(Array.from({ length: RUNS }, (_, run) => ({ ok: true, value: run })));
    const logs = await Promise.all(handles.map(({ runId }) => readLog(store, runStreamId(runId, 'numbers'))));
    const numbers = Array.from({ length: WRITES }, (_, n) => n);
    logs.forEach(({ records, head }, run) => {
      const values = records.map((record) => record.kind === 'data' && (JSON.parse(String(record.data)) as unknown));
      expect(values).toEqual(numbers.map((n) => [run, n]));
      expect(head.end).toEqual({ outcome: 'completed' });
    });
  });
});

it('10,000 writes, from the body and from a step, never wait for a reader', { timeout: 300_000 }, async () => {
  const store = createMemoryStreamStore();
  const result = await createWorkflow('unread', {}, { streamStore: store }).run(
    async ({ step }) => {
      const writer = step.getWritable<number>({ namespace: 'numbers', highWaterMark: 16 });
      for (let n = 0; n < 5_000; n++) await writer.write(n);
      await step('rest', async () => {
        for (let n = 5_000; n < 10_000; n++) await writer.write(n);
      });
    },
    { id: 'r' },
  );
  expect(result.ok).toBe(true);
  const { records } = await readLog(store, runStreamId('r', 'numbers'));
  expect(records.map((record) => record.kind === 'data' && Number(record.data))).toEqual(
    Array.from({ length: 10_000 }, (_, n) => n),
  );
});

it('1,000 runs that were left open are recovered by one call', { timeout: 300_000 }, async () => {
  const store = createMemoryStreamStore();
  const ids = Array.from({ length: 1_000 }, (_, n) => `r${n}`);
  const allBegun = Promise.withResolvers<void>();
  let begun = 0;
  const pending = (afterFirst: () => Promise<void>) => {
    const workflow = createWorkflow('pending', {}, { streamStore: store });
    const definition = workflow.define(async ({ step, runId }) => {
      const writer = step.getWritable({ namespace: 'numbers' });
      await writer.write(1);
      await writer.flush();
      await afterFirst();
      await writer.write(2);
      return runId;
    });
    return { workflow, definition };
  };
  const first = pending(() => {
    if (++begun === ids.length) allBegun.resolve();
    return new Promise(() => undefined);
  });
  await Promise.all(ids.map((id) => first.definition.start({ id })));
  await allBegun.promise;
  await first.workflow.close();

  const second = pending(async () => undefined);
  const { runIds } = await second.definition.recover({ watch: false });
  expect(runIds.toSorted()).toEqual(ids.toSorted());
  const results = await Promise.all(ids.map((id) => second.definition.handle(id).result));
  expect(results).toEqual(ids.map((value) => ({ ok: true, value })));
  for (const id of ids) {
    const { records } = await readLog(store, runStreamId(id, 'numbers'));
    expect(records.map((record) => record.kind === 'data' && record.data)).toEqual(['1', '2']);
  }
  await second.workflow.close();
});
