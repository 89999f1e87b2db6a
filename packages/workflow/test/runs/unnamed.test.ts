/** Runs without an id: nobody can go on with one whose worker is gone, so it ends for whoever waits for it. */
import { collect, createMemoryStreamStore, getStreamReader, runJournalId, type StreamStore } from '@perennial/core';
import { expect, test } from 'vitest';

import { createWorkflow, type Workflow } from '../../src/index.ts';
import { crashable } from '../support/crashable-store.ts';
import { createGate } from '../support/gate.ts';

const LOST = { code: 'FAILED', failureCode: 'PRODUCER_LOST' };

/** A run that has written `a`, and would go on for ever. */
async function begin(workflow: Workflow<unknown>, id?: string): Promise<string> {
  const written = createGate();
  const { runId, result } = workflow.start(
    async ({ step }) => {
      const out = step.getWritable<string>({ namespace: 'out' });
      await out.write('a');
      await out.flush();
      await written.pass();
    },
    id === undefined ? {} : { id },
  );
  void result;
  await written.reached;
  return runId;
}

const read = (store: StreamStore, workflowId: string, namespace = 'out') =>
  getStreamReader<string>({ store, workflowId, namespace });

test('a run whose worker is gone ends for its readers, also for those of what it never opened', async () => {
  const store = createMemoryStreamStore();
  const worker = crashable(store);
  const runId = await begin(createWorkflow('lost', {}, { streamStore: worker.store, leaseMs: 40 }));
  worker.freeze();
  const reader = read(store, runId);
  expect(await reader.read()).toEqual({ ok: true, value: 'a' });
  expect(await reader.read()).toMatchObject({ ok: false, error: { failureCode: 'PRODUCER_LOST' } });
  await expect(collect(read(store, runId, 'never'))).rejects.toMatchObject(LOST);
  expect(await store.head(runJournalId(runId))).toMatchObject({ end: { error: { code: 'PRODUCER_LOST' } } });
});

test('a run ends at once when its workflow is closed', async () => {
  const store = createMemoryStreamStore();
  const workflow = createWorkflow('closed', {}, { streamStore: store, leaseMs: 600_000 });
  const runId = await begin(workflow);
  const reader = read(store, runId);
  await reader.read();
  const end = reader.read();
  await workflow.close();
  expect(await end).toMatchObject({ ok: false, error: { failureCode: 'PRODUCER_LOST' } });
});

test('the journal and the streams of a run with an id wait for the next worker, whoever reads them', async () => {
  const store = createMemoryStreamStore();
  const worker = crashable(store);
  const runId = await begin(createWorkflow('kept', {}, { streamStore: worker.store, leaseMs: 40 }), 'kept');
  worker.freeze();
  const journal = getStreamReader({ store, streamId: runJournalId(runId), pollTimeout: 200 });
  for (let more = true; more;) more = (await journal.read()).ok;
  expect(await store.head(runJournalId(runId))).toMatchObject({ end: null });
  const next = createWorkflow('kept', {}, { streamStore: store, leaseMs: 40 });
  const result = next.run(
    async ({ step }) => {
      const out = step.getWritable<string>({ namespace: 'out' });
      await out.write('a');
      await out.close();
      return 'done';
    },
    { id: runId },
  );
  expect(await collect(read(store, runId))).toEqual(['a']);
  expect(await result).toEqual({ ok: true, value: 'done' });
  await next.close();
});
