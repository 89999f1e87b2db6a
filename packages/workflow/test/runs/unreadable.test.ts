import { createMemoryStreamStore, runJournalId } from '@perennial/core';
import { expect, it } from 'vitest';

import { createWorkflow, type WorkflowEvent } from '../../src/index.ts';

it('tells of a run that recovery found and cannot take over', async () => {
  const store = createMemoryStreamStore();
  await store.create(runJournalId('odd'), { leaseMs: 60_000, token: 1, records: [{ data: '{"t":"start"' }] });
  await store.create('$open-runs/answers/odd');
  const events: WorkflowEvent[] = [];
  const { promise: told, resolve } = Promise.withResolvers<void>();
  const onEvent = (event: WorkflowEvent): void => {
    events.push(event);
    resolve();
  };
  const workflow = createWorkflow('answers', {}, { streamStore: store, onEvent });
  const answers = workflow.define(() => 'done');
  expect((await answers.recover({ watch: false })).runIds).toEqual(['odd']);
  await told;
  expect(events).toMatchObject([{ type: 'run_lost', workflow: 'answers', runId: 'odd' }]);
  await workflow.close();
});
