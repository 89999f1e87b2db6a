/** Live delivery from the store to many readers: the work is shared, and a slow reader costs the others nothing and little memory. */
import { createMemoryStreamStore } from '@perennial/core';
import { formatOffset } from '@perennial/core/http';
import { describe, expect, it } from 'vitest';

import {
  append,
  bind,
  connect,
  createHarness,
  dataOf,
  isUpToDate,
  seed,
  sseRequest,
  values,
  watch,
} from './support/harness.ts';

describe('a feed', () => {
  it('reads and encodes once for any number of readers', async () => {
    const { store, calls, parked } = watch(createMemoryStreamStore());
    const { handler } = createHarness({ store });
    await seed(store, 's');
    const readers = await Promise.all(
      Array.from({ length: 20 }, async () => (await handler(sseRequest('s'))).body!.getReader()),
    );
    await Promise.all(readers.map((reader) => reader.read()));
    await parked(1);
    const reads = calls.read;
    await append(store, 's', 'shared');
    const chunks = await Promise.all(readers.map(async (reader) => (await reader.read()).value));
    expect(calls.read - reads).toBe(1);
    expect(new Set(chunks).size).toBe(1);
    expect(new TextDecoder().decode(chunks[0])).toContain('["shared"]');
    await Promise.all(readers.map((reader) => reader.cancel()));
  });

  it('stops when the last reader leaves, however it leaves', async () => {
    const waits: AbortSignal[] = [];
    const memory = createMemoryStreamStore();
    const { store, parked } = watch({
      ...bind(memory),
      wait: (id, options) => (waits.push(options.signal!), memory.wait(id, options)),
    });
    const { handler } = createHarness({ store });
    await seed(store, 's');
    const gone = new AbortController();
    const first = (await handler(sseRequest('s'))).body!.getReader();
    const second = (await handler(sseRequest('s', 'offset=-1', { signal: gone.signal }))).body!.getReader();
    await Promise.all([first.read(), second.read(), parked(1)]);
    await first.cancel();
    expect(waits[0]?.aborted).toBe(false);
    gone.abort();
    expect(waits[0]?.aborted).toBe(true);
    expect(await second.read()).toEqual({ done: true, value: undefined });
    await second.cancel();
    const third = connect(await handler(sseRequest('s')));
    await third.next();
    await append(store, 's', 1);
    expect(dataOf(await third.until(isUpToDate))).toBe('[1]');
    await third.close();
  });

  it('brings readers together that start at different places', async () => {
    const { store, sse } = createHarness();
    await seed(store, 's', [0, 1, 2]);
    const starts = [
      'offset=-1',
      `offset=${formatOffset(1)}`,
      'offset=now',
      'perennial-last=1',
      `offset=${formatOffset(5)}`,
    ];
    const connections = await Promise.all(starts.map((query) => sse('s', query)));
    for (let i = 3; i < 8; i++) await append(store, 's', i);
    await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
    const seen = await Promise.all(connections.map(async (connection) => values(dataOf(await connection.rest()))));
    expect(seen).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7],
      [1, 2, 3, 4, 5, 6, 7],
      [3, 4, 5, 6, 7],
      [2, 3, 4, 5, 6, 7],
      [5, 6, 7],
    ]);
  });

  it('serves a reader ahead of the tail whose start falls inside a batch', async () => {
    const { store, sse } = createHarness();
    await seed(store, 's', [0]);
    const connection = await sse('s', `offset=${formatOffset(3)}`);
    await connection.next();
    const reading = connection.rest();
    for (let i = 1; i < 20; i += 6) {
      await append(store, 's', i, i + 1, i + 2, i + 3, i + 4, i + 5);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
    expect(values(dataOf(await reading))).toEqual(Array.from({ length: 22 }, (_, i) => i + 3));
  });

  it('loses and doubles nothing under random appends, late readers and random pauses', async () => {
    const { store, sse } = createHarness();
    await seed(store, 's');
    const reading: Promise<number[]>[] = [];
    let written = 0;
    for (let round = 0; round < 60; round++) {
      if (round % 5 === 0) {
        const from = Math.floor((written * round) / 60);
        reading.push(
          (async () => {
            const connection = await sse(
              's',
              `offset=${formatOffset(from)}&perennial-view=${round % 2 === 0 ? 'plain' : 'records'}`,
            );
            return values(dataOf(await connection.rest())).map(
              (value) => Number(typeof value === 'object' ? Reflect.get(value ?? {}, 'd') : value) - from,
            );
          })(),
        );
      }
      await append(store, 's', ...Array.from({ length: 1 + (round % 7) }, () => written++));
      if (round % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
    for (const seen of await Promise.all(reading)) expect(seen).toEqual(seen.map((_, i) => i));
  });
});

describe('a slow reader', () => {
  it('has at most one chunk waiting for it, and goes on from there', async () => {
    const { store } = watch(createMemoryStreamStore());
    const { handler, sse } = createHarness({ store });
    await seed(store, 's');
    const slow = (await handler(sseRequest('s'))).body!.getReader();
    const fast = await sse('s');
    await fast.next();
    for (let i = 0; i < 50; i++) {
      await append(store, 's', 'x'.repeat(10_000));
      await fast.until(isUpToDate);
    }
    await store.delete('s');
    expect(await fast.next()).toBeUndefined();
    // What the slow one has not been given yet is gone with the stream: only the waiting chunk is left.
    let bytes = 0;
    for (let chunk = await slow.read(); !chunk.done; chunk = await slow.read()) bytes += chunk.value.byteLength;
    expect(bytes).toBeLessThan(1_000);
  });

  it('catches up completely once it reads', async () => {
    const { store, handler, sse } = createHarness();
    await seed(store, 's');
    const slow = connect(await handler(sseRequest('s')));
    const fast = await sse('s');
    await fast.next();
    for (let i = 0; i < 50; i++) {
      await append(store, 's', i);
      await fast.until(isUpToDate);
    }
    await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
    expect(values(dataOf(await slow.rest()))).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  it('that never reads is cut', async () => {
    const { store, handler, sse } = createHarness({ slowReaderMs: 20, heartbeatMs: 10, sseMaxMs: 60_000 });
    await seed(store, 's', ['unread']);
    const slow = (await handler(sseRequest('s'))).body!.getReader();
    const all = (await sse('s')).rest();
    await expect(slow.closed).rejects.toThrow('unread');
    await append(store, 's', 'on');
    await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
    expect(values(dataOf(await all))).toEqual(['unread', 'on']);
  });

  it('of a stream that has ended is cut too', async () => {
    const { store, handler } = createHarness({ slowReaderMs: 10, sseMaxMs: 10 });
    await seed(
      store,
      's',
      Array.from({ length: 100 }, () => 'x'.repeat(10_000)),
    );
    await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
    const slow = (await handler(sseRequest('s'))).body!.getReader();
    await expect(slow.closed).rejects.toThrow('unread');
  });

  it('of a page costs one piece of it', async () => {
    const { store, calls } = watch(createMemoryStreamStore());
    const { send } = createHarness({ store });
    await seed(
      store,
      's',
      Array.from({ length: 400 }, () => 'x'.repeat(10_000)),
    );
    const before = calls.read;
    const response = await send('GET', 's');
    const reader = response.body!.getReader();
    await reader.read();
    expect(calls.read - before).toBeLessThanOrEqual(3);
    await reader.cancel();
  });
});
