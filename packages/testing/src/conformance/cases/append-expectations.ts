import assert from 'node:assert/strict';

import { append, appended, COMPLETED, headOf, numbered, STREAM, texts, textsOf, unchanged } from '../helpers.ts';
import { type StoreCase, storeCases } from '../store-case.ts';

const test = storeCases('append expectations');
const BYTES = new Uint8Array([1]);

const contentType: readonly StoreCase[] = [
  test('accepts the content type of the stream, whatever its case and parameters', async ({ store }) => {
    await store.create(STREAM, { contentType: 'text/plain; charset=utf-8' });
    await appended(store, { records: [{ data: BYTES }], contentType: 'TEXT/plain' });
    await appended(store, { records: [{ data: BYTES }], contentType: 'text/plain;charset=ascii' });
    assert.equal((await headOf(store)).nextPosition, 2);
  }),
  test('refuses another content type and names the stored one', async ({ store }) => {
    await store.create(STREAM, { contentType: 'text/plain; charset=utf-8' });
    const result = await unchanged(store, () =>
      append(store, { records: [{ data: BYTES }], contentType: 'text/html' }),
    );
    assert.deepEqual(result, { status: 'content-type', contentType: 'text/plain; charset=utf-8' });
  }),
  test('refuses bytes on a JSON stream', async ({ store }) => {
    await store.create(STREAM);
    const result = await unchanged(store, () => append(store, { records: [{ data: '1' }, { data: BYTES }] }));
    assert.deepEqual(result, { status: 'content-type', contentType: 'application/json' });
  }),
  test('refuses JSON texts on a stream of bytes', async ({ store }) => {
    await store.create(STREAM, { contentType: 'text/plain' });
    const result = await unchanged(store, () => append(store, { records: texts('"x"') }));
    assert.deepEqual(result, { status: 'content-type', contentType: 'text/plain' });
  }),
  test('takes a +json type for JSON', async ({ store }) => {
    await store.create(STREAM, { contentType: 'application/ld+json' });
    await appended(store, { records: texts('{"@id":1}') });
    assert.deepEqual(await textsOf(store), ['{"@id":1}']);
  }),
  test('a refused end does not end the stream', async ({ store }) => {
    await store.create(STREAM);
    await unchanged(store, () => append(store, { records: [], end: COMPLETED, contentType: 'text/plain' }));
    assert.equal((await headOf(store)).end, null);
  }),
];

const expectedPosition: readonly StoreCase[] = [
  test('accepts the position that the first record gets', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { records: numbered(2), expectedPosition: 0 });
    assert.deepEqual(await append(store, { records: numbered(1), expectedPosition: 2 }), {
      status: 'ok',
      position: 2,
      count: 1,
      skipped: 0,
    });
  }),
  test('refuses a position below or above the tail and names the tail', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { records: numbered(2) });
    for (const position of [0, 1, 3, Number.MAX_SAFE_INTEGER]) {
      const result = await unchanged(store, () => append(store, { records: numbered(1), expectedPosition: position }));
      assert.deepEqual(result, { status: 'conflict', nextPosition: 2 });
    }
  }),
  test('guards an end, too', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { records: numbered(1) });
    assert.deepEqual(await append(store, { records: [], end: COMPLETED, expectedPosition: 0 }), {
      status: 'conflict',
      nextPosition: 1,
    });
    assert.equal((await headOf(store)).end, null);
    assert.equal((await append(store, { records: [], end: COMPLETED, expectedPosition: 1 })).status, 'ok');
  }),
];

const streamSeq: readonly StoreCase[] = [
  test('accepts a growing stream sequence and refuses an equal or lower one', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { records: numbered(1), streamSeq: 'b' });
    for (const seq of ['b', 'a', '']) {
      const result = await unchanged(store, () => append(store, { records: numbered(1), streamSeq: seq }));
      assert.deepEqual(result, { status: 'regression', streamSeq: 'b' });
    }
    await appended(store, { records: numbered(1), streamSeq: 'c' });
  }),
  test('compares stream sequences as text, not as numbers', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { records: numbered(1), streamSeq: '9' });
    assert.deepEqual(await append(store, { records: numbered(1), streamSeq: '10' }), {
      status: 'regression',
      streamSeq: '9',
    });
    await appended(store, { records: numbered(1), streamSeq: '90' });
  }),
  test('lets appends without a stream sequence pass and remembers the last one', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { records: numbered(1), streamSeq: 'm' });
    await appended(store, { records: numbered(1) });
    assert.deepEqual(await append(store, { records: numbered(1), streamSeq: 'm' }), {
      status: 'regression',
      streamSeq: 'm',
    });
  }),
  test('does not remember the stream sequence of a refused append', async ({ store }) => {
    await store.create(STREAM);
    await appended(store, { records: numbered(1), streamSeq: 'a' });
    await append(store, { records: numbered(1), streamSeq: 'z', expectedPosition: 0 });
    await appended(store, { records: numbered(1), streamSeq: 'b' });
  }),
];

const token: readonly StoreCase[] = [
  test(
    'accepts the token of the stream',
    async ({ store }) => {
      await store.create(STREAM, { token: 4 });
      await appended(store, { records: numbered(1) }, { token: 4 });
      assert.equal((await headOf(store)).token, 4);
    },
    'fencing',
  ),
  test(
    'refuses a lower token, and none once there is one',
    async ({ store, refuses }) => {
      await store.create(STREAM, { token: 4 });
      await unchanged(store, () => refuses(append(store, { records: numbered(1) }, { token: 3 }), 'FENCED'));
      await unchanged(store, () => refuses(append(store, { records: numbered(1) }, { token: 0 }), 'FENCED'));
      await unchanged(store, () => refuses(append(store, { records: numbered(1) }), 'FENCED'));
    },
    'fencing',
  ),
  test(
    'raises the stream to a higher token',
    async ({ store, refuses }) => {
      await store.create(STREAM);
      await appended(store, { records: numbered(1) }, { token: 6 });
      assert.equal((await headOf(store)).token, 6);
      await refuses(append(store, { records: numbered(1) }, { token: 5 }), 'FENCED');
    },
    'fencing',
  ),
  test(
    'raises the token even when every segment is refused',
    async ({ store, refuses }) => {
      await store.create(STREAM);
      const { segments, head } = await store.append(STREAM, {
        segments: [{ records: numbered(1), expectedPosition: 9 }],
        token: 6,
      });
      assert.deepEqual(segments, [{ status: 'conflict', nextPosition: 0 }]);
      assert.equal(head.token, 6);
      assert.equal((await headOf(store)).token, 6);
      await refuses(append(store, { records: numbered(1) }), 'FENCED');
    },
    'fencing',
  ),
  test(
    'raises the token of an ended stream',
    async ({ store }) => {
      await store.create(STREAM, { end: COMPLETED });
      assert.equal((await append(store, { records: numbered(1) }, { token: 2 })).status, 'closed');
      assert.equal((await headOf(store)).token, 2);
    },
    'fencing',
  ),
];

/** Appends with expectations: content type, expected position, stream sequence, token. */
export const appendExpectationCases: readonly StoreCase[] = [
  ...contentType,
  ...expectedPosition,
  ...streamSeq,
  ...token,
];
