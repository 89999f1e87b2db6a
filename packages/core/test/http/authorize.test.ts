/** Who may do what, and what a stranger learns (PROTOCOL.md, "Authorisation"). */
import { createMemoryStreamStore } from '@perennial/core';
import { createStreamHandler, type StreamAction } from '@perennial/core/http';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { codeOf, createHarness, seed } from './support/harness.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const BASE = 'http://streams.test';

/** Each request with the actions it needs, in order. */
const REQUESTS: readonly [
  name: string,
  method: string,
  path: string,
  body: string | undefined,
  actions: readonly StreamAction[],
][] = [
  ['create', 'PUT', '/s', '[]', ['create']],
  ['append', 'POST', '/s', '1', ['append']],
  ['close', 'POST', '/s', '1', ['append']],
  ['catch-up', 'GET', '/s', undefined, ['read']],
  ['long-poll', 'GET', '/s?live=long-poll&offset=-1', undefined, ['read']],
  ['sse', 'GET', '/s?live=sse&offset=-1', undefined, ['read']],
  ['records', 'GET', '/s?perennial-view=records', undefined, ['read']],
  ['head', 'HEAD', '/s', undefined, ['read']],
  ['cancel', 'POST', '/s?perennial-cancel', undefined, ['cancel']],
  ['delete', 'DELETE', '/s', undefined, ['delete']],
  ['list', 'GET', '/?perennial-list&perennial-prefix=s', undefined, ['list']],
  ['store list', 'GET', '/?perennial-list&perennial-prefix=s&perennial-view=store', undefined, ['list', 'mark']],
  ['store create', 'PUT', '/s?perennial-create', '{}', ['create', 'mark']],
  ['store append', 'POST', '/s?perennial-append', '{"segments":[{"records":[{"j":"1"}]}]}', ['append', 'mark']],
  ['store read', 'GET', '/s?perennial-view=store&perennial-from=0', undefined, ['read', 'mark']],
  ['store head', 'GET', '/s?perennial-view=store&perennial-head', undefined, ['read', 'mark']],
  ['store producer', 'GET', '/s?perennial-view=store&perennial-producer=p', undefined, ['read', 'mark']],
  ['store wait', 'GET', '/s?perennial-view=store&perennial-wait=0&perennial-timeout=1', undefined, ['read', 'mark']],
  ['store lease', 'POST', '/s?perennial-mark', '{"type":"lease","durationMs":60000}', ['mark']],
  ['store cancel', 'POST', '/s?perennial-mark', '{"type":"cancel"}', ['mark', 'cancel']],
];

function toRequest(method: string, path: string, body: string | undefined): Request {
  return new Request(BASE + path, { method, ...(body !== undefined && { body, headers: JSON_TYPE }) });
}

describe('actions', () => {
  it.each(REQUESTS)('%s needs exactly its actions', async (_name, method, path, body, actions) => {
    const asked: StreamAction[] = [];
    const { store, handler } = createHarness({
      authorize: (_request, { stream, action }) => stream === 's' && asked.push(action) > 0,
    });
    await seed(store, 's', [0]);
    const response = await handler(toRequest(method, path, body));
    await response.body?.cancel();
    expect(response.status).toBeLessThan(300);
    expect(asked).toEqual(actions);
  });

  it.each(
    REQUESTS.flatMap(([name, method, path, body, actions]) =>
      actions.map((denied) => [name, denied, method, path, body] as const),
    ),
  )('%s without %s is refused and does nothing', async (_name, denied, method, path, body) => {
    const { store, handler } = createHarness({ authorize: (_request, { action }) => action !== denied });
    await seed(store, 's', [0]);
    const before = await store.head('s');
    const response = await handler(toRequest(method, path, body));
    expect(response.status).toBe(denied === 'read' ? 404 : 403);
    expect(response.headers.get('Perennial-Error')).toBe(denied === 'read' ? 'NOT_FOUND' : 'FORBIDDEN');
    expect(await store.head('s')).toEqual(before);
  });
});

describe('a stream that may not be read', () => {
  it.each([
    'GET /s',
    'HEAD /s',
    'GET /s?live=sse&offset=-1',
    'GET /s?live=long-poll&offset=now',
    'GET /s?perennial-view=records',
    'GET /s?offset=junk',
  ])('%s looks absent', async (line) => {
    const [method = '', path = ''] = line.split(' ');
    const { store, handler } = createHarness({ authorize: (_request, { stream }) => stream !== 's' });
    const ask = async (target: string): Promise<unknown> => {
      const response = await handler(new Request(BASE + target, { method }));
      return [response.status, await response.text(), [...response.headers]];
    };
    const absent = await ask(path);
    await seed(store, 's', [1]);
    expect(await ask(path)).toEqual(absent);
    expect(await ask(path.replace('/s', '/never'))).toEqual(absent);
  });
});

describe('a request that is denied', () => {
  it.each(REQUESTS)('%s does not reach the store, so that not even its time tells what is there', async (...row) => {
    const [, method, path, body] = row;
    const memory = createMemoryStreamStore();
    await seed(memory, 's', [1]);
    const calls: string[] = [];
    const store = new Proxy(memory, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        calls.push(String(key));
        return value.bind(target) as unknown;
      },
    });
    const { handler } = createHarness({ store, authorize: () => false });
    const response = await handler(toRequest(method, path, body));
    expect([403, 404]).toContain(response.status);
    expect(calls).toEqual([]);
  });
});

describe('the hook', () => {
  it('may be asynchronous, and may answer by itself', async () => {
    const { store, send } = createHarness({
      cors: '*',
      authorize: async () => Response.redirect('https://login.test/', 302),
    });
    await seed(store, 's');
    const response = await send('GET', 's');
    expect(response.status).toBe(302);
    expect(response.headers.get('Location')).toBe('https://login.test/');
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
  });

  it('may give a reason phrase with its answer, and need not', async () => {
    const { send } = createHarness({
      cors: '*',
      authorize: (_request, { stream }) =>
        new Response('no', { status: 403, ...(stream === 's' && { statusText: 'Not On Sundays' }) }),
    });
    const [own, none] = [await send('GET', 's'), await send('GET', 'other')];
    expect([own.status, own.statusText, await own.text()]).toEqual([403, 'Not On Sundays', 'no']);
    expect([none.status, none.statusText]).toEqual([403, '']);
  });

  it('may set several cookies with its answer', async () => {
    const own = new Headers([
      ['Set-Cookie', 'a=1; Path=/'],
      ['Set-Cookie', 'b=2; Expires=Wed, 21 Oct 2037 07:28:00 GMT'],
    ]);
    const { send } = createHarness({ authorize: () => new Response(null, { status: 401, headers: own }) });
    expect((await send('GET', 's')).headers.getSetCookie()).toEqual(own.getSetCookie());
  });

  it.each(['a network error', 'a response that was sent before'])(
    'that answers with %s is a fault of the server, which hears of it',
    async (what) => {
      const errors: unknown[] = [];
      const once = what === 'a network error' ? Response.error() : new Response('denied', { status: 401 });
      const { send } = createHarness({ authorize: () => once, onError: (error) => errors.push(error) });
      await (await send('GET', 's')).text();
      const response = await send('GET', 's');
      expect(response.status).toBe(500);
      expect(await response.text()).not.toContain('authorize');
      expect(String(errors)).toContain('`authorize` answered with a response that cannot be sent');
    },
  );

  it.each([undefined, null, 1, 'true', {}])('allows with true alone, not with %j', async (verdict) => {
    const { store, send } = createHarness({ authorize: () => verdict as boolean });
    await seed(store, 's');
    expect((await send('GET', 's')).status).toBe(404);
  });

  it('that fails denies, and leaks nothing', async () => {
    const errors: unknown[] = [];
    const { store, send } = createHarness({
      authorize: () => {
        throw new Error('ldap://10.0.0.1 is down');
      },
      onError: (error, { reference }) => errors.push(error, reference),
    });
    await seed(store, 's', [1]);
    const response = await send('GET', 's');
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(text).not.toContain('ldap');
    expect(errors).toMatchObject([{ message: 'ldap://10.0.0.1 is down' }, expect.any(String)]);
    expect(text).toContain(String(errors[1]));
  });
});

describe('without a hook', () => {
  afterEach(() => void vi.unstubAllEnvs());

  const status = async (
    options: { allowAnonymous?: boolean; onError?: (error: unknown) => void } = {},
  ): Promise<number> => {
    const store = createMemoryStreamStore();
    await seed(store, 's');
    return (await createStreamHandler({ store, ...options })(new Request(`${BASE}/s`))).status;
  };

  it('everything is allowed in development', async () => {
    vi.stubEnv('NODE_ENV', 'development');
    expect(await status()).toBe(200);
    expect(await status({ allowAnonymous: false })).toBe(403);
  });

  it('everything is denied where nobody said that this is development', async () => {
    vi.stubEnv('NODE_ENV', undefined);
    expect(await status()).toBe(403);
    vi.stubEnv('NODE_ENV', 'staging');
    expect(await status()).toBe(403);
  });

  it('everything is denied in production, and the log says how to fix it, once', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    const errors: unknown[] = [];
    const store = createMemoryStreamStore();
    const handler = createStreamHandler({ store, onError: (error) => errors.push(error) });
    for (let i = 0; i < 3; i++) expect((await handler(new Request(`${BASE}/s`))).status).toBe(403);
    expect(errors).toHaveLength(1);
    expect(String(errors[0])).toContain('authorize');
    expect(await status({ allowAnonymous: true })).toBe(200);
  });

  it('everything is denied where no environment can be seen', async () => {
    vi.stubGlobal('process', undefined);
    const answered = await status();
    vi.unstubAllGlobals();
    expect(answered).toBe(403);
  });
});

describe('errors of the store', () => {
  it('reach the log, not the client', async () => {
    const errors: unknown[] = [];
    const memory = createMemoryStreamStore();
    await memory.create('s');
    const broken = new Proxy(memory, {
      get: (target, key) =>
        key === 'read'
          ? () => Promise.reject(new Error('EACCES /var/lib/streams/s.log'))
          : Reflect.get(target, key, target),
    });
    const { send } = createHarness({ store: broken, onError: (error) => errors.push(error) });
    const response = await send('GET', 's');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('/var/lib');
    expect(errors).toHaveLength(1);
  });

  it('do not keep a hook that throws from being answered', async () => {
    const memory = createMemoryStreamStore();
    await memory.close();
    const { send } = createHarness({
      store: memory,
      onError: () => {
        throw new Error('the logger is broken too');
      },
    });
    const response = await send('GET', 's');
    expect([response.status, await codeOf(response)]).toEqual([503, 'STORE_CLOSED']);
  });
});

describe('pages of other origins', () => {
  const foreign = { Origin: 'https://evil.test', 'Sec-Fetch-Site': 'cross-site' };

  it('may neither read nor write by default', async () => {
    const { store, send } = createHarness();
    await seed(store, 's');
    const read = await send('GET', 's', { headers: foreign });
    expect(read.headers.get('Access-Control-Allow-Origin')).toBe(null);
    expect(read.headers.get('Cross-Origin-Resource-Policy')).toBe('same-origin');
    expect((await send('POST', 's', { query: 'perennial-cancel', headers: foreign })).status).toBe(403);
    expect((await send('POST', 's', { headers: { ...foreign, ...JSON_TYPE }, body: '1' })).status).toBe(403);
    expect((await store.head('s'))?.nextPosition).toBe(0);
  });

  it('may, when listed, also with credentials; others may not', async () => {
    const { store, send } = createHarness({ cors: ['https://app.test'] });
    await seed(store, 's');
    const headers = { Origin: 'https://app.test', 'Sec-Fetch-Site': 'cross-site' };
    const read = await send('GET', 's', { headers });
    expect(read.headers.get('Access-Control-Allow-Origin')).toBe('https://app.test');
    expect(read.headers.get('Access-Control-Allow-Credentials')).toBe('true');
    expect(read.headers.get('Vary')).toContain('Origin');
    expect(read.headers.get('Access-Control-Expose-Headers')).toContain('Stream-Next-Offset');
    expect((await send('POST', 's', { headers: { ...headers, ...JSON_TYPE }, body: '1' })).status).toBe(204);
    expect((await send('GET', 's', { headers: foreign })).headers.get('Access-Control-Allow-Origin')).toBe(null);
    expect((await send('POST', 's', { headers: { ...foreign, ...JSON_TYPE }, body: '1' })).status).toBe(403);
  });

  it('get the headers also on answers of `authorize`, beside its own', async () => {
    const own = { Vary: 'Cookie', 'Access-Control-Expose-Headers': 'X-Own' };
    const { send } = createHarness({
      cors: ['https://app.test'],
      authorize: () => new Response('log in', { status: 401, headers: own }),
    });
    const read = await send('GET', 's', { headers: { Origin: 'https://app.test' } });
    expect(read.status).toBe(401);
    expect(read.headers.get('Vary')).toBe('Cookie, Origin');
    expect(read.headers.get('Access-Control-Allow-Origin')).toBe('https://app.test');
    expect(read.headers.get('Access-Control-Expose-Headers')).toContain('Stream-Next-Offset');
    expect(await read.text()).toBe('log in');
  });

  it('get a preflight answer that tells what is allowed, without being authorised', async () => {
    const { send } = createHarness({ cors: '*', authorize: () => false });
    const response = await send('OPTIONS', 's', {
      headers: { Origin: 'https://x.test', 'Access-Control-Request-Method': 'PUT' },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('Access-Control-Allow-Methods')).toContain('PUT');
    expect(response.headers.get('Access-Control-Allow-Headers')).toContain('Last-Event-ID');
    expect(response.headers.get('Access-Control-Allow-Credentials')).toBe(null);
  });
});
