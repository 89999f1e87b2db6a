import * as actor from '@perennial/actor';
import * as bullmq from '@perennial/actor/bullmq';
import * as server from '@perennial/actor/server';
import { expect, it } from 'vitest';

it('exports these values, and no others', () => {
  expect(Object.keys(actor).toSorted()).toEqual([
    'AIError',
    'AIService',
    'Actor',
    'ActorError',
    'ActorFailedError',
    'ActorWorker',
    'DEFAULT_ADDRESS',
    'RemoteStreamingActor',
    'UnknownActorError',
    'WorkflowExecutor',
    'cancelJob',
    'collectChunks',
    'collectResult',
    'collectWithProgress',
    'createActorContext',
    'createActorRegistry',
    'createMemoryQueue',
    'createTeam',
    'defineActivity',
    'defineActor',
    'defineConfig',
    'isActorError',
    'isLastChunk',
    'isStreamingActor',
    'readChunks',
    'resolveConfig',
    'throwOnError',
    'toUpdate',
  ]);
  expect(Object.keys(bullmq)).toEqual(['createBullMessageQueue']);
  expect(Object.keys(server)).toEqual(['createActorEndpoints']);
});
