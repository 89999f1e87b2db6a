import { createMemoryStreamStore, type StreamChunk } from '@perennial/core';
import { describe, expect, test } from 'vitest';

import { RedisStreamConsumer, RedisStreamPublisher } from '../../src/index.ts';
import { singleServer } from '../support/single-server.ts';
import { freshPrefix } from '../support/targets.ts';

const redis = singleServer();

/** A publisher, and a consumer as in another process. */
function pair(streamId = 's'): { readonly publisher: RedisStreamPublisher; readonly consumer: RedisStreamConsumer } {
  const prefix = freshPrefix();
  return {
    publisher: new RedisStreamPublisher(redis.open({ prefix }), streamId),
    consumer: new RedisStreamConsumer(redis.open({ prefix })),
  };
}

async function collect(chunks: AsyncIterable<StreamChunk>): Promise<readonly StreamChunk[]> {
  const all: StreamChunk[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

describe('publishing and consuming', () => {
  test('chunks of every kind arrive as they were published, live', async () => {
    const { publisher, consumer } = pair();
    await publisher.open();
    const consumed = collect(consumer.read('s'));
    const chunks: readonly StreamChunk[] = [
      { type: 'start', data: { message: 'Starting' } },
      { type: 'progress', progress: { current: 1, total: 10, message: 'one' } },
      { type: 'data', data: { token: 'Hi', fullResponse: 'Hi' } },
      { type: 'complete', data: { fullResponse: 'Hi' } },
    ];
    for (const chunk of chunks) await publisher.publish(chunk);
    expect(await consumed).toEqual(chunks);
    expect(await collect(consumer.read('s', { from: 2 }))).toEqual(chunks.slice(2));
  });

  test('falsy payloads survive', async () => {
    const { publisher, consumer } = pair();
    for (const data of [0, '', false, null, undefined]) await publisher.publish({ type: 'data', data });
    await publisher.complete(0);
    const chunks = await collect(consumer.read('s'));
    expect(chunks.map(({ data }) => data)).toEqual([0, '', false, null, undefined, 0]);
    expect(chunks.at(-1)?.type).toBe('complete');
  });

  test('an error keeps its code, name and message, and fails the stream', async () => {
    const { publisher, consumer } = pair();
    await publisher.publish({ type: 'data', data: 1 });
    await publisher.publish({ type: 'error', error: Object.assign(new TypeError('no model'), { code: 'NO_MODEL' }) });
    expect(await collect(consumer.read('s'))).toEqual([
      { type: 'data', data: 1 },
      { type: 'error', error: { code: 'NO_MODEL', message: 'no model', name: 'TypeError' } },
    ]);
  });

  test('the loop of an actor worker runs as it stands', async () => {
    const { publisher, consumer } = pair();
    async function* stream(): AsyncGenerator<StreamChunk> {
      yield { type: 'start' };
      yield { type: 'data', data: 'x' };
      yield { type: 'complete' };
    }
    try {
      for await (const chunk of stream()) await publisher.publish(chunk);
      await publisher.complete();
    } catch (error) {
      await publisher.publish({ type: 'error', error });
    }
    expect((await collect(consumer.read('s'))).map(({ type }) => type)).toEqual(['start', 'data', 'complete']);
    await expect(publisher.publish({ type: 'data', data: 1 })).rejects.toMatchObject({ code: 'CLOSED' });
    await publisher.fail(new Error('too late'));
  });

  test('data that JSON cannot carry is refused, and the stream goes on', async () => {
    const { publisher, consumer } = pair();
    await expect(publisher.publish({ type: 'data', data: 1n })).rejects.toMatchObject({ code: 'UNSERIALISABLE' });
    await publisher.publish({ type: 'data', data: 'fine' });
    await publisher.flush();
    await publisher.complete();
    expect(await collect(consumer.read('s'))).toHaveLength(2);
  });
});

describe('endings', () => {
  test('a missing stream is a typed error, unless the consumer creates it', async () => {
    const { publisher, consumer } = pair();
    await expect(collect(consumer.read('s'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const early = collect(consumer.read('s', { create: true }));
    await publisher.publish({ type: 'data', data: 1 });
    await publisher.complete();
    expect(await early).toHaveLength(2);
  });

  test('a publisher that died is an error chunk', async () => {
    const prefix = freshPrefix();
    const dying = redis.open({ prefix });
    const publisher = new RedisStreamPublisher(dying, 's', { leaseMs: 60 });
    await publisher.publish({ type: 'data', data: 1 });
    await publisher.flush();
    await dying.close();
    const chunks = await collect(new RedisStreamConsumer(redis.open({ prefix })).read('s'));
    expect(chunks).toEqual([
      { type: 'data', data: 1 },
      { type: 'error', error: { code: 'PRODUCER_LOST', message: expect.any(String) } },
    ]);
  });

  test('a consumer can be aborted, and can leave', async () => {
    const { publisher, consumer } = pair();
    await publisher.open();
    const controller = new AbortController();
    const consumed = collect(consumer.read('s', { signal: controller.signal }));
    controller.abort();
    await expect(consumed).rejects.toMatchObject({ code: 'ABORTED' });
    await publisher.publish({ type: 'data', data: 1 });
    const iterator = consumer.read('s');
    expect(await iterator.next()).toEqual({ done: false, value: { type: 'data', data: 1 } });
    const pending = iterator.next();
    await iterator.return?.();
    await expect(pending).rejects.toMatchObject({ code: 'READER_CLOSED' });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    await publisher.complete();
  });

  test('a cancel request reaches the publisher', async () => {
    const store = redis.open();
    const publisher = new RedisStreamPublisher(store, 's');
    await publisher.open();
    const fired = new Promise((resolve) => {
      publisher.signal.addEventListener('abort', resolve, { once: true });
    });
    await store.mark('s', { type: 'cancel', reason: 'stop' });
    await fired;
    expect(publisher.signal.reason).toMatchObject({ code: 'CANCELLED' });
    await publisher.complete();
  });

  test('a record that is no chunk is reported', async () => {
    const store = createMemoryStreamStore();
    await store.create('s', { records: [{ data: '{"type":"other"}' }] });
    await expect(collect(new RedisStreamConsumer(store).read('s'))).rejects.toMatchObject({ code: 'CORRUPT' });
  });

  test('a bad position is refused at once', () => {
    const { consumer } = pair();
    expect(() => consumer.read('s', { from: -1 })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('with a client', () => {
  test('all share one store, which is closed with its last use; ended streams get a ttl', async () => {
    const clients = async (): Promise<number> =>
      String(await redis.admin.client('LIST'))
        .trim()
        .split('\n').length;
    await expect.poll(clients).toBe(1);
    const prefix = freshPrefix();
    const publishers = Array.from(
      { length: 20 },
      (_, n) => new RedisStreamPublisher(redis.admin, `s/${n}`, { prefix }),
    );
    const consumer = new RedisStreamConsumer<string>(redis.admin, { prefix });
    const consumed = publishers.map(({ streamId }) => collect(consumer.read(streamId, { create: true })));
    await Promise.all(publishers.map((publisher) => publisher.publish({ type: 'data', data: 'x' })));
    expect(await clients()).toBeLessThanOrEqual(3);
    await Promise.all(publishers.map((publisher) => publisher.complete()));
    for (const chunks of await Promise.all(consumed)) expect(chunks).toHaveLength(2);
    await expect.poll(clients).toBe(1);
    const ttl = await redis.admin.pttl(`${prefix}:{s/0}:log`);
    expect(ttl).toBeGreaterThan(3_500_000);
    expect(ttl).toBeLessThanOrEqual(3_600_000);
  });
});
