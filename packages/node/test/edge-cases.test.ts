/** Requests that few clients send, hooks that few applications have, and moments at which few clients go. */
import type { ServerResponse } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect as connectSocket } from 'node:net';

import { createMemoryStreamStore, type StreamStore } from '@perennial/core';
import type { StreamHandlerOptions } from '@perennial/core/http';
import { afterEach, describe, expect, it } from 'vitest';

import { createStreamListener } from '../src/index.ts';
import { serve, type Served } from './support/serve.ts';

const LONG = JSON.stringify('x'.repeat(500_000));
const POST = `POST /s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${LONG.length}\r\n`;
const LAST = 'GET /s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
const open: Served[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((served) => served.close()))));

async function start(options: Partial<StreamHandlerOptions> = {}): Promise<
  Served & {
    readonly store: StreamStore;
    readonly errors: unknown[];
    /** Sends bytes as they are and returns the statuses that come back until the connection is closed. */
    statuses(...parts: readonly string[]): Promise<readonly string[] | null>;
  }
> {
  const store = createMemoryStreamStore();
  await store.create('s', { contentType: 'application/json' });
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const served = await serve(createStreamListener({ authorize: () => true, onError, ...options, store }));
  open.push(served);
  const statuses = (...parts: readonly string[]): Promise<readonly string[] | null> =>
    new Promise((resolve, reject) => {
      const socket = connectSocket(Number(new URL(served.url).port), '127.0.0.1');
      let answer = '';
      socket.on('data', (chunk) => (answer += String(chunk)));
      socket.once('error', reject);
      socket.once('close', () => resolve(answer.match(/(?<=HTTP\/1\.1 )\d+/g)));
      const next = ([part, ...rest]: readonly string[]): void =>
        void (part !== undefined && socket.write(part, () => setTimeout(next, 20, rest)));
      next(parts);
    });
  return { ...served, store, errors, statuses };
}

async function cloneText(request: Request): Promise<string> {
  return request.clone().text();
}

describe('a client that is gone before its answer', () => {
  it('over HTTP/2 leaves no live response behind', async () => {
    const store = createMemoryStreamStore();
    await store.create('s');
    const asked = Promise.withResolvers<void>();
    const thinking = Promise.withResolvers<void>();
    const authorize = async (): Promise<boolean> => (asked.resolve(), await thinking.promise, true);
    const listener = createStreamListener({ store, authorize, maxLiveReaders: 1 });
    const closed = Promise.withResolvers<void>();
    const server = createHttp2Server((message, out) => {
      out.once('close', () => closed.resolve());
      listener(...([message, out] as unknown as Parameters<typeof listener>));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const follow = (): ReturnType<typeof session.request> => session.request({ ':path': '/s?live=sse&offset=-1' });
    const gone = follow().on('error', () => undefined);
    await asked.promise;
    gone.close(8);
    await closed.promise;
    thinking.resolve();
    const status = await new Promise((resolve) => {
      follow().once('response', (headers) => resolve(headers[':status']));
    });
    expect(status).toBe(200);
    session.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});

it('a live response that somebody else ends is not written any more', async () => {
  const store = createMemoryStreamStore();
  await store.create('s', { contentType: 'application/json' });
  const listener = createStreamListener({ store, authorize: () => true });
  const failed: unknown[] = [];
  const responses: ServerResponse[] = [];
  const served = await serve((message, out) => {
    responses.push(out.on('error', (error) => failed.push(error)));
    listener(message, out);
  });
  open.push(served);
  const response = await fetch(`${served.url}/s?live=sse&offset=-1`);
  const appended = store.append('s', { segments: [{ records: [{ data: '1' }] }] });
  responses[0]?.end();
  await appended;
  expect(await response.text()).toMatch(/^id: /);
  expect(failed).toEqual([]);
});

describe('a hook', () => {
  it('finds what it has kept on the request', async () => {
    const found: unknown[] = [];
    const authorize = (request: Request): boolean => {
      found.push(Reflect.get(request, 'user'));
      return Reflect.set(request, 'user', 'ada');
    };
    const { url } = await start({ authorize });
    await fetch(`${url}/s?perennial-view=store&perennial-head`);
    expect(found).toEqual([undefined, 'ada']);
  });

  it.each<[string, (request: Request) => Promise<unknown>]>([
    ['unread', async (request) => request.clone()],
    ['read in part', (request) => request.clone().body!.getReader().read()],
    ['read whole', (request) => request.clone().text()],
  ])('that refuses with a clone %s does not hold up the connection', async (_how, look) => {
    const authorize = async (request: Request): Promise<boolean> => {
      if (request.method === 'POST') await look(request);
      return request.method === 'GET';
    };
    const { statuses, errors } = await start({ authorize });
    expect(await statuses(`${POST}\r\n${LONG}${POST}\r\n${LONG}${LAST}`)).toEqual(['403', '403', '200']);
    expect(errors).toEqual([]);
  });

  it('that reads its clone on does not take a part for the whole', async () => {
    const rest = Promise.withResolvers<string>();
    const authorize = (request: Request): boolean => {
      if (request.method === 'POST') rest.resolve(request.clone().text().catch(String));
      return request.method === 'GET';
    };
    const { statuses } = await start({ authorize });
    expect(await statuses(`${POST}\r\n`, LONG.slice(0, 9), LONG.slice(9), LAST)).toEqual(['403', '200']);
    expect(await rest.promise).toMatch(/answered before/);
  });

  it('that clones the request late gets an error, and does not take the body away', async () => {
    const late = Promise.withResolvers<unknown>();
    const authorize = (request: Request): boolean => {
      if (request.method === 'POST')
        setImmediate(() => late.resolve(cloneText(request).catch((error: unknown) => error)));
      return true;
    };
    const { statuses, store } = await start({ authorize });
    expect(await statuses(`${POST}\r\n${LONG.slice(0, 9)}`, LONG.slice(9), LAST)).toEqual(['204', '200']);
    expect(await late.promise).toBeInstanceOf(TypeError);
    expect((await store.read('s', { from: 0 })).records).toMatchObject([{ data: LONG }]);
  });

  it('may answer without a body and with its length', async () => {
    const headers = { 'Content-Length': '0' };
    const { url } = await start({ authorize: () => new Response(null, { status: 401, headers }) });
    const response = await fetch(`${url}/s`);
    expect([response.status, response.headers.get('Content-Length')]).toEqual([401, '0']);
  });

  it('that answers HEAD with a body gets that cancelled, not read', async () => {
    const cancelled = Promise.withResolvers<void>();
    const body = (): ReadableStream => new ReadableStream({ cancel: () => cancelled.resolve() });
    const { url } = await start({ authorize: () => new Response(body(), { status: 401, headers: { 'X-Own': '1' } }) });
    const response = await fetch(`${url}/s`, { method: 'HEAD' });
    expect([response.status, response.headers.get('X-Own')]).toEqual([401, '1']);
    await cancelled.promise;
  });
});

describe('requests', () => {
  it.each(['999.999.999.999', 'x:99999', '%zz'])(
    'with the host %s are refused before anything happens',
    async (host) => {
      const asked: string[] = [];
      const { statuses, errors } = await start({ authorize: (request) => asked.push(request.url) > 0 });
      const head = `PUT /new HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n`;
      expect(await statuses(`${head}Connection: close\r\n\r\n`)).toEqual(['400']);
      expect([asked, errors]).toEqual([[], []]);
    },
  );

  it.each([
    ['/public/../private', '/private'],
    ['/public/%2e%2e/private', '/private'],
    ['/public\\..\\private', '/private'],
    ['/a"b', '/a%22b'],
    ['/a?b="', '/a?b=%22'],
  ])('for %s come to the hook as those of a web handler do', async (target, path) => {
    const asked: string[] = [];
    const { statuses } = await start({ authorize: (request) => asked.push(request.url, request.clone().url) > 0 });
    await statuses(`GET ${target} HTTP/1.1\r\nHost: X:80\r\nConnection: close\r\n\r\n`);
    expect(asked).toEqual([`http://x${path}`, `http://x${path}`]);
  });
});
