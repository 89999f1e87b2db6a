import assert from 'node:assert/strict';

import type { StreamStore } from '@perennial/core';

import { append, appended, headOf, numbered, readAll, STREAM, texts, textsOf } from '../helpers.ts';
import { type StoreCase, type StoreCaseContext, storeCases } from '../store-case.ts';

const test = storeCases('fork lifecycle', 'forks');
const FORK = 'runs/r42/tokens~2';
/** After this long, a store may take a pin of a fork that it does not find for the trace of a crash. */
const LONG_MS = 120_000;

async function fork(store: StreamStore): Promise<void> {
  await store.create(STREAM, { records: numbered(2) });
  await store.create(FORK, { fork: { from: STREAM }, records: texts('"own"') });
}

/** Fails unless the stream is gone and its id still taken. */
async function isRetained({ store, refuses }: StoreCaseContext, id: string): Promise<void> {
  assert.equal(await store.head(id), null);
  for (const call of [
    () => store.read(id, { from: 0 }),
    () => store.wait(id, { position: 0 }),
    () => store.mark(id, { type: 'cancel' }),
    () => append(store, { records: numbered(1) }, { id }),
    () => store.create('another fork', { fork: { from: id } }),
  ]) {
    const error = await refuses(call(), 'NOT_FOUND');
    assert.equal(Reflect.get(error, 'retained'), true, 'The error says that the id is still taken');
  }
  await refuses(store.create(id), 'EXISTS');
  assert.equal(await store.delete(id), false);
}

/** Fails unless the id can be used again. */
async function isFree(store: StreamStore, id: string): Promise<void> {
  const { created, head } = await store.create(id);
  assert.deepEqual([created, head.nextPosition], [true, 0], `The id ${id} has to be free again`);
}

const deletions: readonly StoreCase[] = [
  test('a fork that is deleted leaves its source alone', async ({ store }) => {
    await fork(store);
    assert.equal(await store.delete(FORK), true);
    assert.equal(await store.head(FORK), null);
    assert.deepEqual(await textsOf(store), ['0', '1']);
    await isFree(store, FORK);
    await store.delete(STREAM);
    await isFree(store, STREAM);
  }),
  test('a source that is deleted stays for its fork, and for nobody else', async (context) => {
    const { store } = context;
    await fork(store);
    assert.equal(await store.delete(STREAM), true);
    await isRetained(context, STREAM);
    assert.deepEqual(await textsOf(store, FORK), ['0', '1', '"own"']);
    await appended(store, { records: numbered(1) }, { id: FORK });
    assert.deepEqual(await readAll(store, FORK, 1), await readAll(store, FORK));
  }),
  test(
    'a source that is deleted is not listed',
    async ({ store }) => {
      await fork(store);
      await store.delete(STREAM);
      assert.deepEqual(
        (await store.list()).streams.map(({ id }) => id),
        [FORK],
      );
    },
    'list',
  ),
  test('readers of a source that is deleted are told', async ({ store, refuses }) => {
    await fork(store);
    const refused = refuses(store.wait(STREAM, { position: 2 }), 'NOT_FOUND');
    await store.delete(STREAM);
    await refused;
  }),
  test('the last fork takes a deleted source with it', async (context) => {
    const { store } = context;
    await fork(store);
    await store.create('second', { fork: { from: STREAM, position: 1 } });
    await store.delete(STREAM);
    await store.delete(FORK);
    await isRetained(context, STREAM);
    assert.deepEqual(await textsOf(store, 'second'), ['0']);
    await store.delete('second');
    await isFree(store, STREAM);
  }),
  test('a deleted source with its whole line goes with the last fork', async (context) => {
    const { store } = context;
    await store.create('0', { records: numbered(1) });
    for (let n = 1; n <= 4; n++) await store.create(`${n}`, { fork: { from: `${n - 1}` }, records: numbered(1, n) });
    for (const id of ['2', '0', '1', '3']) await store.delete(id);
    for (const id of ['0', '1', '2', '3']) await isRetained(context, id);
    assert.deepEqual(await textsOf(store, '4'), ['0', '1', '2', '3', '4']);
    await store.delete('4');
    for (const id of ['0', '1', '2', '3', '4']) await isFree(store, id);
  }),
  test('the middle of a line may go', async (context) => {
    const { store } = context;
    await store.create('0', { records: texts('"a"') });
    await store.create('1', { fork: { from: '0' }, records: texts('"b"') });
    await store.create('2', { fork: { from: '1' }, records: texts('"c"') });
    await store.delete('1');
    await isRetained(context, '1');
    assert.deepEqual(await textsOf(store, '2'), ['"a"', '"b"', '"c"']);
    assert.deepEqual(await textsOf(store, '0'), ['"a"']);
    await store.create('3', { fork: { from: '2' } });
    assert.deepEqual(await textsOf(store, '3'), ['"a"', '"b"', '"c"']);
    await store.delete('2');
    await store.delete('3');
    await isFree(store, '1');
  }),
  test('a repeated creation finds a fork that has outlived its source', async ({ store }) => {
    await fork(store);
    await store.delete(STREAM);
    assert.equal((await store.create(FORK, { fork: { from: STREAM } })).created, false);
  }),
  test('fork and deletion at the same time leave a whole fork or none', async ({ store, within }) => {
    for (let round = 0; round < 8; round++) {
      const [from, id] = [`source/${round}`, `fork/${round}`];
      await store.create(from, { records: numbered(3) });
      const [made] = await within(
        Promise.allSettled([store.create(id, { fork: { from } }), store.delete(from)]),
        'fork and deletion',
      );
      if (made.status === 'fulfilled') assert.deepEqual(await textsOf(store, id), ['0', '1', '2']);
      else {
        assert.equal(Reflect.get(made.reason as object, 'code'), 'NOT_FOUND');
        assert.equal(await store.head(id), null);
      }
      if (made.status === 'fulfilled') await store.delete(id);
      await isFree(store, from);
    }
  }),
  test('many forks at the same time, while the source grows', async ({ store, within }) => {
    await store.create(STREAM, { records: numbered(5) });
    const ids = Array.from({ length: 12 }, (_, n) => `fork/${n}`);
    await within(
      Promise.all([
        ...ids.map((id) => store.create(id, { fork: { from: STREAM } })),
        ...Array.from({ length: 10 }, (_, n) => appended(store, { records: numbered(2, 100 + n) })),
      ]),
      'forks and appends',
    );
    const source = await readAll(store);
    for (const id of ids) {
      const { nextPosition } = await headOf(store, id);
      assert.ok(nextPosition >= 5);
      assert.deepEqual(await readAll(store, id), source.slice(0, nextPosition));
    }
    await store.delete(STREAM);
    for (const id of ids) await store.delete(id);
    await isFree(store, STREAM);
  }),
];

const expiries: readonly StoreCase[] = [
  test(
    'has the lifetime of its source unless it is given one',
    async ({ store, clock }) => {
      const expiresAt = clock.now() + 50_000;
      await store.create('sliding', { ttlMs: 10_000 });
      await store.create('fixed', { expiresAt });
      const life = async (from: string, options: { ttlMs?: number; expiresAt?: number }): Promise<unknown> => {
        const { head } = await store.create(`${from} ${JSON.stringify(options)}`, { fork: { from }, ...options });
        return [head.ttlMs, head.expiresAt];
      };
      assert.deepEqual(await life('sliding', {}), [10_000, null]);
      assert.deepEqual(await life('fixed', {}), [null, expiresAt]);
      assert.deepEqual(await life('sliding', { ttlMs: 99_000 }), [99_000, null]);
      assert.deepEqual(await life('sliding', { expiresAt }), [null, expiresAt]);
      assert.deepEqual(await life('fixed', { ttlMs: 1_000 }), [1_000, null]);
    },
    'clock',
  ),
  test(
    'a source that expires stays for its fork',
    async (context) => {
      const { store, clock } = context;
      await store.create(STREAM, { records: numbered(2), ttlMs: 1_000 });
      await store.create(FORK, { fork: { from: STREAM }, ttlMs: 10_000 });
      clock.advance(1_000);
      assert.equal(await store.head(STREAM), null);
      await isRetained(context, STREAM);
      assert.deepEqual(await textsOf(store, FORK), ['0', '1']);
      await store.delete(FORK);
      await isFree(store, STREAM);
    },
    'clock',
  ),
  test(
    'a source that has expired unseen stays for its fork',
    async ({ store, clock }) => {
      await store.create(STREAM, { records: numbered(2), ttlMs: 1_000 });
      await store.create(FORK, { fork: { from: STREAM }, ttlMs: LONG_MS });
      clock.advance(50_000);
      assert.deepEqual(await textsOf(store, FORK), ['0', '1']);
    },
    'clock',
  ),
  test(
    'reading a fork keeps the fork, and not its source',
    async ({ store, clock }) => {
      await store.create(STREAM, { records: numbered(2), ttlMs: 1_000 });
      await store.create(FORK, { fork: { from: STREAM } });
      clock.advance(900);
      await store.read(FORK, { from: 0 });
      clock.advance(100);
      assert.equal(await store.head(STREAM), null);
      clock.advance(899);
      assert.ok(await store.head(FORK));
      clock.advance(1);
      assert.equal(await store.head(FORK), null);
    },
    'clock',
  ),
  test(
    'a fork that expires leaves its source alone, and lets it go',
    async ({ store, clock }) => {
      await store.create(STREAM, { records: numbered(2) });
      await store.create(FORK, { fork: { from: STREAM }, ttlMs: 1_000 });
      clock.advance(LONG_MS);
      assert.equal(await store.head(FORK), null);
      assert.deepEqual(await textsOf(store), ['0', '1']);
      assert.equal(await store.delete(STREAM), true);
      await isFree(store, STREAM);
    },
    'clock',
  ),
];

const reopenings: readonly StoreCase[] = [
  test(
    'forks and what is kept for them survive a restart',
    async (context) => {
      const { store, reopen } = context;
      await store.create('0', { records: texts('"a"', '"b"') });
      await store.create('1', { fork: { from: '0', position: 1 }, records: texts('"c"') });
      await store.create('2', { fork: { from: '1' }, records: texts('"d"') });
      await store.delete('0');
      await store.delete('1');
      const before = { head: await headOf(store, '2'), records: await readAll(store, '2') };
      const again = await reopen();
      assert.deepEqual({ head: await headOf(again, '2'), records: await readAll(again, '2') }, before);
      await isRetained({ ...context, store: again }, '0');
      await isRetained({ ...context, store: again }, '1');
      await appended(again, { records: texts('"e"') }, { id: '2' });
      assert.deepEqual(await textsOf(again, '2'), ['"a"', '"c"', '"d"', '"e"']);
      await again.delete('2');
      await isFree(again, '0');
      await isFree(again, '1');
    },
    'reopen',
  ),
  test(
    'a source that lives on after a restart still knows its forks',
    async (context) => {
      await fork(context.store);
      const again = await context.reopen();
      await again.delete(STREAM);
      await isRetained({ ...context, store: again }, STREAM);
      assert.deepEqual(await textsOf(again, FORK), ['0', '1', '"own"']);
    },
    'reopen',
  ),
];

/** The life of forks and of their sources. */
export const forkLifecycleCases: readonly StoreCase[] = [...deletions, ...expiries, ...reopenings];
