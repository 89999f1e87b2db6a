import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';

import { createMemoryStreamStore, getStreamWriter, isStreamEnded, type StreamStore } from '@perennial/core';
import { getHttpStreamReader } from '@perennial/core/client';
import { createStreamHandler } from '@perennial/core/http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

interface KillableServer {
  readonly url: string;
  readonly requests: number;
  /** Responses that are open. */
  readonly open: number;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** A server on a port of its own that can be killed, as by `kill -9`, and started again. */
async function startServer(store: StreamStore): Promise<KillableServer> {
  let server: Server | null = null;
  let port = 0;
  let requests = 0;
  let open = 0;
  const start = async (): Promise<void> => {
    const handler = createStreamHandler({ store, allowAnonymous: true });
    server = createServer((message, response) => {
      requests++;
      open++;
      response.on('close', () => open--);
      void (async () => {
        const answer = await handler(new Request(`http://127.0.0.1:${port}${message.url}`));
        response.writeHead(answer.status, Object.fromEntries(answer.headers));
        if (!answer.body) return response.end();
        const body = Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]);
        body.on('error', () => response.destroy());
        response.on('close', () => body.destroy());
        return body.pipe(response);
      })();
    });
    const listening = server;
    await new Promise<void>((resolve) => listening.listen(port, '127.0.0.1', resolve));
    port = (listening.address() as AddressInfo).port;
  };
  const kill = async (): Promise<void> => {
    const dying = server;
    server = null;
    dying?.closeAllConnections();
    await new Promise((resolve) => (dying ? dying.close(resolve) : resolve(undefined)));
  };
  await start();
  onTestFinished(kill);
  return {
    url: `http://127.0.0.1:${port}`,
    kill,
    start,
    get requests() {
      return requests;
    },
    get open() {
      return open;
    },
  };
}

describe('over real sockets', () => {
  it.each(['sse', 'long-poll'] as const)(
    'loses and doubles nothing while the server dies again and again (%s)',
    async (transport) => {
      const store = createMemoryStreamStore();
      const server = await startServer(store);
      const writer = getStreamWriter<number>({ store, streamId: 's' });
      await writer.write(0);
      await writer.flush();
      const reader = getHttpStreamReader<number>({
        url: `${server.url}/s`,
        transport,
        reconnect: { baseMs: 20, maxMs: 50 },
      });
      const seen: number[] = [];
      const next = async (): Promise<void> => {
        const result = await reader.read();
        if (!result.ok) throw result.error;
        seen.push(result.value);
      };
      await next();
      for (let round = 0; round < 5; round++) {
        const from = round * 10 + 1;
        const waiting = next();
        await server.kill();
        for (let n = from; n < from + 10; n++) await writer.write(n);
        await writer.flush();
        await server.start();
        await waiting;
        while (seen.length < from + 10) await next();
      }
      await writer.close();
      const end = await reader.read();
      expect(!end.ok && isStreamEnded(end.error)).toBe(true);
      expect(seen).toEqual(Array.from({ length: 51 }, (_, i) => i));
      expect(server.requests).toBeGreaterThan(5);
    },
  );

  it('lets go of the socket when it is closed', async () => {
    const store = createMemoryStreamStore();
    await store.create('s', { records: [{ data: '1' }] });
    const server = await startServer(store);
    const reader = getHttpStreamReader({ url: `${server.url}/s` });
    expect(await reader.read()).toEqual({ ok: true, value: 1 });
    expect(server.open).toBe(1);
    await reader.close();
    await vi.waitFor(() => expect(server.open).toBe(0));
    expect(await reader.read()).toMatchObject({ ok: false, error: { code: 'READER_CLOSED' } });
  });
});
