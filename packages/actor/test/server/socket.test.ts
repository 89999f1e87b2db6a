/** Actors and streams over WebSockets. */
import { once } from 'node:events';

import { getStreamWriter } from '@perennial/core';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { type AnyActor, defineActor } from '../../src/index.ts';
import type { ActorEndpointsOptions } from '../../src/server/index.ts';
import { type EndpointRig, startEndpoints } from '../support/endpoint-rig.ts';

let rig: EndpointRig | null = null;
const clients: WebSocket[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  await rig?.close();
  rig = null;
});
async function start(
  actors: Record<string, AnyActor>,
  options: Partial<ActorEndpointsOptions> = {},
): Promise<EndpointRig> {
  rig = await startEndpoints(actors, options);
  return rig;
}

interface Client {
  readonly socket: WebSocket;
  send(command: unknown): void;
  /** The next message. */
  next(): Promise<Record<string, unknown>>;
  /** All messages until the socket closes, and the close code. */
  rest(): Promise<{ readonly messages: readonly Record<string, unknown>[]; readonly code: number }>;
}

async function connect(path: string, headers: Record<string, string> = {}): Promise<Client> {
  const socket = new WebSocket(`${rig?.socketUrl}${path}`, { headers });
  clients.push(socket);
  const messages: Record<string, unknown>[] = [];
  let wake = (): void => {};
  socket.on('message', (data: Buffer) => {
    messages.push(JSON.parse(data.toString()) as Record<string, unknown>);
    wake();
  });
  const closed = once(socket, 'close').then(([code]: unknown[]) => code as number);
  await once(socket, 'open');
  return {
    socket,
    send: (command) => socket.send(typeof command === 'string' ? command : JSON.stringify(command)),
    async next() {
      while (messages.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return messages.shift() ?? {};
    },
    async rest() {
      const code = await closed;
      return { messages, code };
    },
  };
}

const count = defineActor(async function* (input: { to: number }) {
  for (let i = 1; i <= input.to; i++) yield { type: 'data', data: i };
  yield { type: 'complete', data: 'done' };
});
/** Says one thing and stops when it is told to. */
const patient = defineActor(async function* (_input: unknown, { signal }) {
  yield { type: 'data', data: 'working' };
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
});

/** Says one thing and never stops by itself. */
const unstoppable = defineActor(async function* () {
  yield { type: 'data', data: 'working' };
  await new Promise(() => {});
});

describe('an actor over a socket', () => {
  it('starts, streams with cursors, and closes after the last chunk', async () => {
    await start({ count });
    const client = await connect('/actor/count/stream');
    client.send({ action: 'start', input: { to: 2 } });
    const { messages, code } = await client.rest();
    expect(messages).toEqual([
      { type: 'started', streamId: expect.stringMatching(/^actors\/count\//) },
      { type: 'data', data: 1, cursor: '1.1.1' },
      { type: 'data', data: 2, cursor: '2.1.2' },
      { type: 'complete', data: 'done', cursor: '3.1.2' },
    ]);
    expect(code).toBe(1000);
  });

  it('cancels', async () => {
    await start({ patient });
    const client = await connect('/actor/patient/stream');
    client.send({ action: 'start' });
    expect(await client.next()).toMatchObject({ type: 'started' });
    expect(await client.next()).toMatchObject({ data: 'working' });
    client.send({ action: 'cancel', reason: 'stop button' });
    const { messages } = await client.rest();
    expect(messages).toMatchObject([{ type: 'error', error: { code: 'CANCELLED', message: 'stop button' } }]);
  });

  it('cancels what was started in the same breath', async () => {
    await start({ patient });
    const client = await connect('/actor/patient/stream');
    client.send({ action: 'start' });
    client.send({ action: 'cancel' });
    const { messages } = await client.rest();
    expect(messages.at(-1)).toMatchObject({ type: 'error', error: { code: 'CANCELLED' } });
  });

  it('lets a client that lost its connection go on where it was', async () => {
    await start({ count });
    const first = await connect('/actor/count/stream');
    first.send({ action: 'start', input: { to: 50 }, window: 10 });
    const { streamId } = await first.next();
    let cursor: unknown;
    for (let i = 0; i < 7; i++) ({ cursor } = await first.next());
    first.socket.terminate();
    const second = await connect('/actor/count/stream');
    second.send({ action: 'resume', streamId, cursor });
    const { messages } = await second.rest();
    const data = messages.filter(({ type }) => type === 'data').map(({ data }) => data);
    expect(data).toEqual(Array.from({ length: 43 }, (_, i) => i + 8));
  });

  it('sends no more than the window beyond what was acknowledged', async () => {
    await start({ count });
    const client = await connect('/actor/count/stream');
    client.send({ action: 'start', input: { to: 30 }, window: 5 });
    await client.next();
    const seen: unknown[] = [];
    for (let i = 0; i < 5; i++) seen.push(await client.next());
    // A ping makes a round trip behind everything sent so far.
    client.socket.ping();
    await once(client.socket, 'pong');
    const early = await Promise.race([client.next(), Promise.resolve('nothing')]);
    expect(early).toBe('nothing');
    client.send({ action: 'ack', cursor: (seen[4] as { cursor: string }).cursor });
    client.socket.on('message', (data: Buffer) => {
      const { cursor } = JSON.parse(data.toString()) as { cursor?: string };
      client.send({ action: 'ack', cursor });
    });
    const { code } = await client.rest();
    expect(code).toBe(1000);
  });
});

describe('any stream over a socket', () => {
  it('is followed from the cursor in the URL', async () => {
    const { store } = await start({});
    const writer = getStreamWriter<number>({ store, streamId: 'log' });
    for (let i = 0; i < 3; i++) await writer.write(i);
    await writer.flush();
    const client = await connect('/stream/log?cursor=1');
    expect(await client.next()).toEqual({ type: 'data', data: 1, cursor: '2' });
    await writer.close();
    const { messages } = await client.rest();
    expect(messages).toEqual([
      { type: 'data', data: 2, cursor: '3' },
      { type: 'complete', cursor: '3' },
    ]);
  });
});

describe('what is refused', () => {
  it('is answered with a problem, and the socket stays', async () => {
    await start({ count });
    const client = await connect('/actor/count/stream');
    const problems = [
      'no json',
      '[]',
      { action: 'dance' },
      { action: 'ack' },
      { action: 'cancel' },
      { action: 'start', window: 0 },
    ];
    for (const command of problems) {
      client.send(command);
      expect(await client.next()).toMatchObject({ type: 'problem', code: 'INVALID_ARGUMENT' });
    }
    client.send({ action: 'resume', streamId: 'chats/42/answer' });
    expect(await client.next()).toMatchObject({ type: 'problem', code: 'INVALID_ARGUMENT' });
    client.send({ action: 'start', input: { to: 1 } });
    client.send({ action: 'start', input: { to: 1 } });
    const { messages } = await client.rest();
    expect(messages.filter(({ type }) => type === 'started')).toHaveLength(1);
  });

  it('is a message that is too long', async () => {
    await start({ count }, { limits: { maxMessageBytes: 100 } });
    const client = await connect('/actor/count/stream');
    client.send({ action: 'start', input: 'x'.repeat(200) });
    expect((await client.rest()).code).toBe(1009);
  });

  const statusOf = async (path: string, headers: Record<string, string> = {}): Promise<number | undefined> => {
    const socket = new WebSocket(`${rig?.socketUrl}${path}`, { headers });
    socket.on('error', () => {});
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode?: number }];
    return response.statusCode;
  };

  it('is a handshake from elsewhere, without permission, or beyond the limit', async () => {
    await start({ count }, { authorize: (request) => request.headers.cookie === 'ok', limits: { maxConnections: 1 } });
    expect(await statusOf('/actor/count/stream')).toBe(403);
    expect(await statusOf('/actor/count/stream', { cookie: 'ok', origin: 'https://evil.example' })).toBe(403);
    expect(await statusOf('/stream/secret')).toBe(404);
    await connect('/actor/count/stream', { cookie: 'ok' });
    expect(await statusOf('/actor/count/stream', { cookie: 'ok' })).toBe(503);
  });

  it('is a client that does not answer pings', async () => {
    await start({ patient }, { limits: { heartbeatMs: 30 } });
    const socket = new WebSocket(`${rig?.socketUrl}/actor/patient/stream`, { autoPong: false });
    clients.push(socket);
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1006);
  });

  it('is a client that does not read', async () => {
    const flood = defineActor(async function* () {
      const big = 'x'.repeat(100_000);
      for (let i = 0; i < 500; i++) yield { type: 'data', data: big };
    });
    await start({ flood }, { limits: { maxBufferedBytes: 100_000, slowClientMs: 100 } });
    const client = await connect('/actor/flood/stream');
    client.socket.pause();
    client.send({ action: 'start' });
    // The server is the one that hangs up: its side of the connection goes first.
    const [peer] = await new Promise<unknown[]>((resolve) => {
      const poll = setInterval(() => {
        rig?.server.getConnections((_error, connections) => {
          if (connections > 0) return;
          clearInterval(poll);
          resolve(['gone']);
        });
      }, 20);
    });
    expect(peer).toBe('gone');
  });

  it('is everything once the server closes; what it worked on or had waiting ends in a typed failure', async () => {
    const { store } = await start({ patient: unstoppable }, { concurrency: 1 });
    const client = await connect('/actor/patient/stream');
    client.send({ action: 'start' });
    expect(await client.next()).toMatchObject({ type: 'started' });
    expect(await client.next()).toMatchObject({ data: 'working' });
    const waiting = await connect('/actor/patient/stream');
    waiting.send({ action: 'start' });
    expect(await waiting.next()).toMatchObject({ type: 'started' });
    await rig?.close();
    rig = null;
    expect((await client.rest()).code).toBe(1001);
    const { streams } = await store.list({ prefix: 'actors/' });
    expect(streams.map(({ end }) => end?.error?.code)).toEqual(['WORKER_LOST', 'WORKER_LOST']);
  });
});
