import type { StreamStore } from '@perennial/core';
import { expect, test } from 'vitest';

import { fromIoredis } from '../src/clients/ioredis.ts';
import type { RedisPort, RedisSubscriberEvents } from '../src/index.ts';
import { singleServer } from './support/single-server.ts';
import { freshPrefix } from './support/targets.ts';

const redis = singleServer();
const ONE = [{ records: [{ data: '1' }] }] as const;

/** Two stores of one prefix: as in two processes. */
function twoProcesses(): readonly [StreamStore, StreamStore] {
  const prefix = freshPrefix();
  return [redis.open({ prefix, pollMs: 60_000 }), redis.open({ prefix, pollMs: 60_000 })];
}

test('a reader wakes for what another process does', async () => {
  const [ours, theirs] = twoProcesses();
  await theirs.create('s');
  for (let position = 0; position < 20; position++) {
    const wait = ours.wait('s', { position });
    await theirs.append('s', { segments: ONE });
    expect((await wait).nextPosition).toBe(position + 1);
  }
  const cancelled = ours.wait('s', { position: Infinity, cancel: true });
  await theirs.mark('s', { type: 'cancel', reason: 'stop' });
  expect((await cancelled).cancel?.reason).toBe('stop');
  const gone = ours.wait('s', { position: Infinity }).catch((error: unknown) => error);
  await theirs.delete('s');
  expect(await gone).toMatchObject({ code: 'NOT_FOUND' });
});

test('a wait that starts after the change returns at once', async () => {
  const [ours, theirs] = twoProcesses();
  await theirs.create('s');
  await Promise.all([ours.wait('s', { position: 0 }), theirs.append('s', { segments: ONE })]);
  await theirs.append('s', { segments: ONE });
  expect((await ours.wait('s', { position: 1 })).nextPosition).toBe(2);
});

test('readers of a stream that was deleted and created again by another process are told', async () => {
  const [ours, theirs] = twoProcesses();
  await theirs.create('s');
  // Once this returned, the store knows the stream's head and the next wait needs no command.
  await ours.wait('s', { position: 0, timeoutMs: 1 });
  const refused = ours.wait('s', { position: 0 }).catch((error: unknown) => error);
  await theirs.delete('s');
  await theirs.create('s');
  expect(await refused).toMatchObject({ code: 'NOT_FOUND' });
  const wait = ours.wait('s', { position: 0 });
  await theirs.append('s', { segments: ONE });
  expect((await wait).nextPosition).toBe(1);
});

/** A port whose notifications can be held back, as a network may do. */
function deafPort(): { readonly port: RedisPort; readonly events: RedisSubscriberEvents[] } {
  const events: RedisSubscriberEvents[] = [];
  const inner = fromIoredis(redis.admin);
  return {
    events,
    port: {
      ...inner,
      subscriber(given) {
        events.push(given);
        return inner.subscriber({ onMessage: () => {}, onReset: () => {} });
      },
    },
  };
}

test('the safety poll finds what no notification told of', async () => {
  const { port } = deafPort();
  const prefix = freshPrefix();
  const ours = redis.open({ client: port, prefix, pollMs: 50 });
  const theirs = redis.open({ prefix });
  await theirs.create('s');
  const wait = ours.wait('s', { position: 0 });
  await theirs.append('s', { segments: ONE });
  expect((await wait).nextPosition).toBe(1);
});

test('after a lost connection everything that was waited for is looked at again', async () => {
  const { port, events } = deafPort();
  const prefix = freshPrefix();
  const ours = redis.open({ client: port, prefix, pollMs: 60_000 });
  const theirs = redis.open({ prefix });
  await theirs.create('s');
  const wait = ours.wait('s', { position: 0 });
  await expect
    .poll(() => redis.admin.call('PUBSUB', 'SHARDNUMSUB', `${prefix}:{s}:log`))
    .toEqual([`${prefix}:{s}:log`, 1]);
  await theirs.append('s', { segments: ONE });
  events[0]?.onReset();
  expect((await wait).nextPosition).toBe(1);
});

test('a subscription nobody needs any more is given up', async () => {
  const store = redis.open({ prefix: 'linger', pollMs: 40 });
  await store.create('s');
  await expect(store.wait('absent', { position: 0 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await store.wait('s', { position: 0, timeoutMs: 1 });
  await expect
    .poll(() => redis.admin.call('PUBSUB', 'SHARDCHANNELS', 'linger:*'), { timeout: 15_000, interval: 250 })
    .toEqual([]);
}, 20_000);

test('a wait can be aborted while the server does not answer', async () => {
  const store = redis.open();
  await store.create('s');
  await redis.admin.client('PAUSE', '300');
  const controller = new AbortController();
  const wait = store.wait('s', { position: 0, signal: controller.signal });
  const started = performance.now();
  controller.abort(new Error('enough'));
  await expect(wait).rejects.toMatchObject({ code: 'ABORTED' });
  expect(performance.now() - started).toBeLessThan(150);
  await redis.admin.client('UNPAUSE');
});
