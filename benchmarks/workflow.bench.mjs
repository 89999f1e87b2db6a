/**
 * What a run costs beside the least that does the same work: a write from its body and from a step, a step, and the recovery of 1,000
 * open runs. Against a bare append loop on the same store and, when PostgreSQL is on PATH, against DBOS on it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createMemoryStreamStore, runJournalId } from '@perennial/core';
import { createFileStreamStore } from '@perennial/store-file';
import { createWorkflow } from '@perennial/workflow';

import { startPostgres } from './lib/postgres.mjs';
import { compare } from './lib/rounds.mjs';

const token = { type: 'text-delta', delta: 'some token text' };
let runs = 0;

/** Runs a body once, as a durable run with a fresh id. */
async function inRun(streamStore, body) {
  const workflow = createWorkflow('bench', {}, { streamStore, leaseMs: 60_000 });
  const result = await workflow.run(body, { id: `run-${runs++}` });
  if (!result.ok) throw result.error;
  return result.value;
}

/** The ways of writing `count` values one by one; `flush`: each is durable before the next. */
const writes = (store, count, { flush }) => {
  const writeAll = async (writer) => {
    for (let i = 0; i < count; i++) {
      await writer.write(token);
      if (flush) await writer.flush();
    }
    return count;
  };
  return {
    'bare loop: store.append': async () => {
      const id = `bare-${runs++}`;
      await store.create(id);
      for (let i = 0; i < count; i++)
        await store.append(id, { segments: [{ records: [{ data: JSON.stringify(token) }] }] });
      return count;
    },
    'write from the body': () => inRun(store, ({ step }) => writeAll(step.getWritable())),
    'write from a step': () => inRun(store, ({ step }) => step('write', ({ writable }) => writeAll(writable()))),
  };
};

const steps = (store, count) => ({
  'bare loop: store.append': writes(store, count, { flush: true })['bare loop: store.append'],
  'await step(…)': () =>
    inRun(store, async ({ step }) => {
      for (let i = 0; i < count; i++) await step('count', () => i);
      return count;
    }),
});

const memory = () => createMemoryStreamStore();
await compare('Write one by one, memory store', writes(memory(), 10_000, { flush: false }), { unit: 'write' });
await compare('Write and flush one by one, memory store', writes(memory(), 5_000, { flush: true }), { unit: 'write' });
await compare('Steps that do nothing, memory store', steps(memory(), 2_000), { unit: 'step' });

const folder = await mkdtemp(join(tmpdir(), 'perennial-bench-'));
const file = createFileStreamStore({ directory: join(folder, 'streams') });
try {
  const wall = { rounds: 5, wall: true };
  await compare('Write one by one, file store', writes(file, 1_000, { flush: false }), { ...wall, unit: 'write' });
  await compare('Write and flush one by one, file store', writes(file, 200, { flush: true }), {
    ...wall,
    unit: 'write',
  });
  await compare('Steps that do nothing, file store', steps(file, 200), { ...wall, unit: 'step' });
  await compareRecovery(1_000);
  await compareWithDbos(100);
} finally {
  await file.close();
  await rm(folder, { recursive: true, force: true });
}

/** Recovery of open runs, to their ends, against a loop that only reads their journals. */
async function compareRecovery(count) {
  const ids = Array.from({ length: count }, (_, i) => `pending-${i}`);
  const names = new Map();
  const pending = async (name) => {
    const store = createMemoryStreamStore();
    let begun = 0;
    const first = createWorkflow(name, {}, { streamStore: store, leaseMs: 60_000 });
    await new Promise((resolve) => {
      const definition = first.define(async ({ step }) => {
        await step('first', ({ writable }) => writable().write(token));
        if (++begun === count) resolve();
        await new Promise(() => {});
      });
      for (const id of ids) void definition.start({ id });
    });
    await first.close();
    return store;
  };
  // Each measurement needs runs that are still open; making them is not measured.
  const rounds = 6;
  for (const name of ['read', 'recover'])
    names.set(name, await Promise.all(Array.from({ length: rounds }, () => pending(name))));
  await compare(
    `Recover ${count} open runs, memory store`,
    {
      'bare loop: read and parse each journal': async () => {
        const store = names.get('read').pop();
        for (const id of ids) {
          const { records } = await store.read(runJournalId(id), { from: 0 });
          for (const { data } of records) JSON.parse(data);
        }
        return count;
      },
      'recover() until every run has ended': async () => {
        const second = createWorkflow('recover', {}, { streamStore: names.get('recover').pop(), leaseMs: 60_000 });
        const definition = second.define(({ step }) => step('first', () => {}));
        await definition.recover({ watch: false });
        await Promise.all(ids.map((id) => definition.handle(id).result));
        return count;
      },
    },
    { rounds: rounds - 1, unit: 'run' },
  );
}

/** The same durable work on DBOS: both sides have each write on the disk before the next. */
async function compareWithDbos(count) {
  const server = await startPostgres();
  if (!server) {
    console.log('PostgreSQL is not on PATH: DBOS is left out.\n');
    return;
  }
  const { DBOS } = await import('@dbos-inc/dbos-sdk');
  try {
    DBOS.setConfig({ name: 'bench', systemDatabaseUrl: server.url, logLevel: 'error', runAdminServer: false });
    const writeAll = async () => {
      for (let i = 0; i < count; i++) await DBOS.writeStream('tokens', token);
      return count;
    };
    const fromBody = DBOS.registerWorkflow(writeAll, { name: 'fromBody' });
    const fromStep = DBOS.registerWorkflow(() => DBOS.runStep(writeAll, { name: 'write' }), { name: 'fromStep' });
    const onlySteps = DBOS.registerWorkflow(
      async () => {
        for (let i = 0; i < count; i++) await DBOS.runStep(async () => i, { name: 'count' });
        return count;
      },
      { name: 'onlySteps' },
    );
    await DBOS.launch();
    const options = { rounds: 5, wall: true };
    const ours = writes(file, count, { flush: true });
    console.log(`DBOS on ${server.version}, default settings, over loopback\n`);
    await compare(
      'Durable write from the body',
      { 'DBOS.writeStream, PostgreSQL': () => fromBody(), 'write and flush, file store': ours['write from the body'] },
      { ...options, unit: 'write' },
    );
    await compare(
      'Durable write from a step',
      { 'DBOS.writeStream, PostgreSQL': () => fromStep(), 'write and flush, file store': ours['write from a step'] },
      { ...options, unit: 'write' },
    );
    await compare(
      'Durable step',
      {
        'DBOS.runStep, PostgreSQL': () => onlySteps(),
        'await step(…), file store': steps(file, count)['await step(…)'],
      },
      { ...options, unit: 'step' },
    );
  } finally {
    await DBOS.shutdown();
    await server.stop();
  }
}
