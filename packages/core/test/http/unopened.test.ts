/** Reads of a stream that its run has not opened yet (PROTOCOL.md, "Runs"). */
import { createMemoryStreamStore, runJournalId, runStreamId, type StreamEnd, type StreamStore } from '@perennial/core';
import { getHttpStreamReader } from '@perennial/core/client';
import { createStreamRouter, formatOffset, type LiveBody } from '@perennial/core/http';
import { describe, expect, it } from 'vitest';

import { handlerFetch } from '../client/support/handler-fetch.ts';
import { codeOf, control, createHarness, isUpToDate, values, watch } from './support/harness.ts';

const STREAM = runStreamId('r', 'out');
const JOURNAL = runJournalId('r');
const COMPLETED: StreamEnd = { outcome: 'completed' };

/** A run that has not opened anything. */
async function world(options: Parameters<typeof createHarness>[0] = {}) {
  const watched = watch(options.store ?? createMemoryStreamStore());
  const harness = createHarness({ ...options, store: watched.store });
  await harness.store.create(JOURNAL, { records: [{ data: '{"t":"start"}' }], token: 1, owner: JOURNAL });
  return { ...harness, parked: watched.parked };
}

async function open(store: StreamStore, ...data: string[]): Promise<void> {
  // The journal tells of it before it exists.
  await store.append(JOURNAL, { token: 1, segments: [{ records: [{ data: '{"t":"open","ns":"out"}' }] }] });
  await store.create(STREAM, { owner: JOURNAL, token: 1 });
  if (data.length > 0)
    await store.append(STREAM, { token: 1, segments: [{ records: data.map((d) => ({ data: d })) }] });
}

const end = (store: StreamStore, id: string, how: StreamEnd): Promise<unknown> =>
  store.append(id, { token: 1, segments: [{ records: [], end: how }] });

describe('SSE', () => {
  it('writes nothing once it has ended, whatever a look at the store finds then', async () => {
    const inner = createMemoryStreamStore();
    await inner.create(JOURNAL, { records: [{ data: '{"t":"start"}' }], token: 1, owner: JOURNAL });
    const { store, parked } = watch(inner);
    const looking = Promise.withResolvers<void>();
    const look = Promise.withResolvers<void>();
    const closing = new AbortController();
    const route = createStreamRouter({ store, authorize: () => true, signal: closing.signal });
    const { body } = await route(new Request(`http://x/${STREAM}?live=sse&offset=-1`));
    const calls: string[] = [];
    const called = (call: string): boolean => calls.push(call) > 0;
    (body as LiveBody).start({ write: () => called('write'), end: () => called('end'), fail: () => called('fail') });
    await parked(1);
    Object.assign(store, { head: async (id: string) => (looking.resolve(), await look.promise, inner.head(id)) });
    await inner.mark(JOURNAL, { type: 'cancel' });
    await looking.promise;
    closing.abort();
    look.resolve();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toEqual(['write', 'end']);
  });

  it('tells at once that there is nothing yet, and goes on with what comes', async () => {
    const { sse, store, parked } = await world();
    const connection = await sse(STREAM);
    expect(connection.response.status).toBe(200);
    expect(connection.response.headers.get('Perennial-Incarnation')).toBeNull();
    expect(control(await connection.next())).toMatchObject({
      streamNextOffset: formatOffset(0),
      upToDate: true,
    });
    await parked(1);
    await open(store, '1', '2');
    const events = await connection.until(isUpToDate);
    expect(events.filter(({ event }) => event === 'data').flatMap(({ data }) => values(data))).toEqual([1, 2]);
    await end(store, STREAM, COMPLETED);
    expect(control((await connection.rest()).at(-1))).toMatchObject({
      streamClosed: true,
      perennial: { end: COMPLETED },
    });
  });

  it.each(['offset=now', 'perennial-last=5', `offset=${formatOffset(0)}`])(
    'starts at the beginning for %s',
    async (query) => {
      const { sse, store, parked } = await world();
      const connection = await sse(STREAM, `${query}&perennial-view=records`);
      await connection.next();
      await parked(1);
      await open(store, '"first"');
      const [data] = await connection.until(({ event }) => event === 'data');
      expect(JSON.parse(data?.data ?? '')).toMatchObject([{ p: 0, d: 'first' }]);
      await connection.close();
    },
  );

  it('ends as the run does when it ends without the stream, hiding what is not public', async () => {
    const { sse, store, parked } = await world();
    const connection = await sse(STREAM);
    await connection.next();
    await parked(1);
    await end(store, JOURNAL, { outcome: 'failed', error: { code: 'ECONNREFUSED', message: '10.0.0.7' } });
    expect(control((await connection.rest()).at(-1))).toMatchObject({
      streamClosed: true,
      perennial: { end: { outcome: 'failed', error: { code: 'INTERNAL', message: 'The producer failed.' } } },
    });
  });

  it('tells of a cancel request, and of a lost worker', async () => {
    const { sse, store } = await world();
    await store.mark(JOURNAL, { type: 'lease', token: 1, durationMs: 50 });
    const connection = await sse(STREAM);
    await connection.until((event) => control(event).perennial?.['stalled'] === true);
    await store.mark(JOURNAL, { type: 'cancel' });
    const [event] = await connection.until((event) => control(event).perennial?.['cancelRequested'] === true);
    expect(control(event)['streamClosed']).toBeUndefined();
    await connection.close();
  });

  it('ends with a run that nobody can take over', async () => {
    const { store, sse } = createHarness();
    await store.create(JOURNAL, { records: [{ data: '{"t":"start"}' }], token: 1, leaseMs: 50 });
    expect(control((await (await sse(STREAM)).rest()).at(-1))).toMatchObject({
      streamClosed: true,
      perennial: { end: { outcome: 'failed', error: { code: 'PRODUCER_LOST' } } },
    });
  });

  it('takes one slot, and gives it back however the response ends', async () => {
    const { sse, send, store, parked } = await world({ maxLiveReadersPerStream: 1 });
    const first = await sse(STREAM);
    await first.next();
    expect((await send('GET', STREAM, { query: 'live=sse&offset=-1' })).status).toBe(429);
    await first.close();
    const gone = new AbortController();
    const second = await sse(STREAM, 'offset=-1', { signal: gone.signal });
    gone.abort();
    await second.rest();
    const third = await sse(STREAM);
    await parked(1);
    await open(store, '1');
    await third.until(({ event }) => event === 'data');
    expect((await send('GET', STREAM, { query: 'live=sse&offset=-1' })).status).toBe(429);
    await third.close();
    expect((await sse(STREAM)).response.status).toBe(200);
  });

  it('is cut after its time, and sends heartbeats before', async () => {
    const { handler } = await world({ heartbeatMs: 5, sseMaxMs: 60 });
    const response = await handler(new Request(`http://streams.test/${STREAM}?live=sse&offset=-1`));
    const text = await response.text();
    expect(text).toMatch(/^:/m);
    expect(text).not.toContain('streamClosed');
  });

  it('of bytes begins anew, because only headers can say that they travel as base64', async () => {
    const { sse, store, parked } = await world();
    const connection = await sse(STREAM);
    await connection.next();
    await parked(1);
    await store.create(STREAM, { owner: JOURNAL, token: 1, contentType: 'application/octet-stream' });
    expect(await connection.rest()).toEqual([]);
    const again = await sse(STREAM);
    expect(again.response.headers.get('Stream-SSE-Data-Encoding')).toBe('base64');
    await again.close();
  });
});

describe('long-poll', () => {
  const poll = 'live=long-poll&offset=-1';

  it('answers with what comes', async () => {
    const { send, store, parked } = await world();
    const answer = send('GET', STREAM, { query: poll });
    await parked(1);
    await open(store, '1');
    expect(values(await (await answer).text())).toEqual([1]);
  });

  it('answers 204 when nothing comes in time, and with the end when the run ends', async () => {
    const { send, store, parked } = await world({ longPollMs: 30 });
    const nothing = await send('GET', STREAM, { query: poll });
    expect(nothing.status).toBe(204);
    expect(nothing.headers.get('Perennial-Position')).toBe('0');
    expect(nothing.headers.get('Perennial-Incarnation')).toBeNull();
    expect(nothing.headers.get('Stream-Closed')).toBeNull();
    const ended = send('GET', STREAM, { query: poll });
    await parked(1);
    await end(store, JOURNAL, { outcome: 'cancelled', reason: 'no' });
    const answer = (await ended).status === 204 ? await ended : await send('GET', STREAM, { query: poll });
    const last = answer.headers.get('Stream-Closed') ? answer : await send('GET', STREAM, { query: poll });
    expect(JSON.parse(last.headers.get('Perennial-End') ?? '')).toEqual({ outcome: 'cancelled', reason: 'no' });
  });
});

describe('a page', () => {
  it('is empty in the records view, and 404 in the plain one, whose content type nobody knows', async () => {
    const { send } = await world();
    const page = await send('GET', STREAM, { query: 'offset=-1&perennial-view=records' });
    expect([page.status, await page.json(), page.headers.get('Cache-Control')]).toEqual([200, [], 'no-store']);
    expect(page.headers.get('Perennial-Incarnation')).toBeNull();
    expect((await send('GET', STREAM)).status).toBe(404);
  });
});

describe('what is 404 as ever', () => {
  it.each([runStreamId('other', 'out'), 'runs/r', 'runs/r/a/b', 'elsewhere/r/out'])('%s', async (id) => {
    const { send } = await world();
    for (const query of ['offset=-1&live=sse', 'offset=-1&live=long-poll', 'offset=-1&perennial-view=records'])
      expect(await codeOf(await send('GET', id, { query }))).toBe('NOT_FOUND');
  });

  it('a stream that may not be read', async () => {
    const { send } = await world({ authorize: (_, { stream }) => stream !== STREAM });
    expect(await codeOf(await send('GET', STREAM, { query: 'offset=-1&live=sse' }))).toBe('NOT_FOUND');
  });
});

describe('a client', () => {
  it.each(['sse', 'long-poll'] as const)('reads from before the first write to the end by %s', async (transport) => {
    const { store, parked } = await world();
    const reader = getHttpStreamReader<number>({
      url: `/${STREAM}`,
      fetch: handlerFetch(store, { longPollMs: 50 }),
      transport,
    });
    const first = reader.read();
    await parked(1);
    await open(store, '1', '2');
    expect(await first).toMatchObject({ ok: true, value: 1 });
    expect(await reader.read()).toMatchObject({ ok: true, value: 2 });
    await end(store, STREAM, COMPLETED);
    expect(await reader.read()).toMatchObject({ ok: false, error: { code: 'ENDED' } });
  });
});

describe('a cancel', () => {
  it('of a stream reaches its owner, with the reason', async () => {
    const { send, store } = await world();
    await open(store, '1');
    const answer = await send('POST', STREAM, { query: 'perennial-cancel', body: '{"reason":"enough"}' });
    expect(answer.status).toBe(204);
    for (const id of [STREAM, JOURNAL]) expect((await store.head(id))?.cancel).toMatchObject({ reason: 'enough' });
  });

  it('of a stream that its run has not opened yet reaches the run', async () => {
    const { send, store } = await world();
    const answer = await send('POST', STREAM, { query: 'perennial-cancel', body: '{"reason":"early"}' });
    expect(answer.status).toBe(204);
    expect((await store.head(JOURNAL))?.cancel).toMatchObject({ reason: 'early' });
  });

  it('of a stream that has ended leaves its owner alone', async () => {
    const { send, store } = await world();
    await open(store, '1');
    await end(store, STREAM, COMPLETED);
    expect((await send('POST', STREAM, { query: 'perennial-cancel' })).headers.get('Stream-Closed')).toBe('true');
    expect((await store.head(JOURNAL))?.cancel).toBeNull();
  });

  it('of a stream whose owner was deleted is no error', async () => {
    const { send, store } = await world();
    await open(store, '1');
    await store.delete(JOURNAL);
    expect((await send('POST', STREAM, { query: 'perennial-cancel' })).status).toBe(204);
    expect((await store.head(STREAM))?.cancel).not.toBeNull();
  });

  it('of a run that there is not is 404, and one that is not allowed is 403', async () => {
    const { send } = await world();
    expect((await send('POST', runStreamId('none', 'out'), { query: 'perennial-cancel' })).status).toBe(404);
    const closed = await world({ authorize: () => false });
    expect((await closed.send('POST', STREAM, { query: 'perennial-cancel' })).status).toBe(403);
    expect((await closed.store.head(JOURNAL))?.cancel).toBeNull();
  });
});
