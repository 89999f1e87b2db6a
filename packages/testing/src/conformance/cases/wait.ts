import assert from 'node:assert/strict';

import type { StreamHead } from '@perennial/core';

import { appended, COMPLETED, headOf, numbered, STREAM } from '../helpers.ts';
import { type StoreCase, type StoreCaseContext, storeCases } from '../store-case.ts';

const test = storeCases('wait');

/** Starts a wait and tells whether it is still waiting. */
function observe(promise: Promise<StreamHead>): {
  readonly promise: Promise<StreamHead>;
  readonly waiting: () => boolean;
} {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  return { promise, waiting: () => !settled };
}

/** Lets the store answer a few calls, so that a wait which wrongly resolves has the time to. */
async function roundTrips({ store }: StoreCaseContext): Promise<void> {
  for (let n = 0; n < 5; n++) {
    await store.head(STREAM);
    await new Promise((resolve) => {
      setTimeout(resolve, 0);
    });
  }
}

const immediate: readonly StoreCase[] = [
  test('resolves at once for a position that exists', async ({ store, within }) => {
    await store.create(STREAM, { records: numbered(2) });
    for (const position of [0, 1])
      assert.deepEqual(await within(store.wait(STREAM, { position }), 'wait'), await headOf(store));
  }),
  test('resolves at once when the stream has ended, whatever the position', async ({ store, within }) => {
    await store.create(STREAM, { end: COMPLETED });
    for (const position of [0, 5, Infinity])
      assert.deepEqual((await within(store.wait(STREAM, { position }), 'wait')).end, COMPLETED);
  }),
  test('resolves at once when there is a cancel request and one is waited for', async ({ store, within }) => {
    await store.create(STREAM);
    await store.mark(STREAM, { type: 'cancel', reason: 'r' });
    assert.equal((await within(store.wait(STREAM, { position: Infinity, cancel: true }), 'wait')).cancel?.reason, 'r');
  }),
  test('refuses an absent stream', async ({ store, refuses }) => {
    await refuses(store.wait(STREAM, { position: 0 }), 'NOT_FOUND');
  }),
];

const wakeUps: readonly StoreCase[] = [
  test('resolves with the head after an append', async ({ store, within }) => {
    await store.create(STREAM);
    const wait = store.wait(STREAM, { position: 0 });
    const { head } = await store.append(STREAM, { segments: [{ records: numbered(2) }] });
    assert.deepEqual(await within(wait, 'wait'), head);
  }),
  test('waits for the position that was asked for', async (context) => {
    const { store, within } = context;
    await store.create(STREAM);
    const wait = observe(store.wait(STREAM, { position: 2 }));
    await appended(store, { records: numbered(2) });
    await roundTrips(context);
    assert.ok(wait.waiting(), 'Position 2 does not exist yet');
    await appended(store, { records: numbered(1) });
    assert.equal((await within(wait.promise, 'wait')).nextPosition, 3);
  }),
  test('resolves when the stream ends', async ({ store, within }) => {
    await store.create(STREAM);
    const waits = [0, 7, Infinity].map((position) => store.wait(STREAM, { position }));
    await appended(store, { records: [], end: COMPLETED });
    for (const wait of waits) assert.deepEqual((await within(wait, 'wait')).end, COMPLETED);
  }),
  test('resolves on a cancel request for those who wait for one', async (context) => {
    const { store, within } = context;
    await store.create(STREAM);
    const producerSide = store.wait(STREAM, { position: Infinity, cancel: true });
    const readerSide = observe(store.wait(STREAM, { position: 0 }));
    await store.mark(STREAM, { type: 'cancel' });
    assert.ok((await within(producerSide, 'wait for a cancel request')).cancel);
    await roundTrips(context);
    assert.ok(readerSide.waiting(), 'A cancel request is nothing to read');
    await appended(store, { records: numbered(1) });
    await within(readerSide.promise, 'wait');
  }),
  test('sleeps through what does not concern it', async (context) => {
    const { store, within } = context;
    await store.create(STREAM);
    await store.create('other');
    const wait = observe(store.wait(STREAM, { position: 0, cancel: true }));
    await appended(store, { records: numbered(3), end: COMPLETED }, { id: 'other' });
    await store.delete('other');
    await store.append(STREAM, { segments: [{ records: numbered(1), expectedPosition: 9 }] });
    await roundTrips(context);
    assert.ok(wait.waiting(), 'Nothing has happened on this stream');
    await appended(store, { records: numbered(1) });
    await within(wait.promise, 'wait');
  }),
  test(
    'sleeps through a lease renewal',
    async (context) => {
      const { store, within } = context;
      await store.create(STREAM, { leaseMs: 1_000 });
      const wait = observe(store.wait(STREAM, { position: 0, cancel: true }));
      await store.mark(STREAM, { type: 'lease' });
      await roundTrips(context);
      assert.ok(wait.waiting(), 'A lease renewal is nothing to read');
      await appended(store, { records: numbered(1) });
      await within(wait.promise, 'wait');
    },
    'lease',
  ),
  test('wakes every waiter', async ({ store, within }) => {
    await store.create(STREAM);
    const waits = Array.from({ length: 200 }, (_, index) => store.wait(STREAM, { position: index % 2 }));
    await appended(store, { records: numbered(2) });
    for (const head of await within(Promise.all(waits), '200 waits')) assert.equal(head.nextPosition, 2);
  }),
  test('wakes by notification, not at the next poll', async ({ store, within, wakeUpMs }) => {
    await store.create(STREAM);
    const delays: number[] = [];
    for (let position = 0; position < 25; position++) {
      const wait = store.wait(STREAM, { position });
      // A store that polls has looked in vain before the record comes.
      await store.head(STREAM);
      await appended(store, { records: numbered(1) });
      const started = performance.now();
      await within(wait, 'wait');
      delays.push(performance.now() - started);
    }
    const median = delays.toSorted((a, b) => a - b)[12] ?? Infinity;
    assert.ok(
      median <= wakeUpMs,
      `The median wake-up took ${median.toFixed(1)} ms; ${wakeUpMs} ms is the bound for a notification`,
    );
  }),
];

const endings: readonly StoreCase[] = [
  test('a deleted stream wakes its waiters with NOT_FOUND', async ({ store, refuses }) => {
    await store.create(STREAM);
    const waits = [store.wait(STREAM, { position: 0 }), store.wait(STREAM, { position: Infinity, cancel: true })];
    const refusals = waits.map((wait) => refuses(wait, 'NOT_FOUND'));
    await store.delete(STREAM);
    await Promise.all(refusals);
  }),
  test('a stream deleted and created again does not keep the old waiters', async ({ store, refuses }) => {
    await store.create(STREAM);
    const refused = refuses(store.wait(STREAM, { position: 0 }), 'NOT_FOUND');
    await store.delete(STREAM);
    await store.create(STREAM);
    await appended(store, { records: numbered(1) });
    await refused;
  }),
  test('an aborted signal rejects with ABORTED', async ({ store, refuses }) => {
    await store.create(STREAM);
    const controller = new AbortController();
    const refused = refuses(store.wait(STREAM, { position: 0, signal: controller.signal }), 'ABORTED');
    controller.abort(new Error('the user left'));
    await refused;
    await refuses(store.wait(STREAM, { position: 0, signal: controller.signal }), 'ABORTED');
  }),
  test('one aborted wait leaves the others alone', async ({ store, within, refuses }) => {
    await store.create(STREAM);
    const controller = new AbortController();
    const refused = refuses(store.wait(STREAM, { position: 0, signal: controller.signal }), 'ABORTED');
    const other = store.wait(STREAM, { position: 0 });
    controller.abort();
    await refused;
    await appended(store, { records: numbered(1) });
    assert.equal((await within(other, 'the other wait')).nextPosition, 1);
  }),
  test('resolves with the unchanged head after `timeoutMs`', async ({ store, within }) => {
    await store.create(STREAM, { records: numbered(1) });
    for (const timeoutMs of [0, 20]) {
      const head = await within(store.wait(STREAM, { position: 1, timeoutMs }), `wait with timeoutMs ${timeoutMs}`);
      assert.deepEqual(head, await headOf(store));
    }
  }),
  test('does not time out before `timeoutMs`', async ({ store, within }) => {
    await store.create(STREAM);
    const wait = store.wait(STREAM, { position: 0, timeoutMs: 3_600_000 });
    await appended(store, { records: numbered(1) });
    assert.equal((await within(wait, 'wait')).nextPosition, 1);
  }),
  test('honours a timeout that no timer can hold', async (context) => {
    const { store, within } = context;
    await store.create(STREAM);
    const wait = observe(store.wait(STREAM, { position: 0, timeoutMs: 2 ** 40 }));
    await roundTrips(context);
    assert.ok(wait.waiting(), 'The timeout is decades away');
    await appended(store, { records: numbered(1) });
    await within(wait.promise, 'wait');
  }),
];

/** Waiting: notification, positions, ends, cancel requests, deletion, abort, timeouts. */
export const waitCases: readonly StoreCase[] = [...immediate, ...wakeUps, ...endings];
