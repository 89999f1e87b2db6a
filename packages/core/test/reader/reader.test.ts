/** Readers of a stream: each value once and in order, ends and failures as typed results, leases that run out. */
import { createMemoryStreamStore, getStreamReader, getStreamWriter, isStreamEnded } from '@perennial/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { failing, gate } from '../support/stores.ts';
import { append, data, drain, end, open } from './support/one-stream.ts';

describe('read', () => {
  it('reads to the end and reports it with its position', async () => {
    const store = await open();
    await append(store, data('a'), data('b'));
    await end(store);
    const reader = getStreamReader<string>({ store, streamId: 's' });
    const { values, error } = await drain(reader);
    expect(values).toEqual(['a', 'b']);
    expect(isStreamEnded(error) && error.finalPosition).toBe(2);
    expect(reader.readable).toBe(false);
    expect((await reader.read()).ok).toBe(false);
  });

  it('resumes exactly where another reader stopped', async () => {
    const store = await open();
    await append(store, ...Array.from({ length: 20 }, (_, i) => data(i)));
    await end(store);
    const first = getStreamReader<number>({ store, streamId: 's' });
    for (let i = 0; i < 7; i++) await first.read();
    expect(first.position).toBe(7);
    const second = getStreamReader<number>({ store, streamId: 's', startIndex: first.position });
    expect((await drain(second)).values).toEqual(Array.from({ length: 13 }, (_, i) => i + 7));
  });

  it('waits at the tail without asking again until there is something', async () => {
    const store = await open();
    const reads = gate(store, 'read');
    reads.open();
    const reader = getStreamReader<string>({ store: reads.store, streamId: 's' });
    const waiting = reader.read();
    await reads.reached(1);
    await append(store, data('late'));
    expect(await waiting).toEqual({ ok: true, value: 'late' });
    expect(reads.calls).toBe(2);
  });

  it.each([
    ['failed', 'STREAM_FAILED'],
    ['cancelled', 'STREAM_CANCELLED'],
  ] as const)('a stream that ended %s is a typed error, never an end of data', async (outcome, type) => {
    const store = await open();
    await append(store, data(1));
    await end(store, outcome);
    const { values, error } = await drain(getStreamReader<number>({ store, streamId: 's' }));
    expect(values).toEqual([1]);
    expect(error.type).toBe(type);
    await expect(
      (async () => {
        for await (const _ of getStreamReader({ store, streamId: 's' }));
      })(),
    ).rejects.toMatchObject({ type });
  });

  it('a timeout is no end: it says so and reading goes on', async () => {
    const store = await open();
    const reader = getStreamReader<number>({ store, streamId: 's', pollTimeout: 5 });
    expect(await reader.read()).toMatchObject({
      ok: false,
      error: { type: 'STREAM_TIMEOUT', timeoutMs: 5, position: 0 },
    });
    expect(reader.readable).toBe(true);
    await append(store, data(1));
    expect(await reader.read()).toEqual({ ok: true, value: 1 });
  });

  it('reports a missing stream, also one deleted while waiting', async () => {
    const store = createMemoryStreamStore();
    expect(await getStreamReader({ store, streamId: 's' }).read()).toMatchObject({
      ok: false,
      error: { type: 'STREAM_NOT_FOUND', streamId: 's' },
    });
    await store.create('s');
    const waits = gate(store, 'wait');
    waits.open();
    const waiting = getStreamReader({ store: waits.store, streamId: 's' }).read();
    await waits.reached(1);
    await store.delete('s');
    expect(await waiting).toMatchObject({ ok: false, error: { type: 'STREAM_NOT_FOUND' } });
  });

  it('stops by its signal and by close, and leaves the producer alone', async () => {
    const store = await open();
    const controller = new AbortController();
    const reader = getStreamReader({ store, streamId: 's', signal: controller.signal });
    const waiting = reader.read();
    controller.abort();
    expect(await waiting).toMatchObject({ ok: false, error: { type: 'STREAM_ABORTED' } });
    const other = getStreamReader({ store, streamId: 's' });
    const pending = other.read();
    await other.close();
    await other.close();
    expect(await pending).toMatchObject({ ok: false, error: { type: 'STREAM_READER_CLOSED' } });
    expect(other.readable).toBe(false);
    expect(await store.head('s')).toMatchObject({ cancel: null, end: null });
  });

  it('answers concurrent reads in order, each value once', async () => {
    const store = await open();
    const reader = getStreamReader<number>({ store, streamId: 's' });
    const reads = [reader.read(), reader.read(), reader.read()];
    await append(store, data(0), data(1), data(2));
    expect(await Promise.all(reads)).toEqual([0, 1, 2].map((value) => ({ ok: true, value })));
  });

  it('returns a store failure as a typed error and goes on after it', async () => {
    const store = await open();
    await append(store, data(1));
    const reader = getStreamReader<number>({
      store: failing(store, 'read', (call) => (call === 1 ? 'before' : null)),
      streamId: 's',
    });
    expect(await reader.read()).toMatchObject({ ok: false, error: { type: 'STREAM_STORE_ERROR' } });
    expect(await reader.read()).toEqual({ ok: true, value: 1 });
  });

  it.each([-1, 1.5, Number.NaN, Infinity, '0'])('refuses startIndex %s, naming it', async (startIndex) => {
    const store = await open();
    expect(() => getStreamReader({ store, streamId: 's', startIndex: startIndex as number })).toThrow(/startIndex/);
  });

  it('never delivers a value twice or out of order, whatever the page size and the writer do', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 20 }),
        async (bursts, pageSize) => {
          const store = await open();
          const reader = getStreamReader<number>({ store, streamId: 's', pageSize });
          const reading = drain(reader);
          let next = 0;
          for (const burst of bursts) await append(store, ...Array.from({ length: burst }, () => data(next++)));
          await end(store);
          expect((await reading).values).toEqual(Array.from({ length: next }, (_, i) => i));
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('readBatch', () => {
  it('returns what is there, up to the limit', async () => {
    const store = await open();
    await append(store, ...Array.from({ length: 10 }, (_, i) => data(i)));
    const reader = getStreamReader<number>({ store, streamId: 's' });
    expect(await reader.readBatch({ limit: 4 })).toEqual({ ok: true, value: [0, 1, 2, 3] });
    expect(await reader.readBatch()).toEqual({ ok: true, value: [4, 5, 6, 7, 8, 9] });
    expect(await reader.readBatch({ limit: 0 })).toMatchObject({ ok: false, error: { code: 'INVALID_ARGUMENT' } });
  });
});

describe('leases', () => {
  it('ends a standalone stream whose producer died as PRODUCER_LOST, and fences the producer', async () => {
    const store = createMemoryStreamStore();
    let now = 0;
    await store.create('s', { leaseMs: 20 });
    await append(store, data('partial'));
    const reader = getStreamReader<string>({ store, streamId: 's', monotonic: () => (now += 15) });
    const { values, error } = await drain(reader);
    expect(values).toEqual(['partial']);
    expect(error).toMatchObject({ type: 'STREAM_FAILED', failureCode: 'PRODUCER_LOST' });
    const zombie = getStreamWriter({ store, streamId: 's' });
    await zombie.write('late');
    expect(await zombie.flush()).toMatchObject({ ok: false });
    expect((await store.head('s'))?.nextPosition).toBe(1);
  });

  it('leaves a stream alone that is renewed, or owned by a journal', async () => {
    const store = createMemoryStreamStore();
    let now = 0;
    await store.create('s', { leaseMs: 20, owner: 'runs/r/journal' });
    const reader = getStreamReader<string>({ store, streamId: 's', pollTimeout: 200, monotonic: () => (now += 15) });
    expect(await reader.read()).toMatchObject({ ok: false, error: { type: 'STREAM_TIMEOUT' } });
    expect((await store.head('s'))?.end).toBeNull();
  });
});
