/** Live responses, of server-sent events and long-polls: what they carry, and that they end as they should. */
import { createMemoryStreamStore, StreamError } from '@perennial/core';
import { formatOffset } from '@perennial/core/http';
import { describe, expect, it, vi } from 'vitest';

import {
  append,
  bind,
  codeOf,
  control,
  createHarness,
  dataOf,
  isUpToDate,
  seed,
  sseRequest,
  watch,
} from './support/harness.ts';

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
