/** Live delivery: shared work, bounded memory, and responses that end as they should. */
import { createMemoryStreamStore, StreamError } from '@perennial/core';
import { formatOffset } from '@perennial/core/http';
import { describe, expect, it, vi } from 'vitest';

import {
  append,
  codeOf,
  connect,
  control,
  createHarness,
  dataOf,
  isUpToDate,
  seed,
  values,
  watch,
} from './support/harness.ts';

const BASE = 'http://streams.test';
const sseRequest = (id: string, query = 'offset=-1', init: RequestInit = {}): Request =>
  new Request(`${BASE}/${id}?live=sse&${query}`, init);

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

describe('an SSE response', () => {
  it('is cut with a resumable control event', async () => {
    const { store, sse } = createHarness({ sseMaxMs: 20 });
    await seed(store, 's', [1]);
    const events = await (await sse('s')).rest();
    expect(events.map(({ event }) => event)).toEqual(['data', 'control', 'control']);
    expect(control(events.at(-1))).toMatchObject({ streamNextOffset: formatOffset(1), upToDate: true });
    expect(control(events.at(-1))['streamClosed']).toBeUndefined();
  });

  it('gets a comment when nothing happens', async () => {
    const { store, handler } = createHarness({ heartbeatMs: 10 });
    await seed(store, 's');
    const reader = (await handler(sseRequest('s'))).body!.getReader();
    await reader.read();
    for (let i = 0; i < 3; i++) expect(new TextDecoder().decode((await reader.read()).value)).toBe(':\n\n');
    await reader.cancel();
  });

  it('never claims the end when the store fails, and reports why', async () => {
    const errors: unknown[] = [];
    const memory = createMemoryStreamStore();
    let broken = false;
    const store = {
      ...bind(memory),
      read: (...args: Parameters<typeof memory.read>) =>
        broken ? Promise.reject(new StreamError('STORE_ERROR', 'disk')) : memory.read(...args),
    };
    const { sse } = createHarness({ store, onError: (error) => errors.push(error) });
    await seed(store, 's', [1]);
    const connection = await sse('s');
    await connection.until(isUpToDate);
    broken = true;
    await append(memory, 's', 2);
    const rest = await connection.rest();
    expect(dataOf(rest)).toBe('');
    expect(rest.some(({ data }) => data.includes('streamClosed'))).toBe(false);
    expect(errors).toMatchObject([{ code: 'STORE_ERROR' }]);
  });

  it('ends, resumable, when the server closes, which then takes no live readers', async () => {
    const closing = new AbortController();
    const { store, sse, send } = createHarness({ signal: closing.signal });
    await seed(store, 's', [1]);
    const connection = await sse('s');
    await connection.until(isUpToDate);
    closing.abort();
    const rest = await connection.rest();
    expect(control(rest.at(-1))).toMatchObject({ streamNextOffset: formatOffset(1) });
    expect(rest.some(({ data }) => data.includes('streamClosed'))).toBe(false);
    expect((await sse('s')).response.status).toBe(503);
    expect((await send('GET', 's')).status).toBe(200);
  });

  it('carries the headers that keep proxies from holding it back', async () => {
    const { store, sse } = createHarness();
    await seed(store, 's');
    const { response, close } = await sse('s');
    expect(response.headers.get('Cache-Control')).toBe('no-cache, no-transform');
    expect(response.headers.get('X-Accel-Buffering')).toBe('no');
    expect(response.headers.get('Perennial-Incarnation')).toBe((await store.head('s'))?.incarnation);
    await close();
  });

  it('gives a client its own cursor when it has the current one', async () => {
    const now = Date.UTC(2026, 0, 1);
    const { store, sse } = createHarness({ now: () => now, random: () => 0.5 });
    await seed(store, 's');
    const first = await sse('s');
    const cursor = String(control(await first.next())['streamCursor']);
    const second = await sse('s', `offset=-1&cursor=${cursor}`);
    const later = String(control(await second.next())['streamCursor']);
    expect(Number(later)).toBeGreaterThan(Number(cursor));
    await append(store, 's', 1);
    expect(control((await first.until(isUpToDate)).at(-1))['streamCursor']).toBe(cursor);
    expect(control((await second.until(isUpToDate)).at(-1))['streamCursor']).toBe(later);
    await Promise.all([first.close(), second.close()]);
  });
});

describe('a reader of a deleted stream', () => {
  it('sees its response end, and 404 when it resumes', async () => {
    const { store, sse, send } = createHarness();
    await seed(store, 's', [1]);
    const connection = await sse('s');
    await connection.until(isUpToDate);
    await store.delete('s');
    expect(await connection.rest()).toEqual([]);
    const resumed = await sse('s', `offset=${formatOffset(1)}`);
    expect(resumed.response.status).toBe(404);
    expect((await send('GET', 's', { query: `offset=${formatOffset(1)}&live=long-poll` })).status).toBe(404);
  });

  it('gets 404 from a long-poll', async () => {
    const { store, parked } = watch(createMemoryStreamStore());
    const { send } = createHarness({ store });
    await seed(store, 's');
    const polled = send('GET', 's', { query: 'offset=now&live=long-poll' });
    await parked(1);
    await store.delete('s');
    expect(await codeOf(await polled)).toBe('NOT_FOUND');
  });

  it('is not given the records of its successor', async () => {
    const { store, sse } = createHarness();
    await seed(store, 's', ['old']);
    const connection = await sse('s');
    await connection.until(isUpToDate);
    await store.delete('s');
    await seed(store, 's', ['new', 'new']);
    expect(dataOf(await connection.rest())).toBe('');
    const fresh = await sse('s');
    expect(dataOf(await fresh.until(isUpToDate))).toBe('["new","new"]');
    await fresh.close();
  });
});

describe('a reader of a stream that expires', () => {
  it('sees its response end at the next look, and 404 when it resumes', async () => {
    const clock = { now: 1_000_000 };
    const memory = createMemoryStreamStore({ now: () => clock.now });
    const { sse, send } = createHarness({ store: memory, heartbeatMs: 20, longPollMs: 20 });
    await memory.create('s', { expiresAt: clock.now + 60_000, records: [{ data: '1' }] });
    const connection = await sse('s');
    await connection.until(isUpToDate);
    clock.now += 60_000;
    const rest = await connection.rest();
    expect(rest.every((event) => event.event === 'control' && control(event)['streamClosed'] === undefined)).toBe(true);
    const query = `offset=${formatOffset(1)}`;
    for (const live of ['', '&live=long-poll', '&live=sse'])
      expect((await send('GET', 's', { query: `${query}${live}` })).status).toBe(404);
    expect((await send('HEAD', 's')).status).toBe(404);
  });
});

describe('the length of an SSE response', () => {
  it('is about a minute unless it is set', async () => {
    vi.useFakeTimers();
    try {
      const { store, sse } = createHarness({ random: () => 0.5 });
      await seed(store, 's', [1]);
      const connection = await sse('s');
      await connection.until(isUpToDate);
      let ended = false;
      const rest = connection.rest().finally(() => {
        ended = true;
      });
      await vi.advanceTimersByTimeAsync(53_000);
      expect(ended).toBe(false);
      await vi.advanceTimersByTimeAsync(8_000);
      expect(control((await rest).at(-1))).toMatchObject({ streamNextOffset: formatOffset(1), upToDate: true });
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a long-poll', () => {
  it('returns what arrives, or 204 in time', async () => {
    const { store, parked } = watch(createMemoryStreamStore());
    const { send } = createHarness({ store, longPollMs: 30 });
    await seed(store, 's', [1]);
    const polled = send('GET', 's', { query: `offset=${formatOffset(1)}&live=long-poll` });
    await parked(1);
    await append(store, 's', 2);
    const response = await polled;
    expect(await response.json()).toEqual([2]);
    expect(response.headers.get('Stream-Next-Offset')).toBe(formatOffset(2));
    const late = await send('GET', 's', { query: `offset=${formatOffset(2)}&live=long-poll` });
    expect(late.status).toBe(204);
    expect(late.headers.get('Stream-Up-To-Date')).toBe('true');
  });

  it('tells the end at once', async () => {
    const { store, parked } = watch(createMemoryStreamStore());
    const { send } = createHarness({ store });
    await seed(store, 's');
    const polled = send('GET', 's', { query: 'offset=now&live=long-poll' });
    await parked(1);
    await store.append('s', { segments: [{ records: [], end: { outcome: 'cancelled', reason: 'no' } }] });
    const response = await polled;
    expect(response.status).toBe(204);
    expect(response.headers.get('Perennial-End')).toBe('{"outcome":"cancelled","reason":"no"}');
  });

  it('ahead of the tail waits there', async () => {
    const { store, send } = createHarness({ longPollMs: 20 });
    await seed(store, 's', [1]);
    const response = await send('GET', 's', { query: `offset=${formatOffset(9)}&live=long-poll` });
    expect(response.status).toBe(204);
    expect(response.headers.get('Stream-Next-Offset')).toBe(formatOffset(9));
  });
});

/** A store's methods as plain functions, to be overridden one by one. */
function bind(store: ReturnType<typeof createMemoryStreamStore>): ReturnType<typeof createMemoryStreamStore> {
  return watch(store).store;
}
