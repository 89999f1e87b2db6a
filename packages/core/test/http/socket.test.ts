/** Over a real socket: what in-process requests cannot show. */
import { request as httpRequest } from 'node:http';
import { connect as connectSocket } from 'node:net';

import { createMemoryStreamStore, type StreamStore } from '@perennial/core';
import { createStreamHandler, formatOffset, type StreamHandlerOptions, streamUrl } from '@perennial/core/http';
import { afterEach, describe, expect, it } from 'vitest';

import { append, connect, control, dataOf, isUpToDate, seed, watch } from './support/harness.ts';
import { serve, type Served } from './support/serve.ts';

const servers: Served[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((served) => served.close()));
});

async function start(options: Partial<StreamHandlerOptions> = {}): Promise<{ url: string; store: StreamStore }> {
  const store = options.store ?? createMemoryStreamStore();
  const served = await serve(createStreamHandler({ authorize: () => true, ...options, store }));
  servers.push(served);
  return { url: served.url, store };
}

describe('server-sent events', () => {
  it('arrive one by one, and resume across responses without loss', async () => {
    const { url, store } = await start({ sseMaxMs: 40 });
    await seed(store, 's');
    let lastEventId: string | undefined;
    const seen: unknown[] = [];
    let written = 0;
    for (let ended = false; !ended;) {
      const response = await fetch(`${url}/s?live=sse&offset=-1`, {
        headers: { ...(lastEventId !== undefined && { 'Last-Event-ID': lastEventId }) },
      });
      if (response.status === 204) break;
      const connection = connect(response);
      for (let event = await connection.next(); event; event = await connection.next()) {
        lastEventId = event.id ?? lastEventId;
        if (event.event === 'data') seen.push(...(JSON.parse(event.data) as unknown[]));
        else if (control(event)['streamClosed'] === true) ended = true;
        else if (written < 40) await append(store, 's', written++);
        else if (written++ === 40)
          await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
      }
    }
    expect(seen).toEqual(Array.from({ length: 40 }, (_, i) => i));
    const again = await fetch(`${url}/s?live=sse&offset=-1`, { headers: { 'Last-Event-ID': lastEventId ?? '' } });
    expect(again.status).toBe(204);
  });

  it('stop costing anything once the client is gone', async () => {
    const { store, parked } = watch(createMemoryStreamStore());
    const signals: AbortSignal[] = [];
    const { url } = await start({
      store: { ...store, wait: (id, options) => (signals.push(options.signal!), store.wait(id, options)) },
    });
    await seed(store, 's');
    const gone = new AbortController();
    const response = await fetch(`${url}/s?live=sse&offset=-1`, { signal: gone.signal });
    const connection = connect(response);
    await connection.next();
    await parked(1);
    const stopped = new Promise((resolve) => signals[0]?.addEventListener('abort', resolve, { once: true }));
    gone.abort();
    await stopped;
    expect(signals[0]?.aborted).toBe(true);
  });

  it('to a client that does not read: the connection is cut, others go on', async () => {
    const { url, store } = await start({ slowReaderMs: 50, heartbeatMs: 20 });
    await seed(store, 's');
    const fast = connect(await fetch(`${url}/s?live=sse&offset=-1`));
    await fast.next();
    const { hostname, port } = new URL(url);
    const socket = connectSocket(Number(port), hostname);
    socket.pause();
    socket.write('GET /s?live=sse&offset=-1 HTTP/1.1\r\nHost: x\r\n\r\n');
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined);
    const total = await flood(store, fast);
    socket.resume();
    await closed;
    await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
    expect(dataOf(await fast.rest()).length).toBeLessThan(total);
  });
});

/** Appends more than the kernel keeps for a socket that nobody reads, and returns how much. */
async function flood(store: StreamStore, fast: ReturnType<typeof connect>): Promise<number> {
  const value = 'x'.repeat(200_000);
  for (let i = 0; i < 120; i++) {
    await append(store, 's', value);
    await fast.until(isUpToDate);
  }
  return 120 * value.length;
}

describe('requests', () => {
  it('with a chunked body are appended whole, and not at all when the client breaks off', async () => {
    const { url, store } = await start();
    await seed(store, 's');
    const send = (body: (write: (text: string) => void, destroy: () => void) => void): Promise<number | 'broken'> =>
      new Promise((resolve) => {
        const request = httpRequest(
          `${url}/s`,
          { method: 'POST', headers: { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' } },
          (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          },
        );
        request.on('error', () => resolve('broken'));
        body(
          (text) => request.write(text),
          () => request.destroy(),
        );
        if (!request.destroyed) request.end();
      });
    expect(await send((write) => ['[1', ',2', ']'].forEach(write))).toBe(204);
    expect(
      await send((write, destroy) => {
        write('[3,4]');
        destroy();
      }),
    ).toBe('broken');
    expect((await (await fetch(`${url}/s`)).json()) as unknown).toEqual([1, 2]);
  });

  it('for ids of the longest kind fit', async () => {
    const { url, store } = await start();
    const id = 'ü'.repeat(1_024);
    await seed(store, id, [1]);
    expect(await (await fetch(streamUrl(url, id))).json()).toEqual([1]);
  });

  it('for a huge page are answered in pieces', async () => {
    const { url, store } = await start({ pageBytes: 64_000_000, pageRecords: 1_000_000 });
    await store.create('s');
    const value = JSON.stringify('x'.repeat(1_000));
    for (let i = 0; i < 20; i++)
      await store.append('s', { segments: [{ records: Array.from({ length: 1_000 }, () => ({ data: value })) }] });
    const response = await fetch(`${url}/s`);
    const values = (await response.json()) as unknown[];
    expect(values).toHaveLength(20_000);
    expect(response.headers.get('Stream-Next-Offset')).toBe(formatOffset(20_000));
  });
});
