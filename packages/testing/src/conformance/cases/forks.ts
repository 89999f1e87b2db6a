import assert from 'node:assert/strict';

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
  unchanged,
  wrong,
} from '../helpers.ts';
import { type StoreCase, storeCases } from '../store-case.ts';

const test = storeCases('forks', 'forks');
const FORK = 'runs/r42/tokens~2';
const BYTES = 'application/octet-stream';

const bytes = (text: string): { readonly data: Uint8Array } => ({ data: new TextEncoder().encode(text) });

const creations: readonly StoreCase[] = [
  test('a fork begins with what its source has, and goes on from there', async ({ store }) => {
    const { head: source } = await store.create(STREAM, { records: numbered(3) });
    const { created, head } = await store.create(FORK, { fork: { from: STREAM } });
    assert.equal(created, true);
    const { incarnation, createdAt: _createdAt, ...rest } = head;
    assert.notEqual(incarnation, source.incarnation);
    assert.deepEqual(rest, {
      id: FORK,
      contentType: 'application/json',
      firstPosition: 0,
      nextPosition: 3,
      end: null,
      cancel: null,
      lease: null,
      owner: null,
      token: 0,
      ttlMs: null,
      expiresAt: null,
      fork: { from: STREAM, incarnation: source.incarnation, position: 3, bytes: 0, depth: 1 },
    });
    assert.deepEqual(await headOf(store, FORK), head);
    assert.deepEqual((await appended(store, { records: numbered(2, 3) }, { id: FORK })).position, 3);
    assert.deepEqual(await textsOf(store, FORK), ['0', '1', '2', '3', '4']);
  }),
  test('a stream can be forked at each of its positions', async ({ store }) => {
    await store.create(STREAM, { records: numbered(4) });
    for (let position = 0; position <= 4; position++) {
      const id = `${FORK}/${position}`;
      const { head } = await store.create(id, { fork: { from: STREAM, position } });
      assert.deepEqual([head.firstPosition, head.nextPosition], [0, position]);
      await appended(store, { records: texts('"own"') }, { id });
      const before = Array.from({ length: position }, (_, n) => String(n));
      assert.deepEqual(await textsOf(store, id), [...before, '"own"']);
    }
  }),
  test('an empty stream can be forked', async ({ store }) => {
    await store.create(STREAM);
    await store.create(FORK, { fork: { from: STREAM } });
    assert.deepEqual(await readAll(store, FORK), []);
    await appended(store, { records: numbered(1) }, { id: FORK });
    assert.deepEqual(await textsOf(store, FORK), ['0']);
  }),
  test('first records and an end come behind what is inherited', async ({ store }) => {
    await store.create(STREAM, { records: numbered(2) });
    const { head } = await store.create(FORK, {
      fork: { from: STREAM, position: 1 },
      records: texts('"a"', '"b"'),
      end: COMPLETED,
    });
    assert.deepEqual([head.nextPosition, head.end], [3, COMPLETED]);
    assert.deepEqual(await textsOf(store, FORK), ['0', '"a"', '"b"']);
  }),
  test('has the content type of its source, as it is written there', async ({ store, refuses }) => {
    await store.create(STREAM, { contentType: 'Text/Plain; charset=UTF-8', records: [bytes('abc')] });
    const { head } = await store.create(FORK, { fork: { from: STREAM }, records: [bytes('d')] });
    assert.equal(head.contentType, 'Text/Plain; charset=UTF-8');
    await refuses(store.create('other', { contentType: 'application/json', fork: { from: STREAM } }), 'CONTENT_TYPE');
    await refuses(store.create('other', { fork: { from: STREAM }, records: texts('1') }), 'INVALID_ARGUMENT');
    assert.equal(await store.head('other'), null);
  }),
  test('begins with a part of a record where that is wanted', async ({ store, refuses }) => {
    await store.create(STREAM, { contentType: BYTES, records: [bytes('hello'), bytes('world')] });
    const fork = { from: STREAM, position: 1, bytes: 3 };
    const { head } = await store.create(FORK, { fork, records: [bytes('!')] });
    assert.deepEqual([head.nextPosition, head.fork?.position, head.fork?.bytes], [3, 1, 3]);
    const read = async (id: string): Promise<readonly string[]> =>
      (await readAll(store, id)).map((record) =>
        record.kind === 'data' && typeof record.data !== 'string' ? new TextDecoder().decode(record.data) : '?',
      );
    assert.deepEqual(await read(FORK), ['hello', 'wor', '!']);
    // Of a record that the source has of its own source, and of one that was cut already.
    await store.create('again', { fork: { from: FORK, position: 0, bytes: 4 } });
    assert.deepEqual(await read('again'), ['hell']);
    await store.create('once more', { fork: { from: FORK, position: 1, bytes: 3 } });
    assert.deepEqual(await read('once more'), ['hello', 'wor']);
    for (const wanted of [
      { from: STREAM, position: 1, bytes: 6 },
      { from: STREAM, position: 2, bytes: 1 },
    ])
      await refuses(store.create('other', { fork: wanted }), 'INVALID_ARGUMENT');
    assert.equal(await store.head('other'), null);
  }),
  test('JSON is not cut', async ({ store, refuses }) => {
    await store.create(STREAM, { records: texts('"hello"') });
    await refuses(store.create(FORK, { fork: { from: STREAM, position: 0, bytes: 2 } }), 'INVALID_ARGUMENT');
  }),
  test('refuses a source that does not exist, and a position that it does not have', async ({ store, refuses }) => {
    await refuses(store.create(FORK, { fork: { from: STREAM } }), 'NOT_FOUND');
    await store.create(STREAM, { records: numbered(2) });
    await refuses(store.create(FORK, { fork: { from: STREAM, position: 3 } }), 'INVALID_ARGUMENT');
    assert.equal(await store.head(FORK), null);
  }),
  ...Object.entries({
    'no object': 'source',
    'no source': {},
    'an empty source': { from: '' },
    'a source that is no text': { from: 7 },
    'a lone surrogate': { from: '\ud800' },
    'a negative position': { from: STREAM, position: -1 },
    'half a position': { from: STREAM, position: 0.5 },
    'negative bytes': { from: STREAM, position: 0, bytes: -1 },
    'bytes without a position': { from: STREAM, bytes: 1 },
  }).map(([name, fork]) =>
    test(`refuses ${name}`, async ({ store, refuses }) => {
      await store.create(STREAM, { records: numbered(2) });
      await refuses(store.create(FORK, { fork: wrong(fork) }), 'INVALID_ARGUMENT');
      assert.equal(await store.head(FORK), null);
    }),
  ),
];

const findings: readonly StoreCase[] = [
  test('finds the fork that was asked for, wherever its source has come to', async ({ store }) => {
    await store.create(STREAM, { records: numbered(2) });
    const { head } = await store.create(FORK, { fork: { from: STREAM } });
    await appended(store, { records: numbered(1, 2) });
    for (const fork of [{ from: STREAM }, { from: STREAM, position: 2 }, { from: STREAM, position: 2, bytes: 0 }]) {
      const again = await store.create(FORK, { fork, records: texts('"ignored"') });
      assert.deepEqual([again.created, again.head], [false, head]);
    }
    assert.equal((await store.create(FORK)).created, false);
    assert.deepEqual(await textsOf(store, FORK), ['0', '1']);
  }),
  test('refuses another source, position, part, content type or lifetime', async ({ store, refuses }) => {
    await store.create(STREAM, { contentType: BYTES, records: [bytes('hello'), bytes('world')] });
    await store.create('other', { contentType: BYTES, records: [bytes('hello'), bytes('world')] });
    const fork = { from: STREAM, position: 1, bytes: 2 };
    await store.create(FORK, { fork });
    for (const options of [
      { fork: { ...fork, from: 'other' } },
      { fork: { ...fork, position: 0 } },
      { fork: { ...fork, bytes: 3 } },
      { fork: { from: STREAM, position: 1 } },
      { fork, contentType: 'text/plain' },
      { fork, ttlMs: 60_000 },
      { fork, end: COMPLETED },
    ])
      await unchanged(store, () => refuses(store.create(FORK, options), 'EXISTS'), FORK);
    // A stream that is no fork is none of this source.
    await refuses(store.create('other', { fork: { from: STREAM } }), 'EXISTS');
    await refuses(store.create(STREAM, { fork: { from: STREAM } }), 'EXISTS');
  }),
  test(
    'raises the token of a fork that it finds',
    async ({ store, refuses }) => {
      await store.create(STREAM, { records: numbered(1), token: 9 });
      assert.equal((await store.create(FORK, { fork: { from: STREAM }, token: 2 })).head.token, 2);
      const { created, head } = await store.create(FORK, { fork: { from: STREAM }, token: 5 });
      assert.deepEqual([created, head.token], [false, 5]);
      await refuses(store.create(FORK, { fork: { from: STREAM }, token: 4 }), 'FENCED');
      await refuses(append(store, { records: numbered(1) }, { id: FORK, token: 4 }), 'FENCED');
    },
    'fencing',
  ),
  test('a refused fork leaves nothing behind', async ({ store, refuses }) => {
    await store.create(STREAM, { records: numbered(2) });
    await refuses(store.create(FORK, { fork: { from: STREAM }, contentType: 'text/plain' }), 'CONTENT_TYPE');
    await refuses(store.create(FORK, { fork: { from: STREAM, position: 5 } }), 'INVALID_ARGUMENT');
    await store.delete(STREAM);
    assert.equal((await store.create(STREAM)).created, true, 'The id is free: no fork holds on to it');
  }),
];

const contents: readonly StoreCase[] = [
  test('source and fork go separate ways', async ({ store }) => {
    await store.create(STREAM, { records: numbered(2) });
    await store.create(FORK, { fork: { from: STREAM } });
    await appended(store, { records: texts('"source"') });
    await appended(store, { records: texts('"fork"', '"fork"') }, { id: FORK });
    assert.deepEqual(await textsOf(store), ['0', '1', '"source"']);
    assert.deepEqual(await textsOf(store, FORK), ['0', '1', '"fork"', '"fork"']);
  }),
  test('each ends by itself', async ({ store }) => {
    await store.create(STREAM, { records: numbered(1), end: COMPLETED });
    await store.create(FORK, { fork: { from: STREAM } });
    assert.equal((await headOf(store, FORK)).end, null);
    await appended(store, { records: numbered(1, 1) }, { id: FORK });
    await store.create('third', { fork: { from: FORK } });
    await appended(store, { records: [], end: { outcome: 'cancelled', reason: 'r' } }, { id: 'third' });
    assert.equal((await headOf(store, FORK)).end, null);
    assert.deepEqual((await headOf(store)).end, COMPLETED);
  }),
  test('pages of every size run across the fork position', async ({ store }) => {
    await store.create(STREAM, { records: numbered(5) });
    await store.create(FORK, { fork: { from: STREAM, position: 3 }, records: numbered(4, 3) });
    const all = await readAll(store, FORK);
    assert.equal(all.length, 7);
    for (let limit = 1; limit <= 8; limit++) assert.deepEqual(await readAll(store, FORK, limit), all);
    for (let from = 0; from <= 8; from++)
      assert.deepEqual((await store.read(FORK, { from })).records.at(0)?.position, from < 7 ? from : undefined);
    assert.deepEqual((await store.read(FORK, { from: 1, maxBytes: 1 })).records.length, 1);
    assert.deepEqual((await store.read(FORK, { from: 1, maxBytes: 4 })).records, all.slice(1, 5));
  }),
  test(
    'inherited records are those of the source, in everything',
    async ({ store }) => {
      await store.create(STREAM);
      await appended(store, produced('p', 2, 0, 2));
      await appended(store, {
        records: [
          { data: '{"n": 1.0}', step: 's', attempt: 1 },
          { kind: 'supersede', step: 's', belowAttempt: 2 },
        ],
      });
      await store.create(FORK, { fork: { from: STREAM } });
      await appended(store, { records: numbered(1) }, { id: FORK });
      assert.deepEqual((await readAll(store, FORK)).slice(0, 4), await readAll(store));
    },
    'steps',
    'supersede',
    'record-sequences',
  ),
  test('producers and stream sequence start anew', async ({ store }) => {
    await store.create(STREAM);
    const segment = { ...produced('p', 3, 0, 1), sequencing: 'segment' } as const;
    await appended(store, { ...segment, streamSeq: 'z' });
    await store.create(FORK, { fork: { from: STREAM } });
    const own = { ...produced('p', 0, 0, 1), sequencing: 'segment', streamSeq: 'a' } as const;
    assert.equal((await appended(store, own, { id: FORK })).position, 1);
    assert.equal((await append(store, own, { id: FORK })).status, 'duplicate');
    assert.equal((await append(store, segment)).status, 'duplicate');
  }),
  test(
    'the state of a producer is not inherited',
    async ({ store }) => {
      await store.create(STREAM);
      await appended(store, { ...produced('p', 3, 0, 1), sequencing: 'segment' });
      await store.create(FORK, { fork: { from: STREAM } });
      assert.equal(await store.producer(FORK, 'p'), null);
    },
    'producer',
  ),
  test('cancel requests stay with their stream', async ({ store }) => {
    await store.create(STREAM, { records: numbered(1) });
    await store.mark(STREAM, { type: 'cancel' });
    await store.create(FORK, { fork: { from: STREAM } });
    assert.equal((await headOf(store, FORK)).cancel, null);
  }),
  test('an expected position counts from the beginning of the fork', async ({ store }) => {
    await store.create(STREAM, { records: numbered(2) });
    await store.create(FORK, { fork: { from: STREAM } });
    assert.deepEqual(await append(store, { records: numbered(1), expectedPosition: 0 }, { id: FORK }), {
      status: 'conflict',
      nextPosition: 2,
    });
    await appended(store, { records: numbered(1), expectedPosition: 2 }, { id: FORK });
  }),
  test('a fork of a fork has what that has, from wherever it comes', async ({ store }) => {
    await store.create('0', { records: texts('"a"', '"b"') });
    await store.create('1', { fork: { from: '0' }, records: texts('"c"', '"d"') });
    await store.create('2', { fork: { from: '1', position: 3 }, records: texts('"e"') });
    assert.deepEqual(await textsOf(store, '2'), ['"a"', '"b"', '"c"', '"e"']);
    for (let position = 0; position <= 4; position++) {
      const id = `3/${position}`;
      await store.create(id, { fork: { from: '2', position } });
      assert.deepEqual(await textsOf(store, id), ['"a"', '"b"', '"c"', '"e"'].slice(0, position));
      assert.deepEqual(await readAll(store, id, 1), await readAll(store, id));
    }
  }),
  test('a long line of forks reads as one stream', async ({ store }) => {
    await store.create('0', { records: numbered(1) });
    for (let n = 1; n < 20; n++) await store.create(`${n}`, { fork: { from: `${n - 1}` }, records: numbered(1, n) });
    const expected = Array.from({ length: 20 }, (_, n) => String(n));
    assert.equal((await headOf(store, '19')).fork?.depth, 19);
    assert.deepEqual(await textsOf(store, '19'), expected);
    assert.deepEqual(
      (await readAll(store, '19', 3)).map(({ position }) => String(position)),
      expected,
    );
  }),
];

const waits: readonly StoreCase[] = [
  test('a wait for an inherited record is over at once', async ({ store, within }) => {
    await store.create(STREAM, { records: numbered(2) });
    await store.create(FORK, { fork: { from: STREAM } });
    assert.equal((await within(store.wait(FORK, { position: 0 }), 'the wait')).nextPosition, 2);
  }),
  test('readers of a fork wake by its appends, and not by those of its source', async ({ store, within }) => {
    await store.create(STREAM, { records: numbered(2) });
    await store.create(FORK, { fork: { from: STREAM } });
    const waiting = store.wait(FORK, { position: 2 });
    await appended(store, { records: numbered(5) });
    const idle = await store.wait(FORK, { position: 2, timeoutMs: 0 });
    assert.equal(idle.nextPosition, 2);
    await appended(store, { records: numbered(1) }, { id: FORK });
    assert.equal((await within(waiting, 'the wait')).nextPosition, 3);
  }),
];

/** Forks: what they are created with, what they contain. */
export const forkCases: readonly StoreCase[] = [...creations, ...findings, ...contents, ...waits];
