import assert from 'node:assert/strict';

import { append, appended, COMPLETED, headOf, numbered, STREAM, unchanged } from '../helpers.ts';
import { type StoreCase, storeCases } from '../store-case.ts';

const fence = storeCases('fencing', 'fencing');
const lease = storeCases('lease', 'lease');
const cancel = storeCases('cancel');

const fences: readonly StoreCase[] = [
  fence('raises the token', async ({ store }) => {
    await store.create(STREAM);
    const head = await store.mark(STREAM, { type: 'fence', token: 3, nonce: 'n' });
    assert.equal(head.token, 3);
    assert.deepEqual(await headOf(store), head);
  }),
  fence('shuts out writers with a lower token or none', async ({ store, refuses }) => {
    await store.create(STREAM);
    await appended(store, { records: numbered(1) }, { token: 1 });
    await store.mark(STREAM, { type: 'fence', token: 2, nonce: 'n' });
    await unchanged(store, () => refuses(append(store, { records: numbered(1) }, { token: 1 }), 'FENCED'));
    await unchanged(store, () => refuses(append(store, { records: [], end: COMPLETED }), 'FENCED'));
    await appended(store, { records: numbered(1) }, { token: 2 });
  }),
  fence('refuses a lower token', async ({ store, refuses }) => {
    await store.create(STREAM);
    await store.mark(STREAM, { type: 'fence', token: 3, nonce: 'n' });
    await unchanged(store, () => refuses(store.mark(STREAM, { type: 'fence', token: 2, nonce: 'n' }), 'FENCED'));
  }),
  fence('accepts a repeated raise by the same nonce', async ({ store }) => {
    await store.create(STREAM);
    const first = await store.mark(STREAM, { type: 'fence', token: 3, nonce: 'n' });
    assert.deepEqual(await unchanged(store, () => store.mark(STREAM, { type: 'fence', token: 3, nonce: 'n' })), first);
  }),
  fence('refuses the same token from another nonce', async ({ store, refuses }) => {
    await store.create(STREAM);
    await store.mark(STREAM, { type: 'fence', token: 3, nonce: 'n' });
    await unchanged(store, () => refuses(store.mark(STREAM, { type: 'fence', token: 3, nonce: 'm' }), 'FENCED'));
    await store.mark(STREAM, { type: 'fence', token: 3, nonce: 'n' });
  }),
  fence('refuses the token that a creation has set', async ({ store, refuses }) => {
    await store.create(STREAM, { token: 3 });
    await refuses(store.mark(STREAM, { type: 'fence', token: 3, nonce: 'n' }), 'FENCED');
    await refuses(store.mark('absent', { type: 'fence', token: 3, nonce: 'n' }), 'NOT_FOUND');
  }),
  fence('refuses token 0, which every stream has', async ({ store, refuses }) => {
    await store.create(STREAM);
    await refuses(store.mark(STREAM, { type: 'fence', token: 0, nonce: 'n' }), 'FENCED');
  }),
  fence('forgets the nonce when an append raises the token', async ({ store, refuses }) => {
    await store.create(STREAM);
    await store.mark(STREAM, { type: 'fence', token: 3, nonce: 'n' });
    await appended(store, { records: numbered(1) }, { token: 4 });
    await refuses(store.mark(STREAM, { type: 'fence', token: 4, nonce: 'n' }), 'FENCED');
    await refuses(store.mark(STREAM, { type: 'fence', token: 3, nonce: 'n' }), 'FENCED');
  }),
  fence('keeps the nonce when an append carries the token it raised to', async ({ store }) => {
    await store.create(STREAM);
    await store.mark(STREAM, { type: 'fence', token: 3, nonce: 'n' });
    await appended(store, { records: numbered(1) }, { token: 3 });
    await store.mark(STREAM, { type: 'fence', token: 3, nonce: 'n' });
  }),
  fence('forgets the nonce when a creation raises the token', async ({ store, refuses }) => {
    await store.create(STREAM);
    await store.mark(STREAM, { type: 'fence', token: 3, nonce: 'n' });
    await store.create(STREAM, { token: 5 });
    await refuses(store.mark(STREAM, { type: 'fence', token: 5, nonce: 'n' }), 'FENCED');
  }),
  fence('raises the token of an ended stream', async ({ store }) => {
    await store.create(STREAM, { end: COMPLETED });
    assert.equal((await store.mark(STREAM, { type: 'fence', token: 1, nonce: 'n' })).token, 1);
  }),
  fence('accepts the largest token', async ({ store, refuses }) => {
    await store.create(STREAM);
    const token = Number.MAX_SAFE_INTEGER;
    assert.equal((await store.mark(STREAM, { type: 'fence', token, nonce: 'n' })).token, token);
    await refuses(append(store, { records: numbered(1) }, { token: token - 1 }), 'FENCED');
    await appended(store, { records: numbered(1) }, { token });
  }),
];

const leases: readonly StoreCase[] = [
  lease('grows the beat with each renewal', async ({ store }) => {
    await store.create(STREAM, { leaseMs: 15_000 });
    const head = await store.mark(STREAM, { type: 'lease' });
    assert.deepEqual(head.lease, { durationMs: 15_000, beat: 1 });
    await store.mark(STREAM, { type: 'lease' });
    assert.deepEqual((await headOf(store)).lease, { durationMs: 15_000, beat: 2 });
  }),
  lease('changes the duration', async ({ store }) => {
    await store.create(STREAM, { leaseMs: 15_000 });
    assert.deepEqual((await store.mark(STREAM, { type: 'lease', durationMs: 1 })).lease, { durationMs: 1, beat: 1 });
    assert.equal((await store.mark(STREAM, { type: 'lease' })).lease?.durationMs, 1);
  }),
  lease('takes a lease on a stream created without one', async ({ store }) => {
    await store.create(STREAM);
    const { lease: taken } = await store.mark(STREAM, { type: 'lease', durationMs: 500 });
    assert.equal(taken?.durationMs, 500);
  }),
  lease('renews nothing where there is no lease', async ({ store }) => {
    await store.create(STREAM);
    assert.equal((await unchanged(store, () => store.mark(STREAM, { type: 'lease' }))).lease, null);
  }),
  lease('releases the lease', async ({ store }) => {
    await store.create(STREAM, { leaseMs: 15_000 });
    assert.equal((await store.mark(STREAM, { type: 'lease', durationMs: null })).lease, null);
    assert.equal((await headOf(store)).lease, null);
    await unchanged(store, () => store.mark(STREAM, { type: 'lease', durationMs: null }));
  }),
  lease('adds no record', async ({ store }) => {
    await store.create(STREAM, { leaseMs: 15_000, records: numbered(1) });
    await store.mark(STREAM, { type: 'lease' });
    assert.equal((await headOf(store)).nextPosition, 1);
  }),
  lease('leaves an ended stream alone', async ({ store }) => {
    await store.create(STREAM, { leaseMs: 15_000, end: COMPLETED });
    await unchanged(store, () => store.mark(STREAM, { type: 'lease', durationMs: 99 }));
  }),
  lease(
    'refuses a writer that was overtaken',
    async ({ store, refuses }) => {
      await store.create(STREAM, { leaseMs: 15_000, token: 3 });
      for (const token of [undefined, 0, 2]) {
        await unchanged(store, () =>
          refuses(store.mark(STREAM, { type: 'lease', ...(token === undefined ? {} : { token }) }), 'FENCED'),
        );
        await unchanged(store, () =>
          refuses(
            store.mark(STREAM, { type: 'lease', durationMs: null, ...(token === undefined ? {} : { token }) }),
            'FENCED',
          ),
        );
      }
      assert.equal((await store.mark(STREAM, { type: 'lease', token: 3 })).lease?.beat, 1);
    },
    'fencing',
  ),
  lease(
    'does not raise the token',
    async ({ store }) => {
      await store.create(STREAM, { leaseMs: 15_000, token: 3 });
      assert.equal((await store.mark(STREAM, { type: 'lease', token: 9 })).token, 3);
    },
    'fencing',
  ),
  lease('refuses an absent stream', async ({ store, refuses }) => {
    await refuses(store.mark(STREAM, { type: 'lease', durationMs: 5 }), 'NOT_FOUND');
  }),
];

const cancels: readonly StoreCase[] = [
  cancel('keeps the request, with and without a reason', async ({ store }) => {
    await store.create('a');
    await store.create('b');
    const head = await store.mark('a', { type: 'cancel', reason: 'stop: \u{1f6d1}' });
    assert.equal(head.cancel?.reason, 'stop: \u{1f6d1}');
    assert.ok(Number.isSafeInteger(head.cancel?.requestedAt));
    assert.deepEqual(await headOf(store, 'a'), head);
    const { cancel: bare } = await store.mark('b', { type: 'cancel' });
    assert.ok(bare && !('reason' in bare), 'No reason was given');
  }),
  cancel(
    'stamps the time of the request',
    async ({ store, clock }) => {
      await store.create(STREAM);
      clock.advance(77);
      assert.equal((await store.mark(STREAM, { type: 'cancel' })).cancel?.requestedAt, clock.now());
    },
    'clock',
  ),
  cancel('keeps the first request', async ({ store }) => {
    await store.create(STREAM);
    await store.mark(STREAM, { type: 'cancel', reason: 'first' });
    const head = await unchanged(store, () => store.mark(STREAM, { type: 'cancel', reason: 'second' }));
    assert.equal(head.cancel?.reason, 'first');
  }),
  cancel('is a wish: the stream stays open and takes records', async ({ store }) => {
    await store.create(STREAM);
    await store.mark(STREAM, { type: 'cancel' });
    const { segments, head } = await store.append(STREAM, { segments: [{ records: numbered(1) }] });
    assert.equal(segments[0]?.status, 'ok');
    assert.ok(head.cancel, 'The answer of an append shows the request');
    assert.equal(head.end, null);
  }),
  cancel('stays in the head after the end', async ({ store }) => {
    await store.create(STREAM);
    await store.mark(STREAM, { type: 'cancel', reason: 'r' });
    await appended(store, { records: [], end: { outcome: 'cancelled', reason: 'r' } });
    assert.equal((await headOf(store)).cancel?.reason, 'r');
  }),
  cancel('is ignored once the stream has ended', async ({ store }) => {
    await store.create(STREAM, { end: COMPLETED });
    const head = await unchanged(store, () => store.mark(STREAM, { type: 'cancel' }));
    assert.equal(head.cancel, null);
  }),
  cancel(
    'needs no token',
    async ({ store }) => {
      await store.create(STREAM, { token: 9 });
      assert.ok((await store.mark(STREAM, { type: 'cancel' })).cancel);
    },
    'fencing',
  ),
  cancel('refuses an absent stream', async ({ store, refuses }) => {
    await refuses(store.mark(STREAM, { type: 'cancel' }), 'NOT_FOUND');
    assert.equal(await store.head(STREAM), null);
  }),
];

/** Marks: fencing token, lease, cancel request. */
export const markCases: readonly StoreCase[] = [...fences, ...leases, ...cancels];
