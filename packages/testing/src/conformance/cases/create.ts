import assert from 'node:assert/strict';

import {
  append,
  appended,
  COMPLETED,
  headOf,
  numbered,
  readAll,
  STREAM,
  texts,
  textsOf,
  unchanged,
} from '../helpers.ts';
import { type StoreCase, storeCases } from '../store-case.ts';

const test = storeCases('create');

const fresh: readonly StoreCase[] = [
  test('makes an open, empty stream', async ({ store }) => {
    const { created, head } = await store.create(STREAM);
    assert.equal(created, true);
    const { incarnation, createdAt, ...rest } = head;
    assert.deepEqual(rest, {
      id: STREAM,
      contentType: 'application/json',
      firstPosition: 0,
      nextPosition: 0,
      end: null,
      cancel: null,
      lease: null,
      owner: null,
      token: 0,
      ttlMs: null,
      expiresAt: null,
      fork: null,
    });
    assert.ok(typeof incarnation === 'string' && incarnation !== '', 'An incarnation is a non-empty string');
    assert.ok(Number.isSafeInteger(createdAt), 'createdAt is in whole milliseconds');
    assert.deepEqual(await headOf(store), head);
  }),
  test(
    'stamps the time of creation',
    async ({ store, clock }) => {
      clock.advance(1_234);
      assert.equal((await store.create(STREAM)).head.createdAt, clock.now());
    },
    'clock',
  ),
  test('keeps the content type as it was given', async ({ store }) => {
    await store.create(STREAM, { contentType: 'Text/Plain; charset=UTF-8' });
    assert.equal((await headOf(store)).contentType, 'Text/Plain; charset=UTF-8');
  }),
  test('keeps ttl and expiry', async ({ store, clock }) => {
    const expiresAt = Math.max(clock.now(), Date.now()) + 3_600_000;
    await store.create('a', { ttlMs: 3_600_000 });
    await store.create('b', { expiresAt });
    assert.equal((await headOf(store, 'a')).ttlMs, 3_600_000);
    assert.equal((await headOf(store, 'b')).expiresAt, expiresAt);
  }),
  test(
    'keeps the owner',
    async ({ store }) => {
      await store.create(STREAM, { owner: 'runs/r42/journal' });
      assert.equal((await headOf(store)).owner, 'runs/r42/journal');
    },
    'owner',
  ),
  test(
    'keeps the lease, at beat 0',
    async ({ store }) => {
      await store.create(STREAM, { leaseMs: 15_000 });
      assert.deepEqual((await headOf(store)).lease, { durationMs: 15_000, beat: 0 });
    },
    'lease',
  ),
  test(
    'keeps the initial token',
    async ({ store }) => {
      await store.create(STREAM, { token: 7 });
      assert.equal((await headOf(store)).token, 7);
    },
    'fencing',
  ),
  test('stores initial records with the creation', async ({ store }) => {
    const { created, head } = await store.create(STREAM, { records: texts('"a"', '"b"', '"c"') });
    assert.equal(created, true);
    assert.equal(head.nextPosition, 3);
    assert.equal(head.end, null);
    assert.deepEqual(await textsOf(store), ['"a"', '"b"', '"c"']);
    assert.deepEqual(await append(store, { records: numbered(1) }), {
      status: 'ok',
      position: 3,
      count: 1,
      skipped: 0,
    });
  }),
  test('stores initial records of a binary stream', async ({ store }) => {
    await store.create(STREAM, {
      contentType: 'application/octet-stream',
      records: [{ data: new Uint8Array([1, 0, 255]) }],
    });
    const [record] = await readAll(store);
    assert.ok(record?.kind === 'data' && record.data instanceof Uint8Array);
    assert.deepEqual([...record.data], [1, 0, 255]);
  }),
  test(
    'stores initial records under an initial token',
    async ({ store }) => {
      await store.create(STREAM, { token: 3, records: texts('1') });
      assert.deepEqual(await textsOf(store), ['1']);
      assert.equal((await headOf(store)).token, 3);
    },
    'fencing',
  ),
  test('creates a stream that has ended already', async ({ store }) => {
    const { head } = await store.create(STREAM, { end: COMPLETED });
    assert.deepEqual(head.end, COMPLETED);
    assert.deepEqual(await append(store, { records: numbered(1) }), { status: 'closed', end: COMPLETED });
  }),
  test('creates a stream with its records and its end', async ({ store }) => {
    const end = { outcome: 'cancelled', reason: 'not wanted' } as const;
    const { head } = await store.create(STREAM, { records: texts('1', '2'), end });
    assert.equal(head.nextPosition, 2);
    assert.deepEqual(await textsOf(store), ['1', '2']);
    assert.deepEqual((await headOf(store)).end, end);
  }),
  test('refuses initial records that do not fit the content type', async ({ store, refuses }) => {
    await refuses(store.create('a', { records: [{ data: new Uint8Array([1]) }] }), 'INVALID_ARGUMENT');
    await refuses(store.create('b', { contentType: 'text/plain', records: texts('"x"') }), 'INVALID_ARGUMENT');
    assert.equal(await store.head('a'), null);
    assert.equal(await store.head('b'), null);
  }),
];

const existing: readonly StoreCase[] = [
  test('finds a stream of the same configuration', async ({ store }) => {
    const first = await store.create(STREAM);
    await appended(store, { records: numbered(2) });
    const head = await headOf(store);
    assert.deepEqual(await store.create(STREAM), { created: false, head });
    assert.equal(head.incarnation, first.head.incarnation);
  }),
  test('takes content types that differ in case and parameters for the same', async ({ store }) => {
    await store.create(STREAM, { contentType: 'application/json; charset=utf-8' });
    const { created, head } = await store.create(STREAM, { contentType: 'Application/JSON' });
    assert.equal(created, false);
    assert.equal(head.contentType, 'application/json; charset=utf-8');
  }),
  test('refuses another content type', async ({ store, refuses }) => {
    await store.create(STREAM);
    await unchanged(store, () => refuses(store.create(STREAM, { contentType: 'text/plain' }), 'EXISTS'));
  }),
  test('refuses another ttl', async ({ store, refuses }) => {
    await store.create(STREAM, { ttlMs: 3_600_000 });
    await unchanged(store, () => refuses(store.create(STREAM, { ttlMs: 7_200_000 }), 'EXISTS'));
    await unchanged(store, () => refuses(store.create(STREAM), 'EXISTS'));
  }),
  test('refuses another expiry', async ({ store, clock, refuses }) => {
    const expiresAt = Math.max(clock.now(), Date.now()) + 3_600_000;
    await store.create(STREAM, { expiresAt });
    await unchanged(store, () => refuses(store.create(STREAM, { expiresAt: expiresAt + 1 }), 'EXISTS'));
    await unchanged(store, () => refuses(store.create(STREAM), 'EXISTS'));
  }),
  test('refuses an open stream where an ended one was asked for', async ({ store, refuses }) => {
    await store.create(STREAM);
    await unchanged(store, () => refuses(store.create(STREAM, { end: COMPLETED }), 'EXISTS'));
  }),
  test('finds a stream that has ended since', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { records: [], end: COMPLETED });
    const { created, head } = await store.create(STREAM);
    assert.equal(created, false);
    assert.deepEqual(head.end, COMPLETED);
  }),
  test('finds an ended stream and keeps its end', async ({ store }) => {
    await store.create(STREAM, { end: COMPLETED });
    const { created, head } = await store.create(STREAM, { end: { outcome: 'cancelled' } });
    assert.equal(created, false);
    assert.deepEqual(head.end, COMPLETED);
  }),
  test('ignores the records of a second creation', async ({ store }) => {
    await store.create(STREAM, { records: texts('1') });
    await unchanged(store, () => store.create(STREAM, { records: texts('2', '3') }));
  }),
  test(
    'ignores lease and owner of a second creation',
    async ({ store }) => {
      await store.create(STREAM, { leaseMs: 1_000, owner: 'o' });
      const { created } = await unchanged(store, () => store.create(STREAM, { leaseMs: 2_000, owner: 'p' }));
      assert.equal(created, false);
    },
    'lease',
    'owner',
  ),
];

const tokens: readonly StoreCase[] = [
  test(
    'raises an existing stream to a higher token',
    async ({ store, refuses }) => {
      await store.create(STREAM, { token: 2 });
      const { created, head } = await store.create(STREAM, { token: 5 });
      assert.equal(created, false);
      assert.equal(head.token, 5);
      await refuses(append(store, { records: numbered(1) }, { token: 4 }), 'FENCED');
      await appended(store, { records: numbered(1) }, { token: 5 });
    },
    'fencing',
  ),
  test(
    'refuses a token lower than that of the existing stream',
    async ({ store, refuses }) => {
      await store.create(STREAM, { token: 5 });
      await unchanged(store, () => refuses(store.create(STREAM, { token: 4 }), 'FENCED'));
    },
    'fencing',
  ),
  test(
    'finds a stream by the same token, or by none',
    async ({ store }) => {
      await store.create(STREAM, { token: 5 });
      assert.equal((await unchanged(store, () => store.create(STREAM, { token: 5 }))).created, false);
      assert.equal((await unchanged(store, () => store.create(STREAM))).created, false);
    },
    'fencing',
  ),
  test(
    'reports another configuration before fencing, and raises nothing',
    async ({ store, refuses }) => {
      await store.create(STREAM, { token: 5 });
      await unchanged(store, () => refuses(store.create(STREAM, { token: 4, contentType: 'text/plain' }), 'EXISTS'));
      await unchanged(store, () => refuses(store.create(STREAM, { token: 6, contentType: 'text/plain' }), 'EXISTS'));
    },
    'fencing',
  ),
  test(
    'raises the token of an ended stream',
    async ({ store }) => {
      await store.create(STREAM, { end: COMPLETED });
      assert.equal((await store.create(STREAM, { token: 3 })).head.token, 3);
    },
    'fencing',
  ),
];

/** Creation: idempotence, configuration conflicts, initial content, tokens. */
export const createCases: readonly StoreCase[] = [...fresh, ...existing, ...tokens];
