import {
  createMemoryStreamStore,
  getStreamWriter,
  isStreamEnded,
  runStreamId,
  type StreamStore,
} from '@perennial/core';
import { getHttpStreamReader } from '@perennial/core/client';
import { streamUrl } from '@perennial/core/http';
import { createStreamRoute, type StreamRoute, type StreamRouteContext } from '@perennial/next';
import { NextRequest } from 'next/server.js';
import { describe, expect, expectTypeOf, it } from 'vitest';

const ORIGIN = 'http://test.invalid';

/** What Next passes for a catch-all `[...stream]` below `/api/streams`: the segments, decoded. */
function contextOf(url: string, base = '/api/streams'): { params: Promise<{ stream: string[] }> } {
  const path = new URL(url).pathname.slice(base.length + 1);
  return { params: Promise.resolve({ stream: path.split('/').map(decodeURIComponent) }) };
}

function ask(route: StreamRoute, method: keyof StreamRoute, path: string, init: RequestInit = {}): Promise<Response> {
  const url = `${ORIGIN}/api/streams/${path}`;
  return route[method](new Request(url, { ...init, method }), contextOf(url));
}

const json = (value: unknown): RequestInit => ({
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json' },
});

describe('createStreamRoute', () => {
  it('serves a stream from creation to its end', async () => {
    const route = createStreamRoute({ store: createMemoryStreamStore(), authorize: () => true });
    expect((await ask(route, 'PUT', 'chats/42', { headers: { 'content-type': 'application/json' } })).status).toBe(201);
    expect((await ask(route, 'POST', 'chats/42', json(['a', 'b']))).ok).toBe(true);
    const page = await ask(route, 'GET', 'chats/42?offset=-1');
    expect(await page.json()).toEqual(['a', 'b']);
    const head = await ask(route, 'HEAD', 'chats/42');
    expect([head.status, head.body, head.headers.get('perennial-position')]).toEqual([200, null, '2']);
    expect((await ask(route, 'POST', 'chats/42?perennial-cancel')).status).toBe(204);
    expect((await ask(route, 'OPTIONS', 'chats/42')).status).toBeLessThan(300);
    expect((await ask(route, 'DELETE', 'chats/42')).ok).toBe(true);
    expect((await ask(route, 'HEAD', 'chats/42')).status).toBe(404);
  });

  it('finds the same stream whatever its id holds', async () => {
    const store = createMemoryStreamStore();
    const route = createStreamRoute({ store, authorize: () => true });
    for (const id of ['plain', 'a/b/c', runStreamId('r/1 2', 'tö%'), '100%', 'ünï/👍', 'a+b', '__x', ' ']) {
      await store.create(id);
      const url = streamUrl(`${ORIGIN}/api/streams`, id);
      const response = await route.HEAD(new Request(url, { method: 'HEAD' }), contextOf(url));
      expect([id, response.status]).toEqual([id, 200]);
    }
  });

  it.each([
    ['other parameters', { tenant: 'acme', stream: ['s'] }, '/t/acme/streams/s'],
    ['another name', { path: ['s'] }, '/live/s'],
    ['a trailing slash', { stream: ['s'] }, '/streams/s/'],
    ['a base path of the app', { stream: ['s'] }, '/docs/api/streams/s'],
  ])('takes the path of the route from the request, with %s', async (_, params, path) => {
    const asked: string[] = [];
    const store = createMemoryStreamStore();
    await store.create('s');
    const route = createStreamRoute({
      store,
      authorize: (_request, { stream }) => {
        asked.push(stream);
        return true;
      },
    });
    const request = new Request(`${ORIGIN}${path}`, { method: 'HEAD' });
    await route.HEAD(request, { params: Promise.resolve(params) });
    expect(asked[0]?.replace(/\/$/, '')).toBe('s');
  });

  it('serves ids that no path can carry from an optional catch-all, and takes an explicit base path', async () => {
    const store = createMemoryStreamStore();
    await store.create('../odd');
    const route = createStreamRoute({ store, authorize: () => true });
    const url = streamUrl(`${ORIGIN}/api/streams`, '../odd');
    expect(
      (await route.HEAD(new Request(url, { method: 'HEAD' }), { params: Promise.resolve({ stream: undefined }) }))
        .status,
    ).toBe(200);
    const fixed = createStreamRoute({ store, authorize: () => true, basePath: '/api/streams' });
    expect((await fixed.HEAD(new Request(url, { method: 'HEAD' }), { params: Promise.resolve({}) })).status).toBe(200);
  });

  it('touches no store before the first request, and asks for it once', async () => {
    let calls = 0;
    const store = createMemoryStreamStore();
    await store.create('s');
    const route = createStreamRoute({
      store: async () => {
        calls++;
        return store;
      },
      authorize: () => true,
    });
    expect(calls).toBe(0);
    const answers = await Promise.all([
      ask(route, 'HEAD', 's'),
      ask(route, 'HEAD', 's'),
      ask(route, 'GET', 's?offset=-1'),
    ]);
    expect([answers.map(({ status }) => status), calls]).toEqual([[200, 200, 200], 1]);
  });

  it('answers 503 without details when the store cannot be made, tells the hook, and tries again', async () => {
    const told: unknown[] = [];
    const store = createMemoryStreamStore();
    await store.create('s');
    const cause = new Error('EACCES /secret/path');
    let calls = 0;
    const route = createStreamRoute({
      store: () => {
        if (++calls === 1) throw cause;
        return store;
      },
      authorize: () => true,
      onError: (error, { reference }) => {
        told.push(error, reference);
        throw new Error('a broken hook');
      },
    });
    const failed = await ask(route, 'GET', 's?offset=-1');
    const text = await failed.text();
    expect([failed.status, failed.headers.get('perennial-error'), text.includes('secret')]).toEqual([
      503,
      'STORE_ERROR',
      false,
    ]);
    expect(told[0]).toBe(cause);
    expect(text).toContain(String(told[1]));
    expect((await ask(route, 'GET', 's?offset=-1')).status).toBe(200);
  });

  it('denies everything outside development unless `authorize` allows it', async () => {
    const store = createMemoryStreamStore();
    await store.create('s');
    const closed = createStreamRoute({ store, allowAnonymous: false, onError: () => undefined });
    expect((await ask(closed, 'GET', 's?offset=-1')).status).toBe(403);
    const readOnly = createStreamRoute({ store, authorize: (_request, { action }) => action === 'read' });
    expect((await ask(readOnly, 'GET', 's?offset=-1')).status).toBe(200);
    expect((await ask(readOnly, 'DELETE', 's')).status).toBe(403);
  });

  it('carries a live reader through a cut response to the end', async () => {
    const store = createMemoryStreamStore();
    const route = createStreamRoute({ store, authorize: () => true, sseMaxMs: 30, heartbeatMs: 10 });
    const writer = getStreamWriter<number>({ store, streamId: 's' });
    let requests = 0;
    const reader = getHttpStreamReader<number>({
      url: `${ORIGIN}/api/streams/s`,
      waitForCreateMs: 5_000,
      fetch: (url, init) => {
        requests++;
        return route.GET(new NextRequest(url, init as ConstructorParameters<typeof NextRequest>[1]), contextOf(url));
      },
      reconnect: { baseMs: 1 },
    });
    const seen: number[] = [];
    for (let i = 0; i < 4; i++) {
      await writer.write(i);
      await writer.flush();
      const result = await reader.read();
      if (result.ok) seen.push(result.value);
      // The next response: the one before was cut.
      const before = requests;
      if (i < 2) while (requests === before) await new Promise((resolve) => setImmediate(resolve));
    }
    await writer.close();
    const end = await reader.read();
    expect([seen, !end.ok && isStreamEnded(end.error)]).toEqual([[0, 1, 2, 3], true]);
    expect(requests).toBeGreaterThan(2);
  });

  it('has the types that Next expects of a route module', () => {
    type Handler = (request: NextRequest, context: { params: Promise<{ stream: string[] }> }) => Promise<Response>;
    expectTypeOf<StreamRoute['GET']>().toExtend<Handler>();
    expectTypeOf<StreamRoute['HEAD']>().toExtend<Handler>();
    expectTypeOf<{ params: Promise<{ stream?: string[] }> }>().toExtend<StreamRouteContext>();
    expectTypeOf(createStreamRoute)
      .parameter(0)
      .toHaveProperty('store')
      .toEqualTypeOf<StreamStore | (() => StreamStore | Promise<StreamStore>)>();
  });
});
