/** What only a real socket, and only this adapter, can get wrong. */
import { request as httpRequest } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect as connectSocket } from 'node:net';

import { createMemoryStreamStore, type StreamStore } from '@perennial/core';
import type { StreamHandlerOptions } from '@perennial/core/http';
import { afterEach, describe, expect, it } from 'vitest';

import { createStreamListener } from '../src/index.ts';
import { overriding } from './support/overriding.ts';
import { serve, type Served } from './support/serve.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const open: Served[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((served) => served.close()))));

async function start(
  options: Partial<StreamHandlerOptions> = {},
): Promise<Served & { readonly store: StreamStore; readonly errors: unknown[] }> {
  const store = options.store ?? createMemoryStreamStore();
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const served = await serve(createStreamListener({ authorize: () => true, onError, ...options, store }));
  open.push(served);
  return { ...served, store, errors };
}

async function append(store: StreamStore, id: string, ...values: readonly unknown[]): Promise<void> {
  await store.append(id, { segments: [{ records: values.map((value) => ({ data: JSON.stringify(value) })) }] });
}

/** Sends bytes as they are and returns all that comes back until the server closes the connection. */
function raw(url: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(Number(new URL(url).port), '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => (answer += chunk));
    socket.once('error', reject);
    socket.once('close', () => resolve(answer));
  });
}

describe('bodies', () => {
  it('in chunks are appended whole, and not at all when the client breaks off', async () => {
    const { url, store, errors } = await start();
    await store.create('s');
    const send = (parts: readonly string[], breakOff: boolean): Promise<number> =>
      new Promise((resolve) => {
        const headers = { ...JSON_TYPE, 'Transfer-Encoding': 'chunked' };
        const request = httpRequest(`${url}/s`, { method: 'POST', headers }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        request.on('error', () => resolve(0));
        for (const part of parts) request.write(part);
        if (breakOff) request.destroy();
        else request.end();
      });
    expect(await send(['[1', ',2', ']'], false)).toBe(204);
    expect(await send(['[3,4]'], true)).toBe(0);
    expect(await (await fetch(`${url}/s`)).json()).toEqual([1, 2]);
    expect(errors).toEqual([]);
  });

  it('that arrive in pieces are joined, whatever the pieces cut', async () => {
    const { url, store } = await start();
    await store.create('s');
    const bytes = Buffer.from(JSON.stringify('Grüße 👋 aus 東京'));
    await new Promise<void>((resolve, reject) => {
      const headers = { ...JSON_TYPE, 'Content-Length': bytes.byteLength };
      const request = httpRequest(`${url}/s`, { method: 'POST', headers }, (response) => {
        response.resume();
        response.once('end', resolve);
      });
      request.once('error', reject);
      request.setNoDelay(true);
      const next = (at: number): void => {
        if (at === bytes.byteLength) request.end();
        else request.write(bytes.subarray(at, at + 1), () => setImmediate(next, at + 1));
      };
      next(0);
    });
    expect(await (await fetch(`${url}/s`)).json()).toEqual(['Grüße 👋 aus 東京']);
  });

  it('too long are refused before they were read, and the connection goes on', async () => {
    const { url, store } = await start({ maxBodyBytes: 1_000 });
    await store.create('s');
    const long = `"${'x'.repeat(500_000)}"`;
    const head = 'POST /s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n${long.length.toString(16)}\r\n${long}\r\n0\r\n\r\n`;
    const sized = `${head}Content-Length: ${long.length}\r\n\r\n${long}`;
    const last = 'GET /s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const answer = await raw(url, chunked + sized + last);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 413', 'HTTP/1.1 200']);
    expect(answer.endsWith('[]')).toBe(true);
  });

  it('that are cut while the hook thinks are not waited for', async () => {
    const thinking = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const { url, store, errors } = await start({
      authorize: async () => {
        asked.resolve();
        await thinking.promise;
        return true;
      },
    });
    await store.create('s');
    const socket = connectSocket(Number(new URL(url).port), '127.0.0.1');
    socket.write('POST /s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n[1,');
    await asked.promise;
    const gone = new Promise((resolve) => socket.once('close', resolve));
    socket.destroy();
    await gone;
    thinking.resolve();
    await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
    expect((await store.head('s'))?.nextPosition).toBe(0);
    expect(errors).toEqual([]);
  });
});

describe('the hook', () => {
  it('gets a request with everything in it', async () => {
    const seen: unknown[] = [];
    const { url, store } = await start({
      authorize: async (request, { action }) => {
        expect(request).toBeInstanceOf(Request);
        const { method, headers, redirect } = request;
        expect(request.signal.aborted).toBe(false);
        seen.push([
          action,
          method,
          new URL(request.url).search,
          headers.get('cookie'),
          headers.get('x-twice'),
          redirect,
        ]);
        return true;
      },
    });
    await store.create('s');
    await fetch(`${url}/s?offset=-1`, { headers: { Cookie: 'a=1', 'X-Twice': 'b' } });
    expect(seen).toEqual([['read', 'GET', '?offset=-1', 'a=1', 'b', 'follow']]);
  });

  it('may read the body of a clone, and pass the clone on', async () => {
    const seen: unknown[] = [];
    const { url, store } = await start({
      authorize: async (request, { action }) => {
        const own = new Request(request.clone(), { headers: { 'X-Added': '1' } });
        if (action === 'append') seen.push(await own.json());
        return true;
      },
    });
    await store.create('s');
    const long = Array.from({ length: 20_000 }, (_, n) => ({ n }));
    const sent = await fetch(`${url}/s`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: JSON.stringify(long.slice(0, 9)),
    });
    expect(sent.status).toBe(204);
    expect(seen).toEqual([long.slice(0, 9)]);
    expect(await (await fetch(`${url}/s`)).json().catch(String)).toEqual(long.slice(0, 9));
  });

  it.each([
    ['a text', () => 'no'],
    ['a stream', () => new Blob(['no']).stream()],
    ['nothing', () => null],
  ])('may give a reason phrase with an answer of %s, and need not', async (_name, body) => {
    const authorize: StreamHandlerOptions['authorize'] = (_request, { stream }) =>
      new Response(body(), { status: 403, ...(stream === 's' && { statusText: 'Not On Sundays' }) });
    const { url, errors } = await start({ authorize });
    const [own, none] = [await fetch(`${url}/s`), await fetch(`${url}/other`)];
    expect([own.status, own.statusText, await own.text()]).toEqual([
      403,
      'Not On Sundays',
      body() === null ? '' : 'no',
    ]);
    expect([none.status, none.statusText, (await none.text()).length]).toEqual([403, 'Forbidden', body() ? 2 : 0]);
    expect(errors).toEqual([]);
  });

  it('may answer by itself, with cookies', async () => {
    const cookies = ['a=1; Path=/', 'b=2; Expires=Wed, 21 Oct 2037 07:28:00 GMT'];
    const headers = new Headers(cookies.map((cookie): [string, string] => ['Set-Cookie', cookie]));
    const { url } = await start({ authorize: () => new Response('log in', { status: 401, headers }), cors: '*' });
    const response = await fetch(`${url}/s`);
    expect(response.status).toBe(401);
    expect(response.headers.getSetCookie()).toEqual(cookies);
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(await response.text()).toBe('log in');
  });
});

describe('live responses', () => {
  it('stop costing anything once the client is gone', async () => {
    const store = createMemoryStreamStore();
    const waiting = Promise.withResolvers<AbortSignal>();
    const { url } = await start({
      store: overriding(store, {
        wait: (id, options) => (waiting.resolve(options.signal!), store.wait(id, options)),
      }),
    });
    await store.create('s');
    const gone = new AbortController();
    await fetch(`${url}/s?live=sse&offset=-1`, { signal: gone.signal });
    const signal = await waiting.promise;
    const stopped = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    gone.abort();
    await stopped;
    expect(signal.aborted).toBe(true);
  });

  it('to a client that does not read are cut; others go on', async () => {
    const { url, store } = await start({ slowReaderMs: 50, heartbeatMs: 20 });
    await store.create('s');
    const idle = connectSocket(Number(new URL(url).port), '127.0.0.1');
    const cut = new Promise<void>((resolve) => idle.once('close', () => resolve()));
    idle.on('error', () => undefined);
    idle.pause();
    idle.write('GET /s?live=sse&offset=-1 HTTP/1.1\r\nHost: x\r\n\r\n');
    const reader = (await fetch(`${url}/s?live=sse&offset=-1`)).body!.pipeThrough(new TextDecoderStream()).getReader();
    const value = 'x'.repeat(200_000);
    let read = 0;
    for (let n = 1; n <= 120; n++) {
      await append(store, 's', value);
      while (read < n * value.length) read += (await reader.read()).value?.length ?? Number.NaN;
    }
    idle.resume();
    await cut;
    await append(store, 's', 'after');
    let rest = '';
    while (!rest.includes('"after"')) rest += (await reader.read()).value ?? '';
    expect(rest.endsWith('\n\n')).toBe(true);
    await reader.cancel();
  });

  it('end with an offset when the server closes', async () => {
    const closing = new AbortController();
    const { url, store } = await start({ signal: closing.signal });
    await store.create('s');
    await append(store, 's', 1);
    const response = await fetch(`${url}/s?live=sse&offset=-1`);
    const text = response.text();
    closing.abort();
    expect((await text).trimEnd().split('\n').at(-1)).toContain('"streamNextOffset"');
    expect((await fetch(`${url}/s?live=sse&offset=-1`)).status).toBe(503);
  });

  it('work over HTTP/2', async () => {
    const store = createMemoryStreamStore();
    await store.create('s');
    const authorize: StreamHandlerOptions['authorize'] = (_request, { stream }) =>
      stream === 's' || new Response('no', { status: 403, statusText: 'Not On Sundays' });
    const listener = createStreamListener({ store, authorize });
    const server = createHttp2Server((message, out) =>
      // Its compatibility classes have all that is used of those of HTTP/1.
      listener(...([message, out] as unknown as Parameters<typeof listener>)),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    const call = (headers: Record<string, string>, body?: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const stream = session.request(headers);
        let text = '';
        stream.setEncoding('utf8');
        stream.once('response', ({ ':status': status }) => (text = `${status} `));
        stream.on('data', (chunk: string) => (text += chunk));
        stream.once('end', () => resolve(text));
        stream.once('error', reject);
        stream.end(body);
      });
    const live = call({ ':path': '/s?live=sse&offset=-1' });
    expect(await call({ ':path': '/s', ':method': 'POST', 'content-type': 'application/json' }, '[1,2]')).toBe('204 ');
    await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
    expect(await live).toMatch(/^200 id: [^]*\[1,2\][^]*"streamClosed":true/);
    expect(await call({ ':path': '/other' })).toBe('403 no');
    session.close();
    await new Promise((resolve) => server.close(resolve));
    process.off('warning', onWarning);
    // It has no reason phrases.
    expect(warnings.filter(({ name }) => name === 'UnsupportedWarning')).toEqual([]);
  });
});

describe('targets', () => {
  it('may be absolute URLs, as proxies get them', async () => {
    const { url, store } = await start();
    await store.create('s');
    const answer = await raw(url, 'GET http://x/s?offset=-1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\n\[\]$/);
  });

  it.each([
    ['a host that holds a path', 'GET /s HTTP/1.1\r\nHost: x/y'],
    ['a host with credentials', 'GET /s HTTP/1.1\r\nHost: a@x'],
    ['another scheme', 'GET ftp://x/s HTTP/1.1\r\nHost: x'],
    ['no path', 'OPTIONS * HTTP/1.1\r\nHost: x'],
  ])('with %s are refused', async (_what, head) => {
    const { url, store } = await start();
    await store.create('s');
    expect(await raw(url, `${head}\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('name the new stream by the host that the client used', async () => {
    const { url } = await start();
    const created = await fetch(`${url}/a%20b`, { method: 'PUT', headers: JSON_TYPE });
    expect(created.headers.get('Location')).toBe(`${url}/a%20b`);
  });
});

describe('requests', () => {
  it('of a large page are answered in pieces', async () => {
    const { url, store } = await start({ pageBytes: 64_000_000, pageRecords: 1_000_000 });
    await store.create('s');
    const values = Array.from({ length: 1_000 }, () => 'x'.repeat(1_000));
    for (let n = 0; n < 20; n++) await append(store, 's', ...values);
    expect(await (await fetch(`${url}/s`)).json()).toHaveLength(20_000);
  });

  it('for a page that cannot be finished are cut, so that nobody takes a part for the whole', async () => {
    const inner = createMemoryStreamStore();
    let reads = 0;
    const store = overriding(inner, {
      read: (id, options) => (++reads > 3 ? Promise.reject(new Error('The disk is gone.')) : inner.read(id, options)),
    });
    const { url, errors } = await start({ store, pageBytes: 64_000_000, pageRecords: 1_000_000 });
    await inner.create('s');
    const values = Array.from({ length: 1_000 }, () => 'x'.repeat(1_000));
    for (let n = 0; n < 10; n++) await append(inner, 's', ...values);
    const response = await fetch(`${url}/s`);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow('terminated');
    expect(errors).toMatchObject([{ message: 'The disk is gone.' }]);
    expect((await fetch(`${url}/s`, { method: 'HEAD' })).status).toBe(200);
  });

  it('for a page nobody waits for any more cost no further reads', async () => {
    const inner = createMemoryStreamStore();
    let reads = 0;
    const store = overriding(inner, { read: (id, options) => (reads++, inner.read(id, options)) });
    const { url } = await start({ store, pageBytes: 64_000_000, pageRecords: 1_000_000 });
    await inner.create('s');
    const values = Array.from({ length: 1_000 }, () => 'x'.repeat(1_000));
    for (let n = 0; n < 50; n++) await append(inner, 's', ...values);
    const response = await fetch(`${url}/s`);
    const reader = response.body!.getReader();
    await reader.read();
    await reader.cancel();
    await (await fetch(`${url}/s?offset=now`)).text();
    expect(reads).toBeLessThan(100);
  });
});
