import { isStreamGap } from '@perennial/core';
import { expect, test } from 'vitest';

import { singleServer } from './support/single-server.ts';

const redis = singleServer();
const HOUR = 3_600_000;
const COMPLETED = { outcome: 'completed' } as const;
const numbered = (count: number): { readonly data: string }[] =>
  Array.from({ length: count }, (_, n) => ({ data: String(n) }));

/** Time to live of the two keys of stream `s`, in ms; -1 = none. */
async function lives(prefix: string): Promise<readonly number[]> {
  return Promise.all(['meta', 'log'].map((key) => redis.admin.pttl(`${prefix}:{s}:${key}`)));
}

test('an ended stream is kept for the ttl of the store, an open one for ever', async () => {
  const store = redis.open({ prefix: 'closed', ttl: HOUR });
  await store.create('s', { records: numbered(2) });
  expect(await lives('closed')).toEqual([-1, -1]);
  await store.append('s', { segments: [{ records: numbered(1), end: COMPLETED }] });
  for (const ms of await lives('closed')) expect(ms).toBeGreaterThan(HOUR - 60_000);
  for (const ms of await lives('closed')) expect(ms).toBeLessThanOrEqual(HOUR);
});

test('a stream created ended is kept for the ttl, too', async () => {
  const store = redis.open({ prefix: 'born', ttl: HOUR });
  await store.create('s', { records: numbered(2), end: COMPLETED });
  for (const ms of await lives('born')) expect(ms).toBeLessThanOrEqual(HOUR);
  for (const ms of await lives('born')) expect(ms).toBeGreaterThan(0);
});

test('ttl Infinity keeps ended streams for ever', async () => {
  const store = redis.open({ prefix: 'forever', ttl: Infinity });
  await store.create('s', { records: numbered(1), end: COMPLETED });
  expect(await lives('forever')).toEqual([-1, -1]);
});

test('Redis removes both keys of an ended stream by itself', async () => {
  const store = redis.open({ prefix: 'short', ttl: 50 });
  await store.create('s', { records: numbered(1) });
  await store.append('s', { segments: [{ records: [], end: COMPLETED }] });
  await expect.poll(() => redis.admin.exists('short:{s}:meta', 'short:{s}:log')).toBe(0);
  expect(await store.head('s')).toBeNull();
});

test('a sliding ttl and an expiry reach the keys', async () => {
  const store = redis.open({ prefix: 'sliding' });
  await store.create('s', { ttlMs: HOUR, records: numbered(1) });
  for (const ms of await lives('sliding')) expect(ms).toBeGreaterThan(HOUR);
  await store.delete('s');
  await store.create('s', { expiresAt: Date.now() + HOUR, records: numbered(1) });
  for (const ms of await lives('sliding')) expect(ms).toBeGreaterThan(HOUR - 60_000);
});

test('a reader of a stream that expires learns that it is gone', async () => {
  const store = redis.open({ pollMs: 40 });
  await store.create('s', { ttlMs: 1, records: numbered(1) });
  await expect(store.wait('s', { position: 5 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('maxRecords trims the log, and reading what was trimmed is a gap', async () => {
  const store = redis.open({ prefix: 'trim', maxRecords: 10 });
  await store.create('s');
  for (let n = 0; n < 30; n++) await store.append('s', { segments: [{ records: numbered(50) }] });
  const head = await store.head('s');
  expect(head).toMatchObject({ firstPosition: 1_490, nextPosition: 1_500 });
  const gap = await store.read('s', { from: 5 }).catch((error: unknown) => error);
  expect(isStreamGap(gap) && gap).toMatchObject({ requestedPosition: 5, earliestPosition: 1_490 });
  const { records } = await store.read('s', { from: 1_490 });
  expect(records.map(({ position }) => position)).toEqual(Array.from({ length: 10 }, (_, n) => 1_490 + n));
  // Whole nodes of the Redis stream are dropped, so a few more than wanted stay.
  expect(await redis.admin.xlen('trim:{s}:log')).toBeLessThan(300);
});

test('maxRecords holds for the records of a creation, too', async () => {
  const store = redis.open({ maxRecords: 3 });
  const { head } = await store.create('s', { records: numbered(5) });
  expect(head).toMatchObject({ firstPosition: 2, nextPosition: 5 });
  const { records } = await store.read('s', { from: 2 });
  expect(records.map((record) => record.kind === 'data' && record.data)).toEqual(['2', '3', '4']);
});
