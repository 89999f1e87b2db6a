/** Actors and streams over server-sent events, as a browser and a hostile client see them. */
import { createMemoryStreamStore, getStreamWriter, PublicError } from '@perennial/core';
import { afterEach, describe, expect, it } from 'vitest';

import { type AnyActor, defineActor } from '../../src/index.ts';
import { type ActorEndpointsOptions, createActorEndpoints } from '../../src/server/index.ts';
import { type EndpointRig, eventsOf, startEndpoints, type WireEvent } from '../support/endpoint-rig.ts';

let rig: EndpointRig | null = null;
afterEach(async () => {
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

const echo = defineActor(async function* (input: { text: string }) {
  yield { type: 'start' };
  for (const word of input.text.split(' ')) yield { type: 'data', data: { word } };
  yield { type: 'complete', data: input.text };
});
const input = encodeURIComponent(JSON.stringify({ text: 'a\nb c' }));
const expected = [
  { type: 'start' },
  { type: 'data', data: { word: 'a\nb' } },
  { type: 'data', data: { word: 'c' } },
  { type: 'complete', data: 'a\nb c' },
];

async function allEvents(response: Response): Promise<WireEvent[]> {
  const events: WireEvent[] = [];
  for await (const event of eventsOf(response)) events.push(event);
  return events;
}

describe('an actor over SSE', () => {
  it('streams unnamed events, by GET and by POST', async () => {
    const { url } = await start({ echo });
    const got = await fetch(`${url}/actor/echo/stream?input=${input}`);
    expect(got.headers.get('content-type')).toContain('text/event-stream');
    expect(got.headers.get('cache-control')).toBe('no-cache, no-transform');
    expect((await allEvents(got)).map(({ data }) => data)).toEqual(expected);
    const posted = await fetch(`${url}/actor/echo/stream`, {
      method: 'POST',
      body: JSON.stringify({ text: 'a\nb c' }),
    });
    const text = await posted.text();
    expect(text).not.toMatch(/^event:/m);
    expect(text.match(/^data: /gm)).toHaveLength(4);
  });

  it('resumes the run, wherever the connection broke, and does not start another', async () => {
    const { url, store } = await start({ echo });
    const events = await allEvents(await fetch(`${url}/actor/echo/stream?input=${input}`));
    for (const [index, { id }] of events.entries()) {
      const again = await fetch(`${url}/actor/echo/stream?input=${input}`, { headers: { 'last-event-id': id } });
      // At the end, 204 keeps a browser from coming back.
      expect(again.status).toBe(index === 3 ? 204 : 200);
      expect((await allEvents(again)).map(({ data }) => data)).toEqual(expected.slice(index + 1));
    }
    expect((await store.list({ prefix: 'actors/' })).streams).toHaveLength(1);
  });

  it('goes on when the client leaves, and stops when it is asked to', async () => {
    let fired = (): void => {};
    const stopped = new Promise<void>((resolve) => (fired = resolve));
    const patient = defineActor(async function* (_input: unknown, { signal }) {
      signal.addEventListener('abort', fired);
      yield { type: 'data', data: 1 };
      await new Promise(() => {});
    });
    const { url } = await start({ patient });
    const leaving = new AbortController();
    const response = await fetch(`${url}/actor/patient/stream`, { signal: leaving.signal });
    const first = await eventsOf(response).next();
    leaving.abort();
    const id = String(first.value?.id);
    const back = await fetch(`${url}/actor/patient/stream`, { headers: { 'last-event-id': id } });
    const [stream = ''] = id.split(' ');
    const cancelled = await fetch(`${url}/stream/${stream}/cancel`, { method: 'POST' });
    expect(cancelled.status).toBe(204);
    expect((await allEvents(back)).map(({ data }) => data)).toMatchObject([
      { type: 'error', error: { code: 'CANCELLED' } },
    ]);
    await stopped;
  });

  it('hides what the actor throws, and shows what it reports', async () => {
    const { url } = await start({
      leaky: defineActor(async () => {
        throw new Error('password is hunter2');
      }),
      honest: defineActor(async function* () {
        yield { type: 'error', error: { code: 'E_QUOTA', message: 'You asked too often.' } };
      }),
      exposed: defineActor(async () => {
        throw new PublicError('E_TOPIC', 'Not about this topic.');
      }),
    });
    const last = async (type: string): Promise<unknown> =>
      (await allEvents(await fetch(`${url}/actor/${type}/stream`))).at(-1)?.data;
    expect(await last('leaky')).toEqual({ type: 'error', error: { code: 'INTERNAL', message: 'The actor failed.' } });
    expect(await last('honest')).toMatchObject({ error: { code: 'E_QUOTA' } });
    expect(await last('exposed')).toMatchObject({ error: { code: 'E_TOPIC' } });
  });

  it('sends comments while nothing happens', async () => {
    const waiting = defineActor(async function* (_input: unknown, { signal }) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      yield { type: 'complete' };
    });
    const { url } = await start({ waiting }, { limits: { heartbeatMs: 20 } });
    const response = await fetch(`${url}/actor/waiting/stream`);
    let text = '';
    for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += part;
      if (text.includes(': still here\n\n')) break;
    }
    expect(text).toContain(': still here\n\n');
  });
});

describe('any stream over SSE', () => {
  it('shows values as data chunks, and its end as the last chunk', async () => {
    const { url, store } = await start({});
    const writer = getStreamWriter<string>({ store, streamId: 'chats/42/answer' });
    await writer.write('Hello');
    await writer.write('world');
    await writer.close();
    const path = `${url}/stream/${encodeURIComponent('chats/42/answer')}`;
    const events = await allEvents(await fetch(path));
    expect(events.map(({ data }) => data)).toEqual([
      { type: 'data', data: 'Hello' },
      { type: 'data', data: 'world' },
      { type: 'complete' },
    ]);
    const resumed = await allEvents(await fetch(`${path}?cursor=1`));
    expect(resumed.map(({ data }) => data)).toEqual([{ type: 'data', data: 'world' }, { type: 'complete' }]);
  });
});

describe('what is refused', () => {
  const refused = async (path: string, init: RequestInit = {}): Promise<[number, string]> => {
    const response = await fetch(`${rig?.url}${path}`, init);
    const body = (await response.json()) as { error: { code: string } };
    return [response.status, body.error.code];
  };

  it('is a set of endpoints that nobody works for', () => {
    expect(() => createActorEndpoints({ store: createMemoryStreamStore() })).toThrow(/`registry`, or a `queue`/);
  });

  it('is typed, and names the mistake', async () => {
    await start({ echo }, { limits: { maxMessageBytes: 64 } });
    expect(await refused('/actor/nobody/stream')).toEqual([404, 'UNKNOWN_ACTOR']);
    expect(await refused('/actor/echo/stream?input=%7B')).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await refused('/actor/%E0%A4%A/stream')).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await refused('/actor/echo/stream', { method: 'DELETE' })).toEqual([405, 'UNSUPPORTED']);
    expect(await refused('/actor/echo/stream', { method: 'POST', body: '"'.repeat(65) })).toEqual([
      413,
      'LIMIT_EXCEEDED',
    ]);
    expect(await refused('/stream/none')).toEqual([404, 'NOT_FOUND']);
    expect(await refused('/stream/none/cancel', { method: 'POST' })).toEqual([404, 'NOT_FOUND']);
    const id = { 'last-event-id': 'actors%2Fother%2F1 0.0.0' };
    expect(await refused('/actor/echo/stream', { headers: id })).toEqual([400, 'INVALID_ARGUMENT']);
    expect((await fetch(`${rig?.url}/other`)).status).toBe(404);
    expect(await (await fetch(`${rig?.url}/other`)).text()).toBe('elsewhere');
  });

  it('is what authorize denies', async () => {
    const asked: unknown[] = [];
    await start(
      { echo },
      {
        authorize: (request, target) => {
          asked.push(target);
          return request.headers.authorization === 'Bearer good';
        },
      },
    );
    expect(await refused('/actor/echo/stream')).toEqual([403, 'FORBIDDEN']);
    expect(await refused('/stream/secret')).toEqual([404, 'NOT_FOUND']);
    expect(await refused('/stream/secret/cancel', { method: 'POST' })).toEqual([403, 'FORBIDDEN']);
    expect(asked).toEqual([
      { action: 'run', actorType: 'echo' },
      { action: 'read', streamId: 'secret' },
      { action: 'cancel', streamId: 'secret' },
    ]);
    const allowed = await fetch(`${rig?.url}/actor/echo/stream?input=${input}`, {
      headers: { authorization: 'Bearer good' },
    });
    expect(await allEvents(allowed)).toHaveLength(4);
  });

  it('is everything, without authorize, outside of development', async () => {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      await start({ echo });
      expect(await refused('/actor/echo/stream')).toEqual([403, 'FORBIDDEN']);
    } finally {
      process.env['NODE_ENV'] = before;
    }
  });

  it('is what a page of another origin sends', async () => {
    await start({ echo }, { origins: ['https://app.example'] });
    const from = (headers: Record<string, string>) => refused('/actor/nobody/stream', { headers });
    expect(await from({ origin: 'https://evil.example' })).toEqual([403, 'FORBIDDEN']);
    expect(await from({ 'sec-fetch-site': 'cross-site' })).toEqual([403, 'FORBIDDEN']);
    expect(await from({ origin: 'https://app.example' })).toEqual([404, 'UNKNOWN_ACTOR']);
    expect(await from({ origin: rig?.url ?? '' })).toEqual([404, 'UNKNOWN_ACTOR']);
  });

  it('is one connection too many', async () => {
    const waiting = defineActor(async function* (_input: unknown, { signal }) {
      yield { type: 'start' };
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    await start({ waiting, echo }, { limits: { maxConnections: 1 } });
    const leaving = new AbortController();
    const first = await fetch(`${rig?.url}/actor/waiting/stream`, { signal: leaving.signal });
    await eventsOf(first).next();
    expect(await refused(`/actor/echo/stream?input=${input}`)).toEqual([503, 'LIMIT_EXCEEDED']);
    // Nothing was started that nobody may follow.
    expect((await rig?.store.list({ prefix: 'actors/echo/' }))?.streams).toEqual([]);
    leaving.abort();
  });
});
