/**
 * Streaming output, example by example, as an application writes it: use cases, transports, consumers, producers, integrations.
 * Consumers iterate and look at `chunk.type`; nothing here knows the package's internals.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { createMemoryStreamStore, type StreamChunk } from '@perennial/core';
import { type RedisServer, startRedis } from '@perennial/redis-server';
import { createRedisStreamStore, RedisStreamConsumer, RedisStreamPublisher } from '@perennial/store-redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

import { createBullMessageQueue } from '../../src/bullmq/index.ts';
import {
  Actor,
  type ActorContext,
  ActorWorker,
  AIService,
  collectChunks,
  createActorContext,
  createActorRegistry,
  createTeam,
  defineActivity,
  defineActor,
  RemoteStreamingActor,
  WorkflowExecutor,
} from '../../src/index.ts';
import { createActorEndpoints } from '../../src/server/index.ts';
import { eventsOf } from '../support/endpoint-rig.ts';
import { type FakeEndpoint, sendTokens, startEndpoint } from '../support/fake-endpoint.ts';

const STORY = ['Once', ' upon', ' a', ' time'];
let endpoint: FakeEndpoint;
let redis: RedisServer;
let ai: AIService;
let context: ActorContext;
beforeAll(async () => {
  redis = await startRedis();
  endpoint = await startEndpoint((response) => sendTokens(response, STORY));
  ai = new AIService({ model: 'test-1', baseUrl: endpoint.baseUrl });
  context = createActorContext({ ai });
}, 120_000);
afterAll(async () => {
  await endpoint.close();
  await redis.stop();
});

/** What the examples print. */
const printed: unknown[] = [];
const print = (...values: readonly unknown[]): void => void printed.push(values.length === 1 ? values[0] : values);
afterEach(() => void printed.splice(0));

/** The chat actor of the guide: yields plain chunks, without a type annotation. */
class ChatActor extends Actor {
  override async *stream(input: { prompt: string }, context: ActorContext) {
    yield { type: 'start', data: { message: 'Starting generation...' } };

    // Stream tokens from AI
    let fullResponse = '';
    for await (const token of context.ai.streamCompletion(input.prompt)) {
      fullResponse += token;
      yield {
        type: 'data',
        data: { token, fullResponse },
      };
    }

    yield {
      type: 'complete',
      data: { fullResponse },
    };
  }
}

/** An actor that only executes. */
class LengthActor extends Actor {
  override async execute(input: string): Promise<number> {
    return input.length;
  }
}

class MyStreamingActor extends Actor {
  override async *stream() {
    // 1. Start notification
    yield { type: 'start' };

    // 2. Progress updates
    for (let i = 0; i < 10; i++) {
      await Promise.resolve(i);
      yield {
        type: 'progress',
        progress: { current: i + 1, total: 10 },
      };
    }

    // 3. Partial data
    yield { type: 'data', data: 'partial' };

    // 4. Complete
    yield { type: 'complete', data: 'final' };
  }
}

const registry = () =>
  createActorRegistry({
    ai,
    actors: { 'chat-agent': new ChatActor(), length: new LengthActor(), mine: new MyStreamingActor() },
  });

describe('use cases', () => {
  it('an agent streams tokens', async () => {
    const aiAgent = ai;
    for await (const token of aiAgent.stream('Write a story')) {
      print(token);
    }
    expect(printed).toEqual(STORY);
  });

  it('a workflow streams the progress of its steps', async () => {
    const executor = new WorkflowExecutor({ registry: registry() });
    const workflow = executor.workflow({ name: 'report', actions: [{ type: 'actor', actorType: 'length' }] });
    for await (const update of workflow.stream('four')) {
      print(update.step, update.status, update.result);
    }
    expect(printed).toEqual([
      ['length', 'started', undefined],
      ['length', 'completed', 4],
    ]);
  });

  it('an activity processes a large dataset in batches', async () => {
    const largeDataset = Array.from({ length: 250 }, (_, index) => index);
    const activity = defineActivity({ name: 'process', process: (batch: readonly number[]) => batch.length });
    for await (const batch of activity.stream(largeDataset)) {
      print(`Processed batch: ${batch.count} items`);
    }
    expect(printed).toEqual(['Processed batch: 100 items', 'Processed batch: 100 items', 'Processed batch: 50 items']);
  });

  it('several agents contribute to one result', async () => {
    const says = (text: string) => defineActor(async () => text);
    const team = createTeam({
      members: {
        Researcher: says('Found 3 sources...'),
        Analyst: { actor: says('Analyzing data...'), after: ['Researcher'] },
        Writer: { actor: says('Drafting report...'), after: ['Analyst'] },
      },
    });
    for await (const contribution of team.stream('report')) {
      print(`${contribution.actor}: ${String(contribution.output)}`);
    }
    expect(printed).toEqual([
      'Researcher: Found 3 sources...',
      'Analyst: Analyzing data...',
      'Writer: Drafting report...',
    ]);
  });
});

describe('transports', () => {
  it('async generators, with values of any shape', async () => {
    class StreamingActor extends Actor {
      override async *stream(input: number): AsyncGenerator<never, void, unknown> {
        const chunk = (value: unknown): never => value as never;
        yield chunk({ status: 'started' });
        const step1 = await Promise.resolve(input + 1);
        yield chunk({ step: 1, result: step1 });
        yield chunk({ status: 'complete', final: step1 });
      }
    }
    const actor: Actor = new StreamingActor();
    for await (const chunk of actor.stream(1)) {
      print(chunk.data);
    }
    expect(printed).toEqual([
      { status: 'started' },
      { step: 1, result: 2 },
      { status: 'complete', final: 2 },
      undefined,
    ]);
  });

  it('server-sent events from a route of your own', async () => {
    const actors = registry();
    const route = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
      res.setHeader('Content-Type', 'text/event-stream');
      res.setHeader('Cache-Control', 'no-cache');
      res.setHeader('Connection', 'keep-alive');
      const actor = actors.get(String(req.url?.split('/')[2]));
      // Stream events
      for await (const chunk of actor.stream({ prompt: 'Write a story' })) {
        res.write(`data: ${JSON.stringify(chunk)}\n\n`);
      }
      res.end();
    };
    const server = createServer((req, res) => void route(req, res));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const text = await (await fetch(`http://127.0.0.1:${port}/actor/chat-agent/stream`)).text();
    const chunks = text
      .split('\n\n')
      .flatMap((block) => (block === '' ? [] : [JSON.parse(block.slice(6)) as StreamChunk]));
    expect(chunks.map(({ type }) => type)).toEqual(['start', 'data', 'data', 'data', 'data', 'complete']);
  });

  it('server-sent events and a WebSocket from the endpoints', async () => {
    const endpoints = createActorEndpoints({ registry: registry(), store: createMemoryStreamStore() });
    const server = createServer((request, response) => void endpoints.handleRequest(request, response));
    server.on('upgrade', (request, socket, head) => void endpoints.handleUpgrade(request, socket, head));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(async () => {
      await endpoints.close();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const input = { prompt: 'Write a story' };

    const response = await fetch(`http://127.0.0.1:${port}/actor/chat-agent/stream`, {
      method: 'POST',
      body: JSON.stringify(input),
    });
    const types: unknown[] = [];
    for await (const { data } of eventsOf(response)) types.push((data as StreamChunk).type);
    expect(types).toEqual(['start', 'data', 'data', 'data', 'data', 'complete']);

    const ws = new WebSocket(`ws://127.0.0.1:${port}/actor/chat-agent/stream`);
    await once(ws, 'open');
    // Send input
    ws.send(JSON.stringify({ action: 'start', input }));
    // Receive stream
    ws.onmessage = (event) => {
      const chunk = JSON.parse(event.data as string) as StreamChunk;
      print(chunk.type);
      // Can cancel
      if (chunk.type === 'start') ws.send(JSON.stringify({ action: 'cancel' }));
    };
    await once(ws, 'close');
    expect(printed[0]).toBe('started');
    expect(['complete', 'error']).toContain(printed.at(-1));
  });

  it('a stream in Redis, published and consumed', async () => {
    const client = new Redis(redis.url);
    onTestFinished(() => client.disconnect());
    const publisher = new RedisStreamPublisher(client, 'actor-123');
    const actor = registry().get('chat-agent');
    for await (const chunk of actor.stream({ prompt: 'Write a story' })) {
      await publisher.publish(chunk);
    }
    await publisher.complete();
    const consumer = new RedisStreamConsumer(client);
    for await (const chunk of consumer.read('actor-123')) print(chunk.type);
    expect(printed).toEqual(['start', 'data', 'data', 'data', 'data', 'complete']);
  });

  it('a remote actor on a queue, like a local one', async () => {
    const store = createRedisStreamStore({ url: redis.url, prefix: 'remote', onWarning: () => {} });
    const messageQueue = createBullMessageQueue({ url: redis.url, prefix: 'remote-queue' });
    const worker = new ActorWorker({ queue: messageQueue, store, registry: registry() });
    worker.start();
    onTestFinished(async () => {
      await worker.close();
      await messageQueue.close();
      await store.close();
    });
    const local = registry().get('chat-agent');
    const remote = new RemoteStreamingActor({ queue: messageQueue, store, actorType: 'chat-agent' });
    const input = { prompt: 'Write a story' };
    expect(await collectChunks(remote.stream(input))).toEqual(await collectChunks(local.stream(input)));
  });
});

describe('phase by phase', () => {
  it('an actor without a stream of its own streams its result', async () => {
    const actor: Actor = new LengthActor();
    for await (const chunk of actor.stream('four')) print(chunk);
    expect(printed).toEqual([{ type: 'complete', data: 4 }]);
  });

  it('the chat actor streams tokens', async () => {
    const chatActor = new ChatActor();
    for await (const chunk of chatActor.stream({ prompt: 'Write a story' }, context)) {
      if (chunk.type === 'data') {
        print(chunk.data.token);
      }
    }
    expect(printed).toEqual(STORY);
    expect(await chatActor.execute({ prompt: 'Write a story' }, context)).toEqual({ fullResponse: STORY.join('') });
  });

  it('the executor reports the actions', async () => {
    const executor = new WorkflowExecutor({ registry: registry() });
    const definition = {
      name: 'chat',
      actions: [{ type: 'actor', actorType: 'chat-agent', streaming: true }],
    } as const;
    for await (const update of executor.stream(definition, { prompt: 'Write a story' })) print(update);
    const action = 'chat-agent';
    let fullResponse = '';
    expect(printed).toEqual([
      { type: 'start', workflow: 'chat' },
      { type: 'action-start', action, actionType: 'actor' },
      ...STORY.map((token) => ({
        type: 'action-data',
        action,
        data: { token, fullResponse: (fullResponse += token) },
      })),
      { type: 'action-complete', action, result: { fullResponse } },
      { type: 'complete' },
    ]);
  });

  it('the service completes and streams', async () => {
    const tokens: string[] = [];
    for await (const token of ai.streamCompletion('Write a story')) tokens.push(token);
    expect(tokens).toEqual(STORY);
  });
});

describe('consumers', () => {
  const input = { prompt: 'Write a story' };

  it('iterate', async () => {
    const actor = registry().get('mine');
    for await (const chunk of actor.stream(input)) {
      print(chunk.type);
    }
    expect(printed).toEqual(['start', ...Array.from({ length: 10 }, () => 'progress'), 'data', 'complete']);
  });

  it('handle errors that are reported, and errors that are thrown', async () => {
    const reports = defineActor(async function* () {
      yield { type: 'error', error: new Error('reported') };
    });
    const throws = defineActor(async () => {
      throw new Error('thrown');
    });
    for (const actor of [reports, throws] as readonly Actor[]) {
      try {
        for await (const chunk of actor.stream(input)) {
          if (chunk.type === 'error') {
            print(chunk.error);
            break;
          }
          print(chunk.data);
        }
      } catch (error) {
        print('Stream failed:', error);
      }
    }
    expect(printed).toEqual([
      { code: 'Error', message: 'reported', name: 'Error' },
      ['Stream failed:', new Error('thrown')],
    ]);
  });

  it('collect all chunks', async () => {
    const actor = registry().get('mine');
    const chunks: StreamChunk[] = [];
    for await (const chunk of actor.stream(input)) {
      chunks.push(chunk);
    }
    expect(chunks).toHaveLength(13);
  });

  it('follow the progress', async () => {
    async function processWithProgress(actor: Actor, input: unknown): Promise<void> {
      for await (const chunk of actor.stream(input)) {
        if (chunk.type === 'progress') {
          print(chunk.progress);
        } else if (chunk.type === 'data') {
          print(chunk.data);
        }
      }
    }
    await processWithProgress(new MyStreamingActor(), input);
    expect(printed).toHaveLength(11);
    expect(printed[9]).toEqual({ current: 10, total: 10 });
    expect(printed[10]).toBe('partial');
  });
});
