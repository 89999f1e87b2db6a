import assert from 'node:assert/strict';

import type { StreamStore } from '@perennial/core';

import {
  append,
  appended,
  COMPLETED,
  headOf,
  numbered,
  produced,
  readAll,
  STREAM,
  texts,
  textsOf,
} from '../helpers.ts';
import { type StoreCase, storeCases } from '../store-case.ts';

const deletion = storeCases('delete');
const closing = storeCases('close');
const expiry = storeCases('expiry', 'clock');

const deletions: readonly StoreCase[] = [
  deletion('removes a stream and says so', async ({ store, refuses }) => {
    await store.create(STREAM, { records: numbered(2) });
    assert.equal(await store.delete(STREAM), true);
    assert.equal(await store.head(STREAM), null);
    await refuses(store.read(STREAM, { from: 0 }), 'NOT_FOUND');
    await refuses(append(store, { records: numbered(1) }), 'NOT_FOUND');
    await refuses(store.mark(STREAM, { type: 'cancel' }), 'NOT_FOUND');
    await refuses(store.wait(STREAM, { position: 0 }), 'NOT_FOUND');
  }),
  deletion('says when there was nothing to remove', async ({ store }) => {
    assert.equal(await store.delete(STREAM), false);
    await store.create(STREAM);
    await store.delete(STREAM);
    assert.equal(await store.delete(STREAM), false);
  }),
  deletion('leaves other streams alone', async ({ store }) => {
    for (const id of ['a', 'a/b', 'ab']) await store.create(id, { records: texts(JSON.stringify(id)) });
    await store.delete('a');
    assert.deepEqual(await textsOf(store, 'a/b'), ['"a/b"']);
    assert.deepEqual(await textsOf(store, 'ab'), ['"ab"']);
  }),
  deletion('a stream created again is another incarnation and empty', async ({ store }) => {
    const { head: old } = await store.create(STREAM, { records: numbered(3), end: COMPLETED });
    await store.delete(STREAM);
    const { created, head } = await store.create(STREAM, { contentType: 'text/plain' });
    assert.equal(created, true);
    assert.notEqual(head.incarnation, old.incarnation);
    assert.deepEqual([head.nextPosition, head.end, head.contentType], [0, null, 'text/plain']);
    assert.deepEqual(await readAll(store), []);
  }),
  deletion('forgets cancel requests and stream sequences', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { records: numbered(1), streamSeq: 'z' });
    await store.mark(STREAM, { type: 'cancel' });
    await store.delete(STREAM);
    await store.create(STREAM);
    assert.equal((await headOf(store)).cancel, null);
    await appended(store, { records: numbered(1), streamSeq: 'a' });
  }),
  deletion('forgets producers', async ({ store }) => {
    await store.create(STREAM);
    const segment = { ...produced('p', 3, 0, 1), sequencing: 'segment' } as const;
    await appended(store, segment);
    await store.delete(STREAM);
    await store.create(STREAM);
    assert.deepEqual(await append(store, { ...produced('p', 0, 0, 1), sequencing: 'segment' }), {
      status: 'ok',
      position: 0,
      count: 1,
      skipped: 0,
    });
  }),
  deletion(
    'forgets token and nonce',
    async ({ store, refuses }) => {
      await store.create(STREAM);
      await store.mark(STREAM, { type: 'fence', token: 3, nonce: 'n' });
      await store.delete(STREAM);
      await store.create(STREAM, { token: 3 });
      await refuses(store.mark(STREAM, { type: 'fence', token: 3, nonce: 'n' }), 'FENCED');
      await store.delete(STREAM);
      await store.create(STREAM);
      await appended(store, { records: numbered(1) });
    },
    'fencing',
  ),
];

const calls: Readonly<Record<string, (store: StreamStore) => Promise<unknown>>> = {
  create: (store) => store.create(STREAM),
  append: (store) => store.append(STREAM, { segments: [{ records: numbered(1) }] }),
  read: (store) => store.read(STREAM, { from: 0 }),
  wait: (store) => store.wait(STREAM, { position: 0 }),
  head: (store) => store.head(STREAM),
  producer: (store) => store.producer(STREAM, 'p'),
  delete: (store) => store.delete(STREAM),
  list: (store) => store.list(),
  mark: (store) => store.mark(STREAM, { type: 'cancel' }),
};

const closings: readonly StoreCase[] = [
  ...Object.entries(calls).map(([verb, call]) =>
    closing(
      `${verb} rejects with STORE_CLOSED afterwards`,
      async ({ store, refuses }) => {
        await store.create(STREAM, { records: numbered(1) });
        await store.close();
        await refuses(call(store), 'STORE_CLOSED');
      },
      ...(verb === 'list' || verb === 'producer' ? ([verb] as const) : []),
    ),
  ),
  closing('may be repeated', async ({ store, within }) => {
    await within(store.close(), 'first close');
    await within(Promise.all([store.close(), store.close()]), 'further closes');
  }),
  closing('settles waiting readers with STORE_CLOSED', async ({ store, refuses }) => {
    await store.create(STREAM);
    const refusals = [{ position: 0 }, { position: Infinity, cancel: true }].map((options) =>
      refuses(store.wait(STREAM, options), 'STORE_CLOSED'),
    );
    await store.close();
    await Promise.all(refusals);
  }),
  closing('answers appends that were under way', async ({ store, within }) => {
    await store.create(STREAM);
    const pending = Promise.allSettled([1, 2, 3].map(() => append(store, { records: numbered(1) })));
    await within(store.close(), 'close');
    await within(pending, 'the appends under way');
  }),
];

const expiries: readonly StoreCase[] = [
  expiry('a stream is absent from its absolute expiry on', async ({ store, clock, refuses }) => {
    await store.create(STREAM, { expiresAt: clock.now() + 1_000 });
    clock.advance(999);
    await appended(store, { records: numbered(1) });
    clock.advance(1);
    assert.equal(await store.head(STREAM), null);
    await refuses(store.read(STREAM, { from: 0 }), 'NOT_FOUND');
    await refuses(append(store, { records: numbered(1) }), 'NOT_FOUND');
    assert.equal(await store.delete(STREAM), false);
  }),
  expiry('a stream is absent once its ttl has passed without a read or write', async ({ store, clock, refuses }) => {
    await store.create(STREAM, { ttlMs: 1_000 });
    clock.advance(999);
    assert.ok(await store.head(STREAM));
    clock.advance(1);
    assert.equal(await store.head(STREAM), null);
    await refuses(append(store, { records: numbered(1) }), 'NOT_FOUND');
  }),
  expiry('reads and writes restart the ttl', async ({ store, clock }) => {
    await store.create(STREAM, { ttlMs: 1_000 });
    for (let n = 0; n < 3; n++) {
      clock.advance(900);
      await appended(store, { records: numbered(1) });
      clock.advance(900);
      await store.read(STREAM, { from: 0 });
    }
    clock.advance(999);
    assert.ok(await store.head(STREAM));
  }),
  expiry('looking at the head or the list does not restart the ttl', async ({ store, clock }) => {
    await store.create(STREAM, { ttlMs: 1_000 });
    clock.advance(600);
    assert.ok(await store.head(STREAM));
    clock.advance(400);
    assert.equal(await store.head(STREAM), null);
  }),
  expiry(
    'an expired stream is not listed',
    async ({ store, clock }) => {
      await store.create('a', { expiresAt: clock.now() + 10 });
      await store.create('b', { ttlMs: 1_000 });
      clock.advance(10);
      assert.deepEqual(
        (await store.list()).streams.map(({ id }) => id),
        ['b'],
      );
      clock.advance(990);
      assert.deepEqual(await store.list(), { streams: [] });
    },
    'list',
  ),
  expiry('an expired stream may be created again, with another configuration', async ({ store, clock }) => {
    const { head: old } = await store.create(STREAM, { ttlMs: 10, records: numbered(2) });
    clock.advance(10);
    const { created, head } = await store.create(STREAM, { contentType: 'text/plain' });
    assert.equal(created, true);
    assert.notEqual(head.incarnation, old.incarnation);
    assert.equal(head.nextPosition, 0);
  }),
];

/** The life of a stream and of the store: deletion, expiry, close. */
export const lifecycleCases: readonly StoreCase[] = [...deletions, ...closings, ...expiries];
