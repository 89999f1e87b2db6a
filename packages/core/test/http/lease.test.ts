/** What live readers do for a stream: notice a lost producer, and keep a ttl from running out. */
import { createMemoryStreamStore, produceStream, PublicError } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { append, control, createHarness, dataOf, isUpToDate, values } from './support/harness.ts';

describe('leases', () => {
  it('a standalone stream whose producer is lost is ended for its reader', async () => {
    const { store, sse } = createHarness();
    await store.create('s', { leaseMs: 50 });
    await append(store, 's', 'half an ans');
    const events = await (await sse('s')).rest();
    expect(dataOf(events)).toBe('["half an ans"]');
    expect(control(events.at(-1))).toMatchObject({
      streamClosed: true,
      perennial: { end: { outcome: 'failed', error: { code: 'PRODUCER_LOST' } } },
    });
    expect((await store.head('s'))?.end?.error?.code).toBe('PRODUCER_LOST');
  });

  it('also for a long-poll', async () => {
    const { store, send } = createHarness();
    await store.create('s', { leaseMs: 50 });
    const response = await send('GET', 's', { query: 'offset=-1&live=long-poll' });
    expect(JSON.parse(response.headers.get('Perennial-End') ?? '')).toMatchObject({ error: { code: 'PRODUCER_LOST' } });
  });

  it.each([100, 400])('also when each poll is shorter than the lease of %i ms', async (leaseMs) => {
    const { store, send } = createHarness({ longPollMs: 20 });
    await store.create('s', { leaseMs });
    let polls = 0;
    for (let closed = false; !closed; polls++) {
      const response = await send('GET', 's', { query: 'offset=-1&live=long-poll' });
      closed = response.headers.has('Stream-Closed');
    }
    expect(polls).toBeGreaterThan(2);
    expect((await store.head('s'))?.end?.error?.code).toBe('PRODUCER_LOST');
  });

  it('a stream whose owner may be taken over is only reported as stalled, and no longer once the lease is renewed', async () => {
    const { store, sse, send } = createHarness();
    await store.create('journal', { leaseMs: 50, owner: 'journal' });
    await store.create('s', { owner: 'journal' });
    const connection = await sse('s', 'offset=-1&perennial-view=records');
    await connection.until((event) => control(event).perennial?.['stalled'] === true);
    expect((await send('HEAD', 's')).headers.get('Perennial-Stalled')).toBe('true');
    await store.mark('journal', { type: 'lease', durationMs: 60_000 });
    await connection.until((event) => control(event).perennial?.['stalled'] === undefined);
    expect((await store.head('s'))?.end).toBe(null);
    await connection.close();
  });

  it('a stream of a run that nobody can take over ends, and so does the journal', async () => {
    const { store, sse } = createHarness();
    await store.create('journal', { leaseMs: 50, token: 1 });
    await store.create('s', { owner: 'journal', token: 1 });
    const events = await (await sse('s')).rest();
    expect(control(events.at(-1))).toMatchObject({
      streamClosed: true,
      perennial: { end: { outcome: 'failed', error: { code: 'PRODUCER_LOST' } } },
    });
    for (const id of ['journal', 's']) {
      expect((await store.head(id))?.end?.error?.code).toBe('PRODUCER_LOST');
      await expect(store.append(id, { token: 1, segments: [{ records: [{ data: '1' }] }] })).rejects.toMatchObject({
        code: 'FENCED',
      });
    }
  });

  it('a journal that may be taken over is not ended by those who read it', async () => {
    const { store, sse } = createHarness();
    await store.create('journal', { leaseMs: 50, owner: 'journal' });
    const connection = await sse('journal');
    await connection.until((event) => control(event).perennial?.['stalled'] === true);
    await connection.close();
    expect((await store.head('journal'))?.end).toBe(null);
  });

  it('a living producer keeps its stream, and its error reaches the reader', async () => {
    const { store, sse } = createHarness();
    const { opened, done } = produceStream<number>({ store, streamId: 's', leaseMs: 60 }, async (writer) => {
      for (let i = 0; i < 5; i++) {
        await writer.write(i);
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
      throw new PublicError('QUOTA', 'No more today.');
    });
    await opened;
    const events = await (await sse('s')).rest();
    await done;
    expect(values(dataOf(events))).toEqual([0, 1, 2, 3, 4]);
    expect(control(events.at(-1)).perennial?.['end']).toEqual({
      outcome: 'failed',
      error: { code: 'QUOTA', message: 'No more today.' },
    });
  });
});

describe('a ttl', () => {
  it('starts again while somebody reads live, and runs out when nobody does', async () => {
    let now = 0;
    const { store, sse } = createHarness({ store: createMemoryStreamStore({ now: () => now }), heartbeatMs: 5 });
    await store.create('s', { ttlMs: 100 });
    const connection = await sse('s');
    await connection.next();
    for (let i = 0; i < 4; i++) {
      now += 60;
      await append(store, 's', i);
      await connection.until(isUpToDate);
    }
    await connection.close();
    now += 101;
    expect(await store.head('s')).toBe(null);
  });

  it('that runs out ends a live response', async () => {
    let now = 0;
    const { store, sse } = createHarness({ store: createMemoryStreamStore({ now: () => now }), heartbeatMs: 5 });
    await store.create('s', { expiresAt: 1_000 });
    const connection = await sse('s');
    await connection.next();
    now = 1_000;
    expect(await connection.rest()).toEqual([]);
  });
});
