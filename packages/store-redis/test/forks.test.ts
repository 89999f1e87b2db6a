/** Forks where the conformance kit cannot look: in Redis itself. */
import { FORK_PIN_GRACE_MS, type StreamStore } from '@perennial/core';
import { createManualClock } from '@perennial/testing';
import { expect, test } from 'vitest';

import { singleServer } from './support/single-server.ts';
import { freshPrefix } from './support/targets.ts';

const redis = singleServer();
const HOUR = 3_600_000;
const COMPLETED = { outcome: 'completed' } as const;
const numbered = (count: number): { readonly data: string }[] =>
  Array.from({ length: count }, (_, n) => ({ data: String(n) }));
const textsOf = async (store: StreamStore, id: string): Promise<unknown[]> =>
  (await store.read(id, { from: 0 })).records.map((record) => (record.kind === 'data' ? record.data : null));
const keysOf = async (prefix: string, id: string): Promise<string[]> =>
  (await redis.admin.keys(`${prefix}:{${id}}:*`)).map((key) => key.slice(key.lastIndexOf(':') + 1)).toSorted();

/** Creates streams until a look at the index has had its effect. */
async function createUntil(store: StreamStore, isDone: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 2_000 && !(await isDone()); n++) {
    await store.create('filler');
    await store.delete('filler');
  }
  expect(await isDone()).toBe(true);
}

test('a fork has no log before it has records of its own, and no copy', async () => {
  const prefix = freshPrefix();
  const store = redis.open({ prefix });
  await store.create('s', { records: numbered(500) });
  await store.create('f', { fork: { from: 's' } });
  expect(await keysOf(prefix, 'f')).toEqual(['meta']);
  await store.append('f', { segments: [{ records: numbered(2) }] });
  expect(await redis.admin.xlen(`${prefix}:{f}:log`)).toBe(1);
  expect(await textsOf(store, 'f')).toHaveLength(502);
  expect(await keysOf(prefix, 's')).toEqual(['forks', 'log', 'meta']);
  await store.delete('f');
  expect(await keysOf(prefix, 's')).toEqual(['log', 'meta']);
});

test('Redis does not remove a source by itself while it has forks', async () => {
  const prefix = freshPrefix();
  const store = redis.open({ prefix, ttl: HOUR });
  const lives = (): Promise<number[]> =>
    Promise.all(['meta', 'log'].map((key) => redis.admin.pttl(`${prefix}:{s}:${key}`)));
  await store.create('s', { records: numbered(2), end: COMPLETED });
  for (const ms of await lives()) expect(ms).toBeGreaterThan(0);
  await store.create('f', { fork: { from: 's' } });
  expect(await lives()).toEqual([-1, -1]);
  await store.read('s', { from: 0 });
  expect(await lives()).toEqual([-1, -1]);
  await store.delete('f');
  for (const ms of await lives()) expect(ms).toBeGreaterThan(0);
});

test('what a fork has of its source is not trimmed', async () => {
  const store = redis.open({ maxRecords: 10 });
  const append = (id: string, count: number): Promise<unknown> =>
    store.append(id, { segments: [{ records: numbered(count) }] });
  await store.create('s', { records: numbered(10) });
  await append('s', 2);
  expect((await store.head('s'))?.firstPosition).toBe(2);
  await store.create('f', { fork: { from: 's' } });
  await append('s', 500);
  expect((await store.head('s'))?.firstPosition).toBe(2);
  const { records, head } = await store.read('f', { from: 2 });
  expect([records.length, head.firstPosition]).toEqual([10, 2]);
  await expect(store.read('f', { from: 1 })).rejects.toMatchObject({ code: 'GAP', earliestPosition: 2 });
  await expect(store.create('early', { fork: { from: 's', position: 1 } })).rejects.toMatchObject({ code: 'GAP' });
  // The fork's own retention lets go of what it inherited.
  await append('f', 5);
  expect((await store.head('f'))?.firstPosition).toBe(7);
  expect((await store.read('f', { from: 7 })).records).toHaveLength(10);
  await store.delete('f');
  await append('s', 1);
  expect((await store.head('s'))?.firstPosition).toBe(503);
});

test('a pin whose fork was never made lets the source go', async () => {
  const prefix = freshPrefix();
  const clock = createManualClock();
  const store = redis.open({ prefix, now: clock.now });
  await store.create('s', { records: numbered(1) });
  // As after a crash between the two steps.
  await redis.admin.hset(`${prefix}:{s}:forks`, 'dead', `${clock.now()};nowhere`);
  await redis.admin.hset(`${prefix}:{s}:meta`, 'x', '0;1;0');
  expect(await store.delete('s')).toBe(true);
  await expect(store.create('s')).rejects.toMatchObject({ code: 'EXISTS' });
  expect(await store.list()).toEqual({ streams: [] });
  clock.advance(FORK_PIN_GRACE_MS);
  await createUntil(store, async () => (await keysOf(prefix, 's')).length === 0);
  expect((await store.create('s')).created).toBe(true);
});

test('a fork that Redis removed by itself lets its source go', async () => {
  const prefix = freshPrefix();
  const clock = createManualClock();
  const store = redis.open({ prefix, now: clock.now, ttl: HOUR });
  await store.create('root', { records: numbered(1) });
  await store.create('s', { fork: { from: 'root' }, records: numbered(1), end: COMPLETED });
  await store.create('f', { fork: { from: 's' }, end: COMPLETED });
  await store.delete('root');
  clock.advance(2 * HOUR);
  // What Redis does when the time of a key has come, without a word to anybody.
  await redis.admin.del(`${prefix}:{f}:meta`, `${prefix}:{f}:log`);
  await createUntil(store, async () => (await keysOf(prefix, 'root')).length === 0);
  expect(await keysOf(prefix, 's')).toEqual([]);
});

test('records of a source that went missing are an error, not a shorter stream', async () => {
  const prefix = freshPrefix();
  const store = redis.open({ prefix });
  await store.create('s', { records: numbered(3) });
  await store.create('f', { fork: { from: 's' }, records: numbered(1) });
  await redis.admin.del(`${prefix}:{s}:meta`, `${prefix}:{s}:log`);
  const other = redis.open({ prefix });
  await expect(other.read('f', { from: 0 })).rejects.toMatchObject({ code: 'CORRUPT' });
  expect((await other.read('f', { from: 3 })).records).toHaveLength(1);
});

test('forks of processes that know nothing of each other', async () => {
  const prefix = freshPrefix();
  const stores = Array.from({ length: 3 }, () => redis.open({ prefix }));
  const [first, second, third] = stores as [StreamStore, StreamStore, StreamStore];
  await first.create('s', { records: numbered(3) });
  const made = await Promise.all(stores.map((store) => store.create('f', { fork: { from: 's' } })));
  expect(made.filter(({ created }) => created)).toHaveLength(1);
  await first.delete('s');
  expect(await textsOf(second, 'f')).toEqual(['0', '1', '2']);
  await third.delete('f');
  expect((await first.create('s')).created).toBe(true);
  expect(await keysOf(prefix, 's')).toEqual(['meta']);
});
