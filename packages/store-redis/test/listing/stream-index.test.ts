import { describe, expect, test } from 'vitest';

import { createKeyNames, INDEX_SHARDS } from '../../src/keys.ts';
import { createStreamIndex, type StreamIndex } from '../../src/listing/stream-index.ts';
import { singleServer } from '../support/single-server.ts';
import { freshPrefix } from '../support/targets.ts';

const redis = singleServer();

function indexOf(prefix: string): StreamIndex {
  return createStreamIndex({
    names: createKeyNames(prefix),
    send: async (_key, [name, ...args]) => (await redis.admin.callBuffer(String(name), args)) as never,
    random: Math.random,
  });
}

async function members(prefix: string): Promise<number> {
  const counts = await Promise.all(createKeyNames(prefix).indexes.map((key) => redis.admin.zcard(key)));
  return counts.reduce((sum, count) => sum + count, 0);
}

describe('listing', () => {
  test('pages through many streams in order, whatever the shard', async () => {
    const store = redis.open();
    const ids = Array.from({ length: 300 }, (_, n) => `s/${String((n * 7919) % 300).padStart(3, '0')}`);
    await Promise.all(ids.map((id) => store.create(id)));
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const { streams, next } = await store.list({ prefix: 's/', limit: 37, ...(after !== undefined && { after }) });
      expect(streams.length).toBeLessThanOrEqual(37);
      seen.push(...streams.map(({ id }) => id));
      after = next;
    } while (after !== undefined);
    expect(seen).toEqual(ids.toSorted());
  });

  test('takes ids of streams that expired out of the index', async () => {
    const prefix = freshPrefix();
    const store = redis.open({ prefix, ttl: 1 });
    await store.create('stays');
    for (let n = 0; n < 20; n++) await store.create(`ended/${n}`, { end: { outcome: 'completed' } });
    await expect.poll(async () => (await store.list()).streams.map(({ id }) => id)).toEqual(['stays']);
    expect(await members(prefix)).toBe(1);
  });

  test('the index stays small when nobody lists', async () => {
    const prefix = freshPrefix();
    const store = redis.open({ prefix, ttl: 1 });
    for (let n = 0; n < 1_000; n++) await store.create(`ended/${n}`, { end: { outcome: 'completed' } });
    // A quarter is dead in the long run; the rest is luck.
    await expect.poll(() => members(prefix)).toBeLessThan(500);
  });

  test('costs one range per shard, and one head per stream', async () => {
    const store = redis.open();
    for (let n = 0; n < 10; n++) await store.create(`s/${n}`);
    await store.list();
    await redis.admin.config('RESETSTAT');
    await store.list();
    const info = await redis.admin.info('commandstats');
    expect(info).toContain(`cmdstat_zrangebylex:calls=${INDEX_SHARDS},`);
    expect(info).toContain('cmdstat_evalsha:calls=10,');
  });
});

describe('the index of a Cluster', () => {
  test('an id is removed only while its stream is absent', async () => {
    const prefix = freshPrefix();
    const index = indexOf(prefix);
    const store = redis.open({ prefix });
    await store.create('alive');
    await index.add('gone');
    await index.remove('gone');
    // As when the stream was created after somebody saw it absent.
    await index.remove('alive');
    expect((await store.list()).streams.map(({ id }) => id)).toEqual(['alive']);
    expect(await members(prefix)).toBe(1);
  });

  test('an id whose creation never happened is not listed, and tidied away', async () => {
    const prefix = freshPrefix();
    const index = indexOf(prefix);
    for (let n = 0; n < 50; n++) await index.add(`dead/${n}`);
    expect(await redis.open({ prefix }).list({ limit: 5 })).toEqual({ streams: [] });
    await index.add('dead/again');
    for (let n = 0; n < 4 * INDEX_SHARDS * 20 && (await members(prefix)) > 0; n++) await index.tidy(async () => {});
    expect(await members(prefix)).toBe(0);
  });
});
