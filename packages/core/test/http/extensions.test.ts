/** What the handler adds to the base protocol (PROTOCOL.md, "Extensions"). */
import { createMemoryStreamStore } from '@perennial/core';
import { formatOffset } from '@perennial/core/http';
import { describe, expect, it } from 'vitest';

import { failing } from '../support/stores.ts';
import { append, codeOf, control, createHarness, dataOf, isUpToDate, seed, watch } from './support/harness.ts';

const FAILED = {
  outcome: 'failed',
  error: { code: 'TIMEOUT', message: 'Too slow: ü', name: 'TimeoutError', stack: 'at secret.ts', public: true },
} as const;
const PUBLIC_FAILED = { outcome: 'failed', error: { code: 'TIMEOUT', message: 'Too slow: ü' } };
const SECRET = {
  outcome: 'failed',
  error: { code: 'ECONNREFUSED', message: 'connect 10.0.0.7:5432', stack: 'at secret.ts' },
} as const;
const GENERIC = { outcome: 'failed', error: { code: 'INTERNAL', message: 'The producer failed.' } };

describe('the typed end', () => {
  it('shows in headers, in ASCII, once everything before it was read', async () => {
    const { send, store } = createHarness({ pageRecords: 2, pageBytes: 1 });
    await seed(store, 's', [1, 2, 3]);
    await store.append('s', { segments: [{ records: [], end: FAILED }] });

    const first = await send('GET', 's', { query: `offset=-1` });
    expect(first.headers.get('Perennial-End')).toBe(null);
    expect(first.headers.get('Stream-Closed')).toBe(null);
    const rest = await send('GET', 's', { query: `offset=${formatOffset(3)}` });
    const end = rest.headers.get('Perennial-End') ?? '';
    expect(end).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(end)).toEqual(PUBLIC_FAILED);
    expect(rest.headers.get('Stream-Closed')).toBe('true');
    expect(JSON.parse((await send('HEAD', 's')).headers.get('Perennial-End') ?? '')).toEqual(PUBLIC_FAILED);
    expect(
      JSON.parse(
        (await send('GET', 's', { query: `offset=${formatOffset(3)}&live=long-poll` })).headers.get('Perennial-End') ??
          '',
      ),
    ).toEqual(PUBLIC_FAILED);
  });

  it('shows in the last control event, and nowhere before', async () => {
    const { sse, store } = createHarness();
    await seed(store, 's', [1]);
    const connection = await sse('s');
    await connection.until(isUpToDate);
    await store.append('s', { segments: [{ records: [{ data: '2' }], end: FAILED }] });
    const events = await connection.rest();
    expect(events.map(({ event }) => event)).toEqual(['data', 'control']);
    expect(control(events.at(-1))).toMatchObject({
      streamClosed: true,
      upToDate: true,
      perennial: { end: PUBLIC_FAILED },
    });
    expect(control(events.at(-1))['streamCursor']).toBeUndefined();
  });

  it('leaks nothing that was not made public', async () => {
    const { send, sse, store } = createHarness();
    await seed(store, 's');
    await store.append('s', { segments: [{ records: [], end: SECRET }] });
    expect(JSON.parse((await send('GET', 's')).headers.get('Perennial-End') ?? '')).toEqual(GENERIC);
    expect(control((await (await sse('s')).rest()).at(-1)).perennial).toEqual({ end: GENERIC });
    const refused = await send('POST', 's', { headers: { 'Content-Type': 'application/json' }, body: '1' });
    expect(JSON.parse(refused.headers.get('Perennial-End') ?? '')).toEqual(GENERIC);
    expect(await refused.text()).not.toContain('10.0.0.7');
  });

  it('can be written by a client of the plain protocol', async () => {
    const { send, store } = createHarness();
    await seed(store, 's');
    const end = JSON.stringify({ outcome: 'cancelled', reason: 'enough' });
    expect((await send('POST', 's', { headers: { 'Stream-Closed': 'true', 'Perennial-End': end } })).status).toBe(204);
    expect((await store.head('s'))?.end).toEqual({ outcome: 'cancelled', reason: 'enough' });
  });

  it('cuts long texts in headers only', async () => {
    const { send, sse, store } = createHarness();
    const message = 'é'.repeat(4_000);
    await seed(store, 's');
    await store.append('s', {
      segments: [{ records: [], end: { outcome: 'failed', error: { code: 'X', message, public: true } } }],
    });
    expect((await send('HEAD', 's')).headers.get('Perennial-End')?.length).toBeLessThan(4_000);
    expect(control((await (await sse('s')).rest()).at(-1)).perennial?.['end']).toMatchObject({ error: { message } });
  });
});

describe('the records view', () => {
  it('gives position, time, step, attempt and retractions in every mode', async () => {
    const { send, sse, store } = createHarness();
    await store.create('s');
    await store.append('s', {
      segments: [
        {
          records: [
            { data: '1.0' },
            { data: '"a"', step: 'draft', attempt: 1 },
            { kind: 'supersede', step: 'draft', belowAttempt: 2 },
          ],
        },
      ],
    });
    const expected = [
      { p: 0, t: expect.any(Number), d: 1 },
      { p: 1, t: expect.any(Number), d: 'a', s: 'draft', a: 1 },
      { p: 2, t: expect.any(Number), x: { step: 'draft', belowAttempt: 2 } },
    ];
    const page = await send('GET', 's', { query: 'perennial-view=records' });
    const text = await page.text();
    expect(text).toContain('"d":1.0');
    expect(JSON.parse(text)).toEqual(expected);
    expect(page.headers.get('Perennial-Position')).toBe('3');
    const polled = await send('GET', 's', { query: 'perennial-view=records&live=long-poll&offset=-1' });
    expect(await polled.json()).toEqual(expected);
    const events = await (await sse('s', 'perennial-view=records&offset=-1')).until(isUpToDate);
    expect(JSON.parse(dataOf(events))).toEqual(expected);
    expect(control(events.at(-1)).perennial).toEqual({ position: 3 });
  });

  it('carries bytes in base64', async () => {
    const { send, store } = createHarness();
    await store.create('b', { contentType: 'application/octet-stream' });
    await store.append('b', { segments: [{ records: [{ data: Uint8Array.of(0, 255, 10) }] }] });
    const page = await send('GET', 'b', { query: 'perennial-view=records' });
    expect(page.headers.get('Content-Type')).toBe('application/json');
    expect(await page.json()).toEqual([{ p: 0, t: expect.any(Number), b: 'AP8K' }]);
  });
});

describe('retractions in the plain view', () => {
  it('travel in control events, and leave the values alone', async () => {
    const { send, sse, store } = createHarness();
    await store.create('s');
    await store.append('s', {
      segments: [
        {
          records: [
            { data: '1', step: 'x', attempt: 1 },
            { kind: 'supersede', step: 'x', belowAttempt: 2 },
            { data: '2', step: 'x', attempt: 2 },
          ],
        },
      ],
    });
    const events = await (await sse('s')).until(isUpToDate);
    expect(JSON.parse(dataOf(events))).toEqual([1, 2]);
    expect(control(events.at(-1)).perennial).toEqual({ supersede: [{ position: 1, step: 'x', belowAttempt: 2 }] });
    expect(await (await send('GET', 's')).json()).toEqual([1, 2]);
  });

  it('alone wake a live reader without a data event', async () => {
    const { sse, store } = createHarness();
    await seed(store, 's', [1]);
    const connection = await sse('s', 'offset=now');
    await connection.next();
    await store.append('s', { segments: [{ records: [{ kind: 'supersede', step: 'x', belowAttempt: 2 }] }] });
    const event = await connection.next();
    expect(event?.event).toBe('control');
    expect(control(event)).toMatchObject({
      streamNextOffset: formatOffset(2),
      perennial: { supersede: [{ position: 1 }] },
    });
    await connection.close();
  });
});

describe('the last N records', () => {
  it.each([
    [0, []],
    [2, [2, 3]],
    [3, [1, 2, 3]],
    [100, [1, 2, 3]],
  ])('perennial-last=%i', async (count, values) => {
    const { send, sse, store } = createHarness();
    await seed(store, 's', [1, 2, 3]);
    const page = await send('GET', 's', { query: `perennial-last=${count}` });
    expect(await page.json()).toEqual(values);
    expect(page.headers.get('Stream-Next-Offset')).toBe(formatOffset(3));
    const events = await (await sse('s', `perennial-last=${count}`)).until(isUpToDate);
    expect(JSON.parse(dataOf(events) || '[]')).toEqual(values);
  });
});

describe('cancel requests', () => {
  it('are durable, first one wins, and tell live readers', async () => {
    const { send, sse, store } = createHarness();
    await seed(store, 's');
    const connection = await sse('s', 'offset=-1&perennial-view=records');
    await connection.next();
    expect(
      (await send('POST', 's', { query: 'perennial-cancel', body: '{"reason":"Stop was pressed."}' })).status,
    ).toBe(204);
    expect(control(await connection.next()).perennial).toEqual({ position: 0, cancelRequested: true });
    expect((await send('POST', 's', { query: 'perennial-cancel' })).status).toBe(204);
    expect((await store.head('s'))?.cancel).toMatchObject({ reason: 'Stop was pressed.' });
    expect((await send('HEAD', 's')).headers.get('Perennial-Cancel-Requested')).toBe('true');
    await connection.close();
  });

  it('end a long-poll early, once', async () => {
    const { store, parked } = watch(createMemoryStreamStore());
    const { send } = createHarness({ store });
    await seed(store, 's');
    const polled = send('GET', 's', { query: 'live=long-poll&offset=now' });
    await parked(1);
    await send('POST', 's', { query: 'perennial-cancel' });
    const response = await polled;
    expect(response.status).toBe(204);
    expect(response.headers.get('Perennial-Cancel-Requested')).toBe('true');
    const again = send('GET', 's', { query: 'live=long-poll&offset=now' });
    await parked(2);
    await append(store, 's', 1);
    expect(await (await again).json()).toEqual([1]);
  });

  it('of an ended stream answer how it ended', async () => {
    const { send, store } = createHarness();
    await store.create('s', { end: { outcome: 'completed' } });
    const response = await send('POST', 's', { query: 'perennial-cancel' });
    expect(response.status).toBe(204);
    expect(response.headers.get('Perennial-End')).toBe('{"outcome":"completed"}');
  });

  it.each(['[]', '7', '"x"', '{"reason":7}', '{', '{"reason":"\\ud800"}', `{"reason":"${'x'.repeat(2_000)}"}`])(
    'refuse the body %s',
    async (body) => {
      const { send, store } = createHarness();
      await seed(store, 's');
      const response = await send('POST', 's', { query: 'perennial-cancel', body });
      expect([400, 413]).toContain(response.status);
      expect((await store.head('s'))?.cancel).toBe(null);
    },
  );
});

describe('the expected position', () => {
  it('lets one of two writers through, and answers 412 to the other', async () => {
    const { send, store } = createHarness();
    await seed(store, 's', [1]);
    const post = (position: string): Promise<Response> =>
      send('POST', 's', {
        headers: { 'Content-Type': 'application/json', 'Perennial-Expected-Position': position },
        body: '2',
      });
    expect((await post('1')).status).toBe(204);
    const late = await post('1');
    expect(late.status).toBe(412);
    expect(late.headers.get('Perennial-Position')).toBe('2');
    expect(late.headers.get('Stream-Next-Offset')).toBe(formatOffset(2));
    expect(await codeOf(late)).toBe('CONFLICT');
    expect((await store.head('s'))?.nextPosition).toBe(2);
  });
});

describe('resuming like an EventSource', () => {
  it('goes on after the last event id, whatever the URL says', async () => {
    const { sse, store } = createHarness();
    await seed(store, 's', ['a', 'b']);
    const first = await sse('s', 'offset=-1');
    const [event] = await first.until(isUpToDate);
    await first.close();
    await append(store, 's', 'c');
    const second = await sse('s', 'offset=-1', { headers: { 'Last-Event-ID': event?.id ?? '' } });
    expect(JSON.parse(dataOf(await second.until(isUpToDate)))).toEqual(['c']);
    await second.close();
  });

  it('gets 204 at a closed tail, and the rest before it', async () => {
    const { sse, store } = createHarness();
    await seed(store, 's', ['a', 'b']);
    await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
    const behind = await sse('s', 'offset=-1', { headers: { 'Last-Event-ID': formatOffset(1) } });
    expect(JSON.parse(dataOf(await behind.rest()))).toEqual(['b']);
    const atTail = await sse('s', 'offset=-1', { headers: { 'Last-Event-ID': formatOffset(2) } });
    expect(atTail.response.status).toBe(204);
    expect(atTail.response.headers.get('Perennial-End')).toBe('{"outcome":"completed"}');
    const plain = await sse('s', `offset=${formatOffset(2)}`);
    expect(control((await plain.rest()).at(-1))).toMatchObject({ streamClosed: true });
  });

  it('needs no offset when there is a last event id', async () => {
    const { sse, store } = createHarness();
    await seed(store, 's', ['a']);
    const connection = await sse('s', '', { headers: { 'Last-Event-ID': formatOffset(0) } });
    expect(JSON.parse(dataOf(await connection.until(isUpToDate)))).toEqual(['a']);
    await connection.close();
  });
});

describe('what is not offered', () => {
  it.each(['__ds', '__ds/subscriptions/1', '__ds/jwks.json'])('keeps %s free', async (path) => {
    const { handler, store } = createHarness();
    const response = await handler(new Request(`http://streams.test/${path}`, { method: 'PUT' }));
    expect(response.status).toBe(404);
    expect(await codeOf(response)).toBe('UNSUPPORTED');
    expect((await store.list()).streams).toEqual([]);
  });
});

describe('a producer that skips a sequence', () => {
  it('is told what comes next, also by a store that fails just then', async () => {
    const { send } = createHarness({ store: failing(createMemoryStreamStore(), 'producer', () => 'before') });
    await send('PUT', 's', { headers: { 'Content-Type': 'application/json' } });
    const post = (seq: number): Promise<Response> =>
      send('POST', 's', {
        headers: {
          'Content-Type': 'application/json',
          'Producer-Id': 'p',
          'Producer-Epoch': '0',
          'Producer-Seq': String(seq),
        },
        body: '1',
      });
    expect((await post(0)).status).toBe(200);
    expect(await (await post(5)).json()).toMatchObject({ error: { code: 'SEQUENCE_GAP' } });
    // What nobody waited for would be reported by now.
    await new Promise((resolve) => setImmediate(resolve));
  });
});
