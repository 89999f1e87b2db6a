/** The connection breaks after the server applied an append and before its answer arrives, again and again. */
import { getStreamWriter, isStreamError, type SegmentResult, type StreamStore } from '@perennial/core';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { RedisClient } from '../../src/index.ts';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { singleServer } from '../support/single-server.ts';
import { freshPrefix } from '../support/targets.ts';

const redis = singleServer();
const PRODUCERS = 10;
const APPENDS_EACH = 500;
let proxy: Proxy;

beforeAll(async () => {
  proxy = await startProxy(redis.server.port);
});
afterAll(() => proxy.close());

/** Breaks the connection instead of passing on every nth answer to an append. */
function cutEvery(nth: number): () => number {
  let answers = 0;
  let cuts = 0;
  proxy.onAnswer = () => {
    if (++answers % nth !== 0) return 'pass';
    cuts++;
    return 'cut';
  };
  return () => cuts;
}

/** Sends the same segment until there is an answer: the producer makes that harmless. */
async function appendUntilKnown(store: StreamStore, producer: string, seq: number): Promise<SegmentResult | undefined> {
  const segments = [
    { records: [{ data: JSON.stringify([producer, seq]) }], producer: { id: producer, epoch: 0, seq } },
  ];
  for (;;) {
    try {
      return (await store.append('s', { segments })).segments[0];
    } catch (error) {
      if (!isStreamError(error) || !error.retryable) throw error;
    }
  }
}

const clients: Readonly<Record<string, () => RedisClient>> = {
  ioredis: () => new Redis({ port: proxy.port, lazyConnect: true, retryStrategy: () => 1 }),
  redis: () => createClient({ url: proxy.url, socket: { reconnectStrategy: () => 1 } }),
};

describe.each(Object.entries(clients))('through %s', (_name, clientOf) => {
  test('5,000 producer appends are each stored once, in order', async () => {
    const prefix = freshPrefix();
    const store = redis.open({ client: clientOf(), prefix });
    proxy.onAnswer = () => 'pass';
    await store.create('s');
    const cuts = cutEvery(12);
    const duplicates = await Promise.all(
      Array.from({ length: PRODUCERS }, async (_, producer) => {
        let repeated = 0;
        for (let seq = 0; seq < APPENDS_EACH; seq++) {
          const result = await appendUntilKnown(store, `p${producer}`, seq);
          expect(result?.status).toMatch(/^(ok|duplicate)$/);
          if (result?.status === 'duplicate') repeated++;
        }
        return repeated;
      }),
    );
    proxy.onAnswer = () => 'pass';

    const { records, head } = await redis.open({ prefix }).read('s', { from: 0, limit: 10_000 });
    expect(head.nextPosition).toBe(PRODUCERS * APPENDS_EACH);
    const next = new Map<string, number>();
    for (const [position, record] of records.entries()) {
      expect(record.position).toBe(position);
      const [producer, seq] = JSON.parse(record.kind === 'data' ? String(record.data) : '') as [string, number];
      expect(seq).toBe(next.get(producer) ?? 0);
      next.set(producer, seq + 1);
    }
    expect(cuts()).toBeGreaterThan(10);
    expect(duplicates.reduce((sum, repeated) => sum + repeated, 0)).toBeGreaterThan(10);
  }, 60_000);

  test('an append without a producer is never stored twice', async () => {
    const prefix = freshPrefix();
    const store = redis.open({ client: clientOf(), prefix });
    proxy.onAnswer = () => 'pass';
    await store.create('s');
    cutEvery(5);
    const refusals: unknown[] = [];
    for (let n = 0; n < 200; n++) {
      const segments = [{ records: [{ data: String(n) }] }];
      await store.append('s', { segments }).catch((error: unknown) => refusals.push(error));
    }
    proxy.onAnswer = () => 'pass';
    for (const error of refusals) expect(error).toMatchObject({ code: 'STORE_ERROR', retryable: true });
    const { records } = await redis.open({ prefix }).read('s', { from: 0 });
    const stored = records.map((record) => Number(record.kind === 'data' && record.data));
    expect(new Set(stored).size).toBe(stored.length);
    expect(stored).toEqual(stored.toSorted((a, b) => a - b));
    expect(stored.length).toBeGreaterThan(100);
  }, 30_000);

  test('a writer gets through by itself', async () => {
    const prefix = freshPrefix();
    const store = redis.open({ client: clientOf(), prefix });
    cutEvery(7);
    const writer = getStreamWriter<number>({ store, streamId: 'w', retry: { maxDelayMs: 25 } });
    const results: boolean[] = [];
    for (let n = 0; n < 300; n++) {
      results.push((await writer.write(n)).ok);
      if (n % 5 === 4) results.push((await writer.flush()).ok);
    }
    expect(results).not.toContain(false);
    expect(await writer.close()).toEqual({ ok: true, value: undefined });
    proxy.onAnswer = () => 'pass';
    const { records, head } = await redis.open({ prefix }).read('w', { from: 0 });
    expect(records.map((record) => Number(record.kind === 'data' && record.data))).toEqual(
      Array.from({ length: 300 }, (_, n) => n),
    );
    expect(head.end).toEqual({ outcome: 'completed' });
  }, 30_000);
});
