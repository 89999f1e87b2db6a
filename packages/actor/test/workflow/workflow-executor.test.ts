import { describe, expect, it } from 'vitest';

import {
  createActorRegistry,
  defineActivity,
  defineActor,
  type WorkflowDefinition,
  WorkflowExecutor,
  type WorkflowStreamChunk,
} from '../../src/index.ts';

const registry = createActorRegistry({
  actors: {
    analyse: defineActor(async (input: { text: string }) => ({ words: input.text.split(' ') })),
    count: defineActor(async (input: { words: string[] }) => input.words.length),
    chat: defineActor(async function* (input: unknown) {
      yield { type: 'start' };
      yield { type: 'progress', progress: { current: 1, total: 2 } };
      yield { type: 'data', data: 'tok' };
      yield { type: 'complete', data: { got: input } };
    }),
    broken: defineActor(async () => {
      throw Object.assign(new Error('no model'), { code: 'E_MODEL' });
    }),
    stuck: defineActor(async function* () {
      yield { type: 'data', data: 1 };
      await new Promise(() => {});
    }),
  },
});
const executor = new WorkflowExecutor({
  registry,
  activities: {
    sum: defineActivity({ name: 'sum', batchSize: 2, process: (batch: readonly number[]) => batch.length }),
  },
});

async function chunksOf(definition: WorkflowDefinition, input?: unknown): Promise<WorkflowStreamChunk[]> {
  const chunks: WorkflowStreamChunk[] = [];
  for await (const chunk of executor.stream(definition, input)) chunks.push(chunk);
  return chunks;
}

describe('a workflow', () => {
  it('reports actions in order, and hands results on as the definition says', async () => {
    const chunks = await chunksOf(
      {
        name: 'pipeline',
        actions: [
          { type: 'actor', actorType: 'analyse' },
          { type: 'actor', actorType: 'count', inputFrom: 'previous' },
          { type: 'actor', actorType: 'chat', streaming: true, inputFrom: 'analyse' },
          { type: 'actor', actorType: 'chat', name: 'again', input: ({ results }) => results['count'] },
        ],
      },
      { text: 'a b c' },
    );
    expect(chunks).toEqual([
      { type: 'start', workflow: 'pipeline' },
      { type: 'action-start', action: 'analyse', actionType: 'actor' },
      { type: 'action-complete', action: 'analyse', result: { words: ['a', 'b', 'c'] } },
      { type: 'action-start', action: 'count', actionType: 'actor' },
      { type: 'action-complete', action: 'count', result: 3 },
      { type: 'action-start', action: 'chat', actionType: 'actor' },
      { type: 'action-progress', action: 'chat', progress: { current: 1, total: 2 } },
      { type: 'action-data', action: 'chat', data: 'tok' },
      { type: 'action-complete', action: 'chat', result: { got: { words: ['a', 'b', 'c'] } } },
      { type: 'action-start', action: 'again', actionType: 'actor' },
      { type: 'action-complete', action: 'again', result: { got: 3 } },
      { type: 'complete' },
    ]);
  });

  it('ends with the error of the action that failed', async () => {
    const definition: WorkflowDefinition = {
      name: 'failing',
      actions: [
        { type: 'actor', actorType: 'broken' },
        { type: 'actor', actorType: 'count' },
      ],
    };
    expect((await chunksOf(definition)).at(-1)).toEqual({
      type: 'error',
      action: 'broken',
      error: { code: 'E_MODEL', message: 'no model', name: 'Error' },
    });
    await expect(executor.execute(definition)).rejects.toMatchObject({ failureCode: 'E_MODEL' });
  });

  it('runs activities, batch by batch if streaming', async () => {
    const chunks = await chunksOf(
      { name: 'batches', actions: [{ type: 'activity', activity: 'sum', streaming: true }] },
      [1, 2, 3],
    );
    expect(chunks.slice(2)).toEqual([
      { type: 'action-data', action: 'sum', data: { index: 0, count: 2, processed: 2, result: 2 } },
      { type: 'action-data', action: 'sum', data: { index: 1, count: 1, processed: 3, result: 1 } },
      { type: 'action-complete', action: 'sum', result: [2, 1] },
      { type: 'complete' },
    ]);
  });

  it('shows steps with status and result', async () => {
    const workflow = executor.workflow({ name: 'w', actions: [{ type: 'actor', actorType: 'analyse' }] });
    const updates: unknown[] = [];
    for await (const update of workflow.stream({ text: 'x' })) updates.push(update);
    expect(updates).toEqual([
      { step: 'analyse', status: 'started' },
      { step: 'analyse', status: 'completed', result: { words: ['x'] } },
    ]);
    expect(await workflow.execute({ text: 'x' })).toEqual({ analyse: { words: ['x'] } });
  });

  it('cancels the running action when the consumer leaves or the signal fires', async () => {
    const definition: WorkflowDefinition = {
      name: 'stuck',
      actions: [{ type: 'actor', actorType: 'stuck', streaming: true }],
    };
    for await (const chunk of executor.stream(definition)) if (chunk.type === 'action-data') break;

    const caller = new AbortController();
    const stream = executor.stream(definition, undefined, { signal: caller.signal });
    const loop = async (): Promise<void> => {
      for await (const chunk of stream) if (chunk.type === 'action-data') caller.abort();
    };
    await expect(loop()).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('refuses definitions that make no sense before anything runs', () => {
    const run = (actions: unknown) => () => executor.stream({ name: 'w', actions } as WorkflowDefinition);
    expect(run(7)).toThrow(/`actions` of workflow "w"/);
    expect(run([{ type: 'cron' }])).toThrow(/"actor" or "activity".*cron/);
    expect(run([{ type: 'actor', actorType: 'nobody' }])).toThrow(/"nobody"/);
    expect(run([{ type: 'activity', activity: 'toString' }])).toThrow(/no activity "toString"/);
    expect(run([{ type: 'actor', actorType: 'chat', inputFrom: 'later' }])).toThrow(/"later", which is no earlier/);
    const twice = { type: 'actor', actorType: 'chat' };
    expect(run([twice, twice])).toThrow(/Two actions.*"chat"/);
  });
});
