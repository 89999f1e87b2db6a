/** Forks over HTTP where the published suite does not look: authorisation, every kind of reader, what errors say. */
import { createMemoryStreamStore, getStreamReader, isStreamRetained } from '@perennial/core';
import { createHttpStore, getHttpStreamReader } from '@perennial/core/client';
import { describe, expect, it } from 'vitest';

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
} from './support/harness.ts';

const FORKED_FROM = 'Stream-Forked-From';
const FORK_OFFSET = 'Stream-Fork-Offset';
const SUB_OFFSET = 'Stream-Fork-Sub-Offset';
const offset = (position: number, byte = 0): string =>
  `${String(position).padStart(16, '0')}_${String(byte).padStart(16, '0')}`;

describe('a fork is authorised', () => {
  const rules = (allowed: Readonly<Record<string, readonly string[]>>): Parameters<typeof createHarness>[0] => ({
    authorize: (_request, { stream, action }) => allowed[stream]?.includes(action) ?? false,
  });

  it('as a creation and as a read of its source', async () => {
    const { send, store } = createHarness(rules({ source: ['read'], fork: ['create', 'read'] }));
    await seed(store, 'source', [1, 2]);
    expect((await send('PUT', 'fork', { headers: { [FORKED_FROM]: '/source' } })).status).toBe(201);
    expect(await (await send('GET', 'fork')).text()).toBe('[1,2]');
  });

  it('and a source that may not be read looks like one that is absent', async () => {
    const { send, store } = createHarness(rules({ fork: ['create', 'read'] }));
    await seed(store, 'secret', ['s']);
    const [denied, absent] = await Promise.all(
      ['/secret', '/nowhere'].map((from) => send('PUT', 'fork', { headers: { [FORKED_FROM]: from } })),
    );
    expect([denied?.status, absent?.status]).toEqual([404, 404]);
    expect(await denied?.text()).toBe(await absent?.text());
    expect(await store.head('fork')).toBeNull();
  });

  it('also through the store port', async () => {
    const harness = createHarness(rules({ fork: ['create', 'mark'], other: ['read', 'mark'], secret: [] }));
    const remote = createHttpStore({
      url: 'http://streams.test/',
      fetch: (input, init) => harness.handler(new Request(input, init)),
    });
    await seed(harness.store, 'secret', ['s']);
    await seed(harness.store, 'other', ['o']);
    await expect(remote.create('fork', { fork: { from: 'secret' } })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await remote.create('fork', { fork: { from: 'other' } })).created).toBe(true);
  });
});

describe('the source of a fork', () => {
  it.each([
    'source',
    'http://elsewhere.test/source',
    '//elsewhere.test/source',
    '/',
    '/%ff',
    '/__ds/x',
    '\\source',
    '',
  ])('cannot be %j', async (from) => {
    const { send, store } = createHarness();
    await seed(store, 'source', [1]);
    const response = await send('PUT', 'fork', { headers: { [FORKED_FROM]: from } });
    expect([response.status, await codeOf(response)]).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await store.head('fork')).toBeNull();
  });

  it.each(['/a%20b/%C3%BC', 'http://streams.test/a%20b/%C3%BC'])('can be %j', async (from) => {
    const { send, store } = createHarness();
    await seed(store, 'a b/ü', [1]);
    expect((await send('PUT', 'fork', { headers: { [FORKED_FROM]: from } })).status).toBe(201);
  });

  it('can have an id that no path carries', async () => {
    const { send, store } = createHarness();
    await seed(store, '../up', [1]);
    const from = `/?perennial-stream=${encodeURIComponent('../up')}`;
    expect((await send('PUT', 'fork', { headers: { [FORKED_FROM]: from } })).status).toBe(201);
    expect(await (await send('GET', 'fork')).text()).toBe('[1]');
  });

  it('is not named in answers', async () => {
    const { send, store } = createHarness();
    await seed(store, 'quelle', [1]);
    await send('PUT', 'fork', { headers: { [FORKED_FROM]: '/quelle' } });
    for (const method of ['GET', 'HEAD'])
      expect(JSON.stringify([...(await send(method, 'fork')).headers])).not.toContain('quelle');
    const list = await send('GET', '', { query: 'perennial-list' });
    expect(await list.text()).not.toContain('"fork":{');
  });
});

describe('the place of a fork', () => {
  it.each([
    [{ [FORK_OFFSET]: 'x', [FORKED_FROM]: '/source' }],
    [{ [FORK_OFFSET]: offset(1) }],
    [{ [SUB_OFFSET]: '1' }],
    [{ [FORKED_FROM]: '/source', [FORK_OFFSET]: 'now', [SUB_OFFSET]: '1' }],
    [{ [FORKED_FROM]: '/source', [FORK_OFFSET]: offset(0, 3) }],
    [{ [FORKED_FROM]: '/source', [FORK_OFFSET]: offset(0), [SUB_OFFSET]: '9007199254740992' }],
    [{ [FORKED_FROM]: '/source', [FORK_OFFSET]: offset(Number.MAX_SAFE_INTEGER), [SUB_OFFSET]: '7' }],
    [{ [FORKED_FROM]: '/source', [FORK_OFFSET]: offset(3) }],
  ])('cannot be %j', async (headers) => {
    const { send, store } = createHarness();
    await seed(store, 'source', [1, 2]);
    const response = await send('PUT', 'fork', { headers });
    expect([response.status, await codeOf(response)]).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await store.head('fork')).toBeNull();
  });

  it.each([
    ['-1', undefined, '[]'],
    ['-1', '1', '[1]'],
    ['now', undefined, '[1,2,3]'],
    [offset(2), '0', '[1,2]'],
    [offset(1), '2', '[1,2,3]'],
  ])('can be %s and %s', async (at, sub, expected) => {
    const { send, store } = createHarness();
    await seed(store, 'source', [1, 2, 3]);
    const headers = { [FORKED_FROM]: '/source', [FORK_OFFSET]: at, ...(sub !== undefined && { [SUB_OFFSET]: sub }) };
    expect((await send('PUT', 'fork', { headers })).status).toBe(201);
    expect(await (await send('GET', 'fork')).text()).toBe(expected);
  });

  it('can lie inside a character, where a reader of text stands', async () => {
    const { send, store } = createHarness();
    const bytes = new TextEncoder().encode('aü');
    await store.create('source', { contentType: 'text/plain', records: [{ data: bytes }] });
    const headers = { [FORKED_FROM]: '/source', [FORK_OFFSET]: offset(0, 1), [SUB_OFFSET]: '1' };
    expect((await send('PUT', 'fork', { headers })).status).toBe(201);
    expect(new Uint8Array(await (await send('GET', 'fork')).arrayBuffer())).toEqual(bytes.slice(0, 2));
  });

  it('keeps numbers as they were written', async () => {
    const { send, store } = createHarness();
    await store.create('source', { records: [{ data: '12345678901234567890' }, { data: '1.0' }] });
    const headers = { [FORKED_FROM]: '/source', 'Content-Type': 'application/json' };
    await send('PUT', 'fork', { headers, body: '[2.50]' });
    expect(await (await send('GET', 'fork')).text()).toBe('[12345678901234567890,1.0,2.50]');
  });
});

describe('readers of a fork', () => {
  async function forked(): Promise<ReturnType<typeof createHarness>> {
    const harness = createHarness();
    await seed(harness.store, 'source', [0, 1, 2]);
    await harness.store.create('fork', { fork: { from: 'source', position: 2 } });
    await append(harness.store, 'fork', 'own');
    return harness;
  }

  it('read pages of any length across the fork position', async () => {
    const { store } = await forked();
    const { send } = createHarness({ store, pageRecords: 1 });
    const pages: string[] = [];
    for (let at = '-1'; ;) {
      const response = await send('GET', 'fork', { query: `offset=${at}` });
      pages.push(await response.text());
      at = response.headers.get('Stream-Next-Offset') ?? '';
      if (response.headers.get('Stream-Up-To-Date') === 'true') break;
    }
    expect(pages).toEqual(['[0]', '[1]', '["own"]']);
  });

  it('read the last records, wherever they come from', async () => {
    const { send } = await forked();
    expect(await (await send('GET', 'fork', { query: 'perennial-last=2' })).text()).toBe('[1,"own"]');
  });

  it('see positions and times in the records view', async () => {
    const { send, store } = await forked();
    const read = async (id: string): Promise<unknown[]> =>
      (await (await send('GET', id, { query: 'perennial-view=records' })).json()) as unknown[];
    expect((await read('fork')).slice(0, 2)).toEqual((await read('source')).slice(0, 2));
    expect((await read('fork'))[2]).toMatchObject({ p: 2, d: 'own' });
    expect((await store.head('fork'))?.nextPosition).toBe(3);
  });

  it('follow it by SSE, from inherited records to new ones', async () => {
    const { sse, store } = await forked();
    const live = await sse('fork', 'offset=-1');
    const before = await live.until(isUpToDate);
    expect(values(dataOf(before))).toEqual([0, 1, 'own']);
    await append(store, 'source', 'not mine');
    await append(store, 'fork', 'mine');
    expect(values(dataOf(await live.until(({ event }) => event === 'data')))).toEqual(['mine']);
    await live.close();
  });

  it('resume by Last-Event-ID at an inherited record', async () => {
    const { handler } = await forked();
    const request = new Request('http://streams.test/fork?live=sse', { headers: { 'Last-Event-ID': offset(1) } });
    const live = connect(await handler(request));
    expect(values(dataOf(await live.until(isUpToDate)))).toEqual([1, 'own']);
    await live.close();
  });

  it('learn of retractions that it inherited', async () => {
    const { store, sse } = createHarness();
    await store.create('source', {
      records: [
        { data: '"old"', step: 's', attempt: 1 },
        { kind: 'supersede', step: 's', belowAttempt: 2 },
        { data: '"new"', step: 's', attempt: 2 },
      ],
    });
    await store.create('fork', { fork: { from: 'source' } });
    const live = await sse('fork', 'offset=-1');
    const events = await live.until(isUpToDate);
    expect(
      events.flatMap((event) => control(event.event === 'control' ? event : undefined)?.perennial?.['supersede'] ?? []),
    ).toEqual([{ position: 1, step: 's', belowAttempt: 2 }]);
    await live.close();
  });

  it('are served by the reader of the store and by the client alike', async () => {
    const { store, handler } = await forked();
    await store.append('fork', { segments: [{ records: [], end: { outcome: 'completed' } }] });
    const local: unknown[] = [];
    for await (const value of getStreamReader({ store, streamId: 'fork' })) local.push(value);
    const remote: unknown[] = [];
    const connected = getHttpStreamReader({
      url: 'http://streams.test/fork',
      fetch: (input, init) => handler(new Request(input, init)),
    });
    for await (const value of connected) remote.push(value);
    expect([local, remote]).toEqual([
      [0, 1, 'own'],
      [0, 1, 'own'],
    ]);
  });

  it('get a fork’s own ETags: the same positions of two forks are not the same bytes', async () => {
    const { send, store } = await forked();
    await store.create('other', { fork: { from: 'source', position: 2 } });
    await append(store, 'other', 'else');
    const etag = (await send('GET', 'fork')).headers.get('ETag') ?? '';
    const response = await send('GET', 'other', { headers: { 'If-None-Match': etag } });
    expect([response.status, await response.text()]).toEqual([200, '[0,1,"else"]']);
  });
});

describe('a source that was deleted', () => {
  it('answers 410 to everything, and 409 to a creation', async () => {
    const { send, store, handler } = createHarness();
    await seed(store, 'source', [1]);
    await store.create('fork', { fork: { from: 'source' } });
    expect((await send('DELETE', 'source')).status).toBe(204);
    const json = { 'Content-Type': 'application/json' };
    const answers = [
      await send('GET', 'source'),
      await send('GET', 'source', { query: 'offset=-1&live=long-poll' }),
      await send('GET', 'source', { query: 'offset=-1&live=sse' }),
      await send('POST', 'source', { headers: json, body: '2' }),
      await send('POST', 'source', { query: 'perennial-cancel' }),
      await send('DELETE', 'source'),
    ];
    for (const answer of answers) expect([answer.status, await codeOf(answer)]).toEqual([410, 'NOT_FOUND']);
    expect((await send('HEAD', 'source')).status).toBe(410);
    expect((await send('PUT', 'source', { headers: json })).status).toBe(409);
    expect((await send('PUT', 'again', { headers: { [FORKED_FROM]: '/source' } })).status).toBe(409);
    expect((await send('PUT', 'fork', { headers: { [FORKED_FROM]: '/source' } })).status).toBe(200);

    const reader = getHttpStreamReader({
      url: 'http://streams.test/source',
      fetch: (input, init) => handler(new Request(input, init)),
    });
    const result = await reader.read();
    expect(result.ok ? null : isStreamRetained(result.error)).toBe(true);
    await reader.close();
  });

  it('ends the responses of those who follow it', async () => {
    const { sse, store, send } = createHarness();
    await seed(store, 'source', [1]);
    await store.create('fork', { fork: { from: 'source' } });
    const live = await sse('source');
    await live.until(isUpToDate);
    await send('DELETE', 'source');
    const rest = await live.rest();
    expect(rest.some((event) => event.event === 'control' && control(event)['streamClosed'] === true)).toBe(false);
  });
});

describe('the memory store', () => {
  it('copies nothing: a thousand forks of a large stream fit where two copies would not', async () => {
    const store = createMemoryStreamStore({ maxBytes: 1_500_000 });
    await store.create('source', {
      contentType: 'application/octet-stream',
      records: [{ data: new Uint8Array(1_000_000) }],
    });
    for (let n = 0; n < 1_000; n++) await store.create(`fork/${n}`, { fork: { from: 'source' } });
    const { records } = await store.read('fork/999', { from: 0 });
    expect(records[0]?.kind === 'data' && records[0].data.length).toBe(1_000_000);
  });
});
