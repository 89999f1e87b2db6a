import { createMemoryStreamStore, type NewRecord, type StreamStore } from '@perennial/core';
import {
  type ConnectionOptions,
  type ConnectionState,
  connectStore,
  type ReceivedRecord,
  type StreamConnection,
} from '@perennial/core/client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { failing } from '../support/stores.ts';
import { createManualClock, settle } from './support/manual-clock.ts';

const append = (store: StreamStore, ...records: NewRecord[]): Promise<unknown> =>
  store.append('s', { segments: [{ records }] });

interface Opened {
  readonly connection: StreamConnection;
  readonly records: ReceivedRecord[];
  readonly states: ConnectionState[];
}

function connect(store: StreamStore, options: ConnectionOptions = {}): Opened {
  const records: ReceivedRecord[] = [];
  const states: ConnectionState[] = [];
  const connection = connectStore({
    store,
    streamId: 's',
    random: () => 0.5,
    onRecords: (received) => void records.push(...received),
    onState: (state) => states.push(state),
    ...options,
  });
  onTestFinished(() => connection.close());
  return { connection, records, states };
}

async function open(...records: NewRecord[]): Promise<StreamStore> {
  const store = createMemoryStreamStore();
  await store.create('s');
  if (records.length > 0) await append(store, ...records);
  return store;
}

describe('connectStore', () => {
  it('delivers what is there, what comes, and the end', async () => {
    const store = await open({ data: '1', step: 'a' });
    const { connection, records } = connect(store);
    await settle();
    expect(connection.state).toMatchObject({ phase: 'open', upToDate: true, position: 1 });
    await append(store, { kind: 'supersede', step: 'a', belowAttempt: 2 }, { data: '{"n":2}', step: 'a', attempt: 2 });
    await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
    await settle();
    expect(records).toMatchObject([
      { kind: 'data', position: 0, value: 1, step: 'a', attempt: 1 },
      { kind: 'supersede', position: 1, step: 'a', belowAttempt: 2 },
      { kind: 'data', position: 2, value: { n: 2 }, attempt: 2 },
    ]);
    expect(connection.state).toMatchObject({ phase: 'ended', end: { outcome: 'completed' } });
  });

  it.each([
    ['a position', 3, [3, 4]],
    ['the tail', 'now' as const, [4]],
    ['the last records', { last: 2 }, [2, 3, 4]],
    ['more than there are', { last: 9 }, [0, 1, 2, 3, 4]],
  ])('starts at %s', async (_, from, positions) => {
    const store = await open({ data: '0' }, { data: '1' }, { data: '2' }, { data: '3' });
    const { records } = connect(store, { from });
    await settle();
    await append(store, { data: '4' });
    await settle();
    expect(records.map(({ position }) => position)).toEqual(positions);
  });

  it('tells of a cancel request', async () => {
    const store = await open();
    const { connection } = connect(store);
    await settle();
    await store.mark('s', { type: 'cancel' });
    await settle();
    expect(connection.state.cancelRequested).toBe(true);
  });

  it('ends a stream whose producer was lost, and only tells of it where somebody may take it over', async () => {
    const store = createMemoryStreamStore();
    await store.create('s', { leaseMs: 30 });
    const lost = connect(store);
    await vi.waitFor(() =>
      expect(lost.connection.state).toMatchObject({ phase: 'ended', end: { error: { code: 'PRODUCER_LOST' } } }),
    );
    const owned = createMemoryStreamStore();
    await owned.create('journal', { leaseMs: 30, owner: 'journal' });
    await owned.create('s', { owner: 'journal' });
    const stalled = connect(owned);
    await vi.waitFor(() => expect(stalled.connection.state).toMatchObject({ phase: 'open', stalled: true }));
    await owned.mark('journal', { type: 'lease', durationMs: 60_000 });
    await vi.waitFor(() => expect(stalled.connection.state.stalled).toBe(false));
  });

  it('ends a stream of a run that nobody can take over, like its journal', async () => {
    const store = createMemoryStreamStore();
    await store.create('journal', { leaseMs: 30 });
    await store.create('s', { owner: 'journal' });
    const { connection } = connect(store);
    await vi.waitFor(() =>
      expect(connection.state).toMatchObject({ phase: 'ended', end: { error: { code: 'PRODUCER_LOST' } } }),
    );
    expect((await store.head('journal'))?.end).toEqual((await store.head('s'))?.end);
  });

  it('retries a store that fails', async () => {
    const clock = createManualClock();
    const store = failing(await open({ data: '1' }), 'read', (call) => (call <= 2 ? 'before' : null));
    const { connection, records } = connect(store, { clock });
    await settle();
    expect(connection.state).toMatchObject({ phase: 'waiting', error: { code: 'STORE_ERROR' } });
    await clock.advance(250);
    await clock.advance(500);
    expect(records).toHaveLength(1);
  });

  it('fails for a stream that is absent, trimmed, deleted or replaced', async () => {
    const absent = createMemoryStreamStore();
    const missing = connect(absent);
    await settle();
    expect(missing.connection.state).toMatchObject({ phase: 'failed', error: { code: 'NOT_FOUND' } });

    const store = await open({ data: '1' });
    const deleted = connect(store);
    await settle();
    await store.delete('s');
    await settle();
    expect(deleted.connection.state).toMatchObject({ phase: 'failed', error: { code: 'NOT_FOUND' } });

    await store.create('s');
    deleted.connection.reconnect();
    await settle();
    expect(deleted.connection.state).toMatchObject({
      phase: 'failed',
      error: { code: 'NOT_FOUND', expected: expect.any(String) },
    });
  });

  it('waits for a stream that is about to be created', async () => {
    const clock = createManualClock();
    const store = createMemoryStreamStore();
    const { records } = connect(store, { clock, waitForCreateMs: 5_000 });
    await settle();
    await store.create('s', { records: [{ data: '1' }] });
    await clock.advance(250);
    expect(records).toHaveLength(1);
  });

  it('stops waiting when it is closed', async () => {
    const store = await open();
    const { connection, records } = connect(store);
    await settle();
    connection.close();
    await append(store, { data: '1' });
    await settle();
    expect([records, connection.state.phase]).toEqual([[], 'closed']);
  });
});
