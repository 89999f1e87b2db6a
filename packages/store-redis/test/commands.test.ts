/** What the store costs the server: commands and connections. */
import type { StreamStore } from '@perennial/core';
import { getStreamReader } from '@perennial/core';
import { expect, test } from 'vitest';

import { singleServer } from './support/single-server.ts';

const redis = singleServer();
const numbered = (count: number): { readonly data: string }[] =>
  Array.from({ length: count }, (_, n) => ({ data: String(n) }));

/** Commands that clients sent since the last reset, by name; those inside scripts count, too. */
async function commands(): Promise<Record<string, number>> {
  const info = await redis.admin.info('commandstats');
  return Object.fromEntries(
    [...info.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)].map(([, name, calls]) => [name, Number(calls)]),
  );
}

async function reset(): Promise<void> {
  await redis.admin.config('RESETSTAT');
}

test('an append is one EVALSHA, however many records and segments', async () => {
  const store = redis.open();
  await store.create('s');
  await store.append('s', { segments: [{ records: numbered(1) }] });
  await reset();
  await store.append('s', {
    segments: [{ records: numbered(500) }, { records: numbered(3), producer: { id: 'p', epoch: 0, seq: 0 } }],
  });
  const seen = await commands();
  expect(seen['evalsha']).toBe(1);
  expect(seen['eval']).toBeUndefined();
  // 128 records share an entry.
  expect(seen['xadd']).toBe(Math.ceil(500 / 128) + 1);
});

test('a usual append is one EVALSHA, with and without a producer', async () => {
  const store = redis.open();
  await store.create('s', { leaseMs: 60_000, records: numbered(1) });
  const append = async (seq?: number) => {
    const producer = seq === undefined ? {} : { producer: { id: 'p', epoch: 0, seq } };
    await store.append('s', { segments: [{ records: numbered(100), ...producer }] });
  };
  await append();
  for (const seq of [0, 100]) await append(seq);
  await reset();
  await append();
  await append(200);
  const { evalsha, hincrby, xadd, spublish, hget, hset, time } = await commands();
  expect([evalsha, hincrby, xadd, spublish, hget, hset, time]).toEqual([2, 2, 2, 2, 1, 1, 2]);
});

test('appends of one turn share a script, but for the first after one that was alone', async () => {
  const store = redis.open();
  await store.create('s');
  await store.append('s', { segments: [{ records: numbered(1) }] });
  const turn = async (count: number): Promise<number | undefined> => {
    await reset();
    await Promise.all(Array.from({ length: count }, () => store.append('s', { segments: [{ records: numbered(1) }] })));
    return (await commands())['evalsha'];
  };
  expect(await turn(200)).toBe(2);
  expect(await turn(200)).toBe(1);
  expect(await turn(2)).toBe(1);
  expect(await turn(1)).toBe(1);
  expect(await turn(2)).toBe(2);
  expect(await turn(2)).toBe(1);
});

test('those who append again at once join those who waited', async () => {
  const store = redis.open();
  await store.create('s');
  await reset();
  const work = async (): Promise<void> => {
    for (let n = 0; n < 5; n++) await store.append('s', { segments: [{ records: numbered(1) }] });
  };
  await Promise.all(Array.from({ length: 20 }, work));
  // The first is alone, and one ahead from then on.
  expect((await commands())['evalsha']).toBe(6);
});

test('a creation is one script', async () => {
  const store = redis.open();
  await store.create('warm');
  await reset();
  await store.create('s', { records: numbered(3) });
  expect((await commands())['evalsha']).toBe(1);
});

async function perChunk(store: StreamStore, readers: number): Promise<number> {
  const id = `fan/${readers}`;
  const chunks = 50;
  await store.create(id);
  const all = Array.from({ length: readers }, () => getStreamReader<number>({ store, streamId: id }));
  const arrived: number[] = [];
  let seen = 0;
  let next: () => void = () => {};
  const consume = all.map(async (reader) => {
    for await (const value of reader) {
      arrived.push(value);
      if (++seen % readers === 0) next();
    }
  });
  const write = async (): Promise<void> => {
    const everyone = new Promise<void>((resolve) => {
      next = resolve;
    });
    await store.append(id, { segments: [{ records: numbered(1) }] });
    await everyone;
  };
  await write();
  await reset();
  for (let n = 0; n < chunks; n++) await write();
  const { evalsha = 0 } = await commands();
  await store.append(id, { segments: [{ records: [], end: { outcome: 'completed' } }] });
  await Promise.all(consume);
  expect(arrived).toHaveLength(readers * (chunks + 1));
  return evalsha / chunks;
}

test('a thousand readers cost the server what one costs', async () => {
  const store = redis.open();
  const one = await perChunk(store, 1);
  const many = await perChunk(store, 1_000);
  // The append, the head after the message, and the page.
  expect(one).toBeLessThan(3.5);
  expect(many).toBeLessThan(3.5);
});

test('a process has two connections, whatever the number of readers', async () => {
  // The stores of earlier tests may still be hanging up; the other client is the test's own.
  await expect.poll(clients).toBe(1);
  const store = redis.open();
  await Promise.all(Array.from({ length: 50 }, (_, n) => store.create(`many/${n}`)));
  const controller = new AbortController();
  const waits = Array.from({ length: 500 }, (_, n) =>
    store.wait(`many/${n % 50}`, { position: 0, signal: controller.signal }).catch(() => {}),
  );
  await store.append('many/0', { segments: [{ records: numbered(1) }] });
  await waits[0];
  await expect.poll(clients).toBe(3);
  controller.abort();
  await Promise.all(waits);
  await store.close();
  await expect.poll(clients).toBe(1);
});

async function clients(): Promise<number> {
  return String(await redis.admin.client('LIST'))
    .trim()
    .split('\n').length;
}
