/** What the queue owes those who give a lane up, or lose the stream. */
import { type AppendLane, AppendQueue, createMemoryStreamStore, StreamError, type StreamStore } from '@perennial/core';
import { createFaultyStore, type Fault } from '@perennial/testing';
import { describe, expect, it, vi } from 'vitest';

import { gate } from '../support/stores.ts';

const GIVEN_UP = new StreamError('ABORTED', 'Given up.');

async function queueOn(store: StreamStore, options: { token?: number; onBroken?: (error: StreamError) => void } = {}) {
  await store.create('s');
  const queue = new AppendQueue({
    store,
    streamId: 's',
    highWaterMark: 4,
    highWaterMarkBytes: 1_000,
    open: async () => {
      const head = await store.head('s');
      if (!head) throw new StreamError('NOT_FOUND', 'There is no stream.');
      return head;
    },
    ...options,
  });
  const push = (lane: AppendLane, value: string) => queue.push(lane, { data: JSON.stringify(value) }, null);
  return { queue, push };
}

async function stored(store: StreamStore): Promise<string[]> {
  const { records } = await store.read('s', { from: 0 });
  return records.map((record) => (record.kind === 'data' ? (JSON.parse(String(record.data)) as string) : 'supersede'));
}

describe('discard', () => {
  it('drops what was not sent, and resolves once what was sent is known', async () => {
    const memory = createMemoryStreamStore();
    const gated = gate(memory, 'append');
    const { queue, push } = await queueOn(gated.store);
    const [mine, other] = [queue.lane('mine', 0), queue.lane('other', 0)];
    await push(mine, 'sent');
    await gated.reached(1);
    await push(mine, 'unsent');
    await push(other, 'stays');
    let isDone = false;
    const discarded = queue.discard(mine, GIVEN_UP).then(() => (isDone = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isDone).toBe(false);
    gated.open();
    await discarded;
    expect(await queue.flush(other)).toBeNull();
    expect(await stored(memory)).toEqual(['sent', 'stays']);
  });

  it('resolves at once when nothing was sent', async () => {
    const { queue } = await queueOn(createMemoryStreamStore());
    const lane = queue.lane('mine', 0);
    await queue.discard(lane, GIVEN_UP);
    expect(lane.failure).toBe(GIVEN_UP);
  });

  it('refuses what is pushed afterwards, and tells those who wait', async () => {
    const memory = createMemoryStreamStore();
    const gated = gate(memory, 'append');
    const { queue, push } = await queueOn(gated.store);
    const lane = queue.lane('mine', 0);
    for (const value of ['1', '2', '3', '4']) await push(lane, value);
    const waiting = push(lane, 'beyond the mark');
    const flushed = queue.flush(lane);
    const discarded = queue.discard(lane, GIVEN_UP);
    expect(await waiting).toBe(GIVEN_UP);
    expect(await flushed).toBe(GIVEN_UP);
    expect(await push(lane, 'late')).toBe(GIVEN_UP);
    gated.open();
    await discarded;
    const values = await stored(memory);
    expect(['1', '2', '3', '4'].slice(0, values.length)).toEqual(values);
  });

  it.each<Fault['kind']>(['before', 'after'])(
    'repeats what was sent until the store answers, when an append fails %s it is applied',
    async (kind) => {
      const memory = createMemoryStreamStore();
      const faulty = createFaultyStore(memory);
      const { queue, push } = await queueOn(faulty);
      const lane = queue.lane('mine', 0);
      for (let i = 0; i < 3; i++) faulty.failNext('append', { kind });
      await push(lane, 'sent');
      await vi.waitFor(() => expect(faulty.calls('append')).toBeGreaterThan(0), { timeout: 15_000 });
      await queue.discard(lane, GIVEN_UP);
      // Known now, for good: nothing of the lane can appear later.
      expect(await stored(memory)).toEqual(['sent']);
      await push(queue.lane('mine', 1), 'next epoch');
      expect(await queue.flush(queue.lane('none', 0))).toBeNull();
      await vi.waitFor(async () => expect(await stored(memory)).toEqual(['sent', 'next epoch']), { timeout: 15_000 });
    },
  );

  it('gives the room of what it dropped to others', async () => {
    const memory = createMemoryStreamStore();
    const gated = gate(memory, 'append');
    const { queue, push } = await queueOn(gated.store);
    const [mine, other] = [queue.lane('mine', 0), queue.lane('other', 0)];
    await push(other, 'first');
    await gated.reached(1);
    for (const value of ['1', '2', '3']) await push(mine, value);
    const waiting = push(other, 'second');
    await queue.discard(mine, GIVEN_UP);
    expect(queue.size).toBe(1);
    gated.open();
    expect(await waiting).toBeNull();
    expect(await queue.flush(other)).toBeNull();
    expect(await stored(memory)).toEqual(['first', 'second']);
  });

  it('resolves when the queue is broken meanwhile', async () => {
    const gated = gate(createMemoryStreamStore(), 'append');
    const { queue, push } = await queueOn(gated.store);
    const lane = queue.lane('mine', 0);
    await push(lane, 'sent');
    await gated.reached(1);
    const discarded = queue.discard(lane, GIVEN_UP);
    queue.break(new StreamError('FENCED', 'Overtaken.'));
    await discarded;
    expect(lane.isUnknown).toBe(true);
    gated.open();
  });
});

describe('onBroken', () => {
  it('is told once, of the error that is final', async () => {
    const memory = createMemoryStreamStore();
    const broken: string[] = [];
    const { queue, push } = await queueOn(memory, { token: 1, onBroken: ({ code }) => broken.push(code) });
    await memory.mark('s', { type: 'fence', token: 2, nonce: 'other' });
    const lane = queue.lane('mine', 0);
    await push(lane, 'refused');
    expect(await queue.flush(lane)).toMatchObject({ code: 'FENCED' });
    queue.break(new StreamError('STORE_CLOSED', 'Too late.'));
    expect(broken).toEqual(['FENCED']);
    expect(queue.broken).toMatchObject({ code: 'FENCED' });
    expect(await push(queue.lane('another', 0), 'x')).toMatchObject({ code: 'FENCED' });
  });

  it('is not told of a failure that may pass', async () => {
    const memory = createMemoryStreamStore();
    const faulty = createFaultyStore(memory);
    const broken: string[] = [];
    const { queue, push } = await queueOn(faulty, { onBroken: ({ code }) => broken.push(code) });
    faulty.failNext('append', { kind: 'before' });
    const lane = queue.lane('mine', 0);
    await push(lane, 'value');
    expect(await queue.flush(lane)).toBeNull();
    expect(broken).toEqual([]);
  });
});
