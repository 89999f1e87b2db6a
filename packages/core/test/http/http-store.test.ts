/** The store over HTTP beyond the conformance kit: errors, limits of waits, and what goes wrong on the way. */
import { createMemoryStreamStore, isStreamError, StreamError, type StreamStore } from '@perennial/core';
import { createStreamHandler, type StreamHandlerOptions } from '@perennial/core/http';
import { describe, expect, it } from 'vitest';

import { createHttpStore, type HttpStoreOptions } from '../../src/client/http-store.ts';
import { watch } from './support/harness.ts';

function connectStore(
  options: Partial<StreamHandlerOptions> = {},
  client: Partial<HttpStoreOptions> = {},
): { store: StreamStore; behind: StreamStore } {
  const behind = options.store ?? createMemoryStreamStore();
  const handler = createStreamHandler({ authorize: () => true, basePath: '/streams', ...options, store: behind });
  const store = createHttpStore({
    url: 'http://streams.test/streams/',
    fetch: (input, init) => handler(new Request(input, init)),
    ...client,
  });
  return { store, behind };
}

const failure = async (promise: Promise<unknown>): Promise<StreamError & Record<string, unknown>> => {
  const error: unknown = await promise.then(
    (value) => Promise.reject(new Error(`It resolved with ${JSON.stringify(value)}.`)),
    (reason: unknown) => reason,
  );
  if (!isStreamError(error)) throw error;
  return error as StreamError & Record<string, unknown>;
};

describe('errors arrive as they were thrown', () => {
  it('with code, fields and wording', async () => {
    const { store, behind } = connectStore();
    await behind.create('s', { token: 5 });
    expect(await failure(store.append('absent', { segments: [{ records: [{ data: '1' }] }] }))).toMatchObject({
      code: 'NOT_FOUND',
      streamId: 'absent',
    });
    expect(await failure(store.create('s', { contentType: 'text/plain' }))).toMatchObject({
      code: 'EXISTS',
      streamId: 's',
      message: expect.stringContaining('application/json'),
    });
    expect(await failure(store.append('s', { token: 3, segments: [{ records: [{ data: '1' }] }] }))).toMatchObject({
      code: 'FENCED',
      token: 3,
      currentToken: 5,
    });
    expect(await failure(store.mark('s', { type: 'lease', durationMs: -1 }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      argument: 'durationMs',
    });
    expect(
      await failure(store.append('s', { token: 5, segments: [{ records: [{ data: 'nonsense' }] }] })),
    ).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'data' });
  });

  it('a gap names the earliest position', async () => {
    const behind = watch(createMemoryStreamStore()).store;
    const { StreamGapError } = await import('@perennial/core');
    const { store } = connectStore({ store: { ...behind, read: () => Promise.reject(new StreamGapError('s', 2, 7)) } });
    expect(await failure(store.read('s', { from: 2 }))).toMatchObject({
      code: 'GAP',
      streamId: 's',
      requestedPosition: 2,
      earliestPosition: 7,
    });
  });

  it.each(['STORE_FULL', 'STORE_LOCKED', 'CORRUPT', 'STORE_ERROR'] as const)(
    '%s keeps its code, and its text stays on the server',
    async (code) => {
      const behind = watch(createMemoryStreamStore()).store;
      const { store } = connectStore({
        store: { ...behind, read: () => Promise.reject(new StreamError(code, 'pid 4711 at /var/lib')) },
      });
      const error = await failure(store.read('s', { from: 0 }));
      expect(error.code).toBe(code);
      expect(error.message).not.toContain('4711');
    },
  );

  it('being refused is FORBIDDEN, and an unreadable stream is absent', async () => {
    const { store, behind } = connectStore({ authorize: (_request, { action }) => action !== 'mark' });
    await behind.create('s');
    expect((await failure(store.read('s', { from: 0 }))).code).toBe('FORBIDDEN');
    expect((await failure(connectStore({ authorize: () => false, store: behind }).store.head('s'))).code).toBe(
      'NOT_FOUND',
    );
  });
});

describe('what never was an answer of ours', () => {
  it.each([
    [() => Promise.reject(new TypeError('fetch failed')), 'STORE_ERROR', 'fetch failed'],
    [() => Promise.resolve(new Response('<html>', { status: 200 })), 'STORE_ERROR', 'understood'],
    [() => Promise.resolve(new Response('<html>Bad Gateway', { status: 502 })), 'STORE_ERROR', '502'],
    [() => Promise.resolve(new Response('', { status: 401 })), 'FORBIDDEN', '401'],
    [
      () => Promise.resolve(new Response('{"error":{"code":"EVIL","message":7}}', { status: 500 })),
      'STORE_ERROR',
      '500',
    ],
    [() => Promise.resolve(new Response('{"error":null}', { status: 431 })), 'LIMIT_EXCEEDED', '431'],
  ] as const)('%s', async (fetch, code, text) => {
    const { store } = connectStore({}, { fetch });
    const error = await failure(store.read('s', { from: 0 }));
    expect(error).toMatchObject({ code, message: expect.stringContaining(text) });
  });
});

describe('waits', () => {
  it('outlast the limit of a single request', async () => {
    const { store: behind, parked } = watch(createMemoryStreamStore());
    const { store } = connectStore({ store: behind, longPollMs: 5 });
    await behind.create('s');
    const waiting = store.wait('s', { position: 0 });
    await parked(4);
    await behind.append('s', { segments: [{ records: [{ data: '1' }] }] });
    expect((await waiting).nextPosition).toBe(1);
  });

  it('end by their own time limit, by their signal, and by closing the store', async () => {
    const { store: behind, parked } = watch(createMemoryStreamStore());
    const { store } = connectStore({ store: behind });
    await behind.create('s');
    expect((await store.wait('s', { position: 0, timeoutMs: 5 })).nextPosition).toBe(0);
    const stop = new AbortController();
    const stopped = failure(store.wait('s', { position: 0, signal: stop.signal }));
    await parked(2);
    stop.abort('enough');
    expect((await stopped).code).toBe('ABORTED');
    const closed = failure(store.wait('s', { position: Infinity }));
    await parked(3);
    await store.close();
    expect((await closed).code).toBe('STORE_CLOSED');
    expect((await failure(store.head('s'))).code).toBe('STORE_CLOSED');
    await store.close();
    expect(await behind.head('s')).not.toBe(null);
  });

  it('count as live readers', async () => {
    const { store: behind, parked } = watch(createMemoryStreamStore());
    const { store } = connectStore({ store: behind, maxLiveReaders: 1 });
    await behind.create('s');
    const first = failure(store.wait('s', { position: 0 }));
    await parked(1);
    expect((await failure(store.wait('s', { position: 0 }))).code).toBe('LIMIT_EXCEEDED');
    await store.close();
    await first;
  });
});

describe('lists', () => {
  it('show whole heads to the store, and public ones to others', async () => {
    const { store, behind } = connectStore();
    await behind.create('a/1', {
      owner: 'journal',
      token: 3,
      leaseMs: 1_000,
      end: { outcome: 'failed', error: { code: 'X', message: 'secret' } },
    });
    await behind.create('b');
    expect((await store.list({ prefix: 'a/' })).streams).toEqual((await behind.list({ prefix: 'a/' })).streams);
    const handler = createStreamHandler({ store: behind, authorize: () => true });
    const response = await handler(new Request('http://streams.test/?perennial-list&perennial-limit=1'));
    const body = (await response.json()) as { streams: Record<string, unknown>[]; next: string };
    expect(body.next).toBe('a/1');
    expect(body.streams).toEqual([
      {
        id: 'a/1',
        incarnation: expect.any(String),
        contentType: 'application/json',
        createdAt: expect.any(Number),
        firstPosition: 0,
        nextPosition: 0,
        end: { outcome: 'failed', error: { code: 'INTERNAL', message: 'The producer failed.' } },
        cancelRequested: false,
        ttlMs: null,
        expiresAt: null,
      },
    ]);
  });
});

describe('options', () => {
  it.each(['', 'streams', '/api/streams', 'ftp://x', 'http://x/?a=1', 'http://x/#a', 7])('refuse the url %j', (url) => {
    expect(() => createHttpStore({ url: url as string })).toThrow('absolute');
  });

  it('headers are asked for before each request', async () => {
    const seen: (string | null)[] = [];
    let token = 0;
    const { store, behind } = connectStore(
      { authorize: (request) => seen.push(request.headers.get('Authorization')) > 0 },
      { headers: async () => ({ Authorization: `Bearer ${++token}` }) },
    );
    await behind.create('s');
    await store.delete('s');
    await store.delete('s');
    expect(seen).toEqual(['Bearer 1', 'Bearer 2']);
  });
});
