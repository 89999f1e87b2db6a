import assert from 'node:assert/strict';

import type { StreamEnd } from '@perennial/core';

import { append, appended, headOf, numbered, produced, snapshot, STREAM, texts, textsOf } from '../helpers.ts';
import { type StoreCase, storeCases } from '../store-case.ts';

const test = storeCases('reopen', 'reopen');

const content: readonly StoreCase[] = [
  test('finds every record and the head as they were', async ({ store, reopen }) => {
    await store.create(STREAM, { records: texts('"a"', '1.0') });
    for (let n = 0; n < 20; n++) await appended(store, { ...produced('p', 0, n, n + 1), sequencing: 'segment' });
    const before = await snapshot(store);
    assert.deepEqual(await snapshot(await reopen()), before);
  }),
  test('finds bytes as they were', async ({ store, reopen }) => {
    await store.create(STREAM, { contentType: 'application/octet-stream' });
    await appended(store, {
      records: [{ data: Uint8Array.from({ length: 256 }, (_, value) => value) }, { data: new Uint8Array() }],
    });
    const before = await snapshot(store);
    assert.deepEqual(await snapshot(await reopen()), before);
  }),
  test(
    'finds steps and supersede records as they were',
    async ({ store, reopen }) => {
      await store.create(STREAM);
      const records = [
        { data: '1', step: 's', attempt: 1 },
        { kind: 'supersede', step: 's', belowAttempt: 2 },
        { data: '2', step: 's', attempt: 2 },
      ] as const;
      await appended(store, { records });
      const before = await snapshot(store);
      assert.deepEqual(await snapshot(await reopen()), before);
    },
    'steps',
    'supersede',
  ),
  test('goes on at the next position', async ({ store, reopen }) => {
    await store.create(STREAM, { records: numbered(3) });
    const again = await reopen();
    assert.deepEqual(await append(again, { records: numbered(1, 3) }), {
      status: 'ok',
      position: 3,
      count: 1,
      skipped: 0,
    });
    assert.deepEqual(await textsOf(again), ['0', '1', '2', '3']);
  }),
  test('finds an empty stream, all its options and its incarnation', async ({ store, clock, reopen }) => {
    const expiresAt = Math.max(clock.now(), Date.now()) + 3_600_000;
    const heads = [
      (await store.create('a', { contentType: 'Text/Plain; charset=utf-8' })).head,
      (await store.create('b', { ttlMs: 3_600_000 })).head,
      (await store.create('c', { expiresAt })).head,
    ];
    const again = await reopen();
    for (const head of heads) assert.deepEqual(await headOf(again, head.id), head);
    assert.equal((await again.create('a', { contentType: 'text/plain' })).created, false);
  }),
  test(
    'finds owner and lease',
    async ({ store, reopen }) => {
      await store.create(STREAM, { owner: 'o', leaseMs: 1_000 });
      const head = await store.mark(STREAM, { type: 'lease', durationMs: 2_500 });
      const found = await headOf(await reopen());
      assert.equal(found.owner, 'o');
      assert.equal(found.lease?.durationMs, head.lease?.durationMs);
    },
    'owner',
    'lease',
  ),
  test('finds many streams', async ({ store, reopen }) => {
    const ids = Array.from({ length: 60 }, (_, index) => `many/${index}`);
    await Promise.all(ids.map((id) => store.create(id, { records: texts(JSON.stringify(id)) })));
    const again = await reopen();
    for (const id of ids) assert.deepEqual(await textsOf(again, id), [JSON.stringify(id)]);
  }),
  test(
    'lists what it listed',
    async ({ store, reopen }) => {
      for (const id of ['a', '../b', 'C', 'c', 'gone']) await store.create(id);
      await store.delete('gone');
      const before = await store.list();
      assert.deepEqual(await (await reopen()).list(), before);
    },
    'list',
  ),
];

const state: readonly StoreCase[] = [
  test('finds an end with all it says', async ({ store, reopen }) => {
    const ends: readonly StreamEnd[] = [
      { outcome: 'completed' },
      { outcome: 'cancelled', reason: 'r' },
      { outcome: 'failed', error: { code: 'QUOTA', message: 'm', public: true } },
    ];
    for (const [index, end] of ends.entries()) {
      await store.create(`s${index}`);
      await appended(store, { records: numbered(1), end }, { id: `s${index}` });
    }
    const again = await reopen();
    for (const [index, end] of ends.entries()) {
      assert.deepEqual((await headOf(again, `s${index}`)).end, end);
      assert.deepEqual(await append(again, { records: numbered(1) }, { id: `s${index}` }), { status: 'closed', end });
    }
  }),
  test('recognises what a producer sent before', async ({ store, reopen }) => {
    await store.create(STREAM);
    await appended(store, { ...produced('p', 2, 0, 3), sequencing: 'segment' });
    await appended(store, { ...produced('p', 2, 1, 1), sequencing: 'segment' });
    const again = await reopen();
    assert.deepEqual(await append(again, { ...produced('p', 2, 1, 1), sequencing: 'segment' }), {
      status: 'duplicate',
      nextSeq: 2,
    });
    assert.deepEqual(await append(again, produced('p', 1, 0, 1)), { status: 'stale-epoch', epoch: 2 });
    assert.deepEqual(await append(again, produced('p', 2, 3, 1)), { status: 'gap', expectedSeq: 2 });
  }),
  test(
    'skips the stored part of a replay',
    async ({ store, reopen }) => {
      await store.create(STREAM);
      await appended(store, produced('p', 0, 0, 3));
      const again = await reopen();
      assert.deepEqual(await append(again, produced('p', 0, 1, 4)), {
        status: 'ok',
        position: 3,
        count: 2,
        skipped: 2,
      });
      assert.deepEqual(await textsOf(again), ['0', '1', '2', '3', '4']);
    },
    'record-sequences',
  ),
  test(
    'knows producers',
    async ({ store, reopen }) => {
      await store.create(STREAM);
      for (const id of ['p', '__proto__']) await appended(store, { ...produced(id, 1, 0, 1), sequencing: 'segment' });
      const again = await reopen();
      for (const id of ['p', '__proto__']) assert.deepEqual(await again.producer(STREAM, id), { epoch: 1, nextSeq: 1 });
    },
    'producer',
  ),
  test(
    'remembers token and nonce',
    async ({ store, reopen, refuses }) => {
      await store.create(STREAM);
      await store.mark(STREAM, { type: 'fence', token: 3, nonce: 'n' });
      const again = await reopen();
      await refuses(append(again, { records: numbered(1) }, { token: 2 }), 'FENCED');
      await refuses(again.mark(STREAM, { type: 'fence', token: 3, nonce: 'm' }), 'FENCED');
      assert.equal((await again.mark(STREAM, { type: 'fence', token: 3, nonce: 'n' })).token, 3);
    },
    'fencing',
  ),
  test(
    'remembers tokens that appends and creations raised',
    async ({ store, reopen, refuses }) => {
      await store.create('a', { token: 2 });
      await store.create('b');
      await appended(store, { records: numbered(1) }, { id: 'b', token: 4 });
      await store.create('c');
      await store.create('c', { token: 5 });
      await store.create('d');
      await store.append('d', { segments: [{ records: numbered(1), expectedPosition: 7 }], token: 6 });
      const again = await reopen();
      for (const [id, token] of [
        ['a', 2],
        ['b', 4],
        ['c', 5],
        ['d', 6],
      ] as const) {
        assert.equal((await headOf(again, id)).token, token);
        await refuses(append(again, { records: numbered(1) }, { id, token: token - 1 }), 'FENCED');
      }
    },
    'fencing',
  ),
  test('remembers a cancel request', async ({ store, reopen, within }) => {
    await store.create(STREAM);
    const { cancel } = await store.mark(STREAM, { type: 'cancel', reason: 'r' });
    const again = await reopen();
    assert.deepEqual((await within(again.wait(STREAM, { position: Infinity, cancel: true }), 'wait')).cancel, cancel);
    assert.deepEqual((await again.mark(STREAM, { type: 'cancel', reason: 'other' })).cancel, cancel);
  }),
  test('remembers the stream sequence', async ({ store, reopen }) => {
    await store.create(STREAM);
    await appended(store, { records: numbered(1), streamSeq: 'm' });
    assert.deepEqual(await append(await reopen(), { records: numbered(1), streamSeq: 'l' }), {
      status: 'regression',
      streamSeq: 'm',
    });
  }),
  test('does not find what was deleted', async ({ store, reopen }) => {
    const { head: old } = await store.create('a', { records: numbered(2) });
    await store.create('b', { records: numbered(2) });
    await store.delete('a');
    await store.delete('b');
    await store.create('b', { records: texts('"new"') });
    const again = await reopen();
    assert.equal(await again.head('a'), null);
    assert.deepEqual(await textsOf(again, 'b'), ['"new"']);
    assert.notEqual((await again.create('a')).head.incarnation, old.incarnation);
  }),
  test('wakes waiters as before', async ({ store, reopen, within }) => {
    await store.create(STREAM, { records: numbered(1) });
    const again = await reopen();
    const wait = again.wait(STREAM, { position: 1 });
    await appended(again, { records: numbered(1) });
    assert.equal((await within(wait, 'wait')).nextPosition, 2);
  }),
];

/** After a restart: everything that was acknowledged is there. */
export const reopenCases: readonly StoreCase[] = [...content, ...state];
