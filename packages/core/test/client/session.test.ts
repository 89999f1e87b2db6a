import { createMemoryStreamStore } from '@perennial/core';
import { type AnySessionOptions, createStreamSession, type ItemsSessionOptions } from '@perennial/core/client';
import { describe, expect, it, vi } from 'vitest';

import { handlerFetch } from './support/handler-fetch.ts';
import { settle } from './support/manual-clock.ts';
import { COMPLETED, controlEvent, createScriptedServer, dataEvent, record } from './support/scripted-server.ts';
import { openSession } from './support/session-harness.ts';

describe('status', () => {
  it('goes from idle through catching up to live and closed', async () => {
    const { server, session, statuses } = openSession();
    expect(session.getState()).toEqual({
      data: [],
      position: 0,
      count: 0,
      status: 'idle',
      end: null,
      error: null,
      cancelRequested: false,
    });
    await settle();
    expect(server.count).toBe(0);
    session.connect();
    session.connect();
    expect(session.getState().status).toBe('connecting');
    const body = (await server.next()).sse();
    body.send(dataEvent(record(0, 'a')) + controlEvent(1, { upToDate: false }));
    await settle();
    body.send(dataEvent(record(1, 'b')) + controlEvent(2));
    await settle();
    body.send(controlEvent(2, { stalled: true, cancelRequested: true }));
    await settle();
    expect(session.getState()).toMatchObject({ status: 'stalled', cancelRequested: true });
    body.send(controlEvent(2, { end: { outcome: 'cancelled', reason: 'enough' } }));
    await settle();
    expect(session.getState()).toEqual({
      data: ['a', 'b'],
      position: 2,
      count: 2,
      status: 'closed',
      end: { outcome: 'cancelled', reason: 'enough' },
      error: null,
      cancelRequested: false,
    });
    expect(statuses).toEqual(['connecting', 'catching-up', 'live', 'stalled', 'closed']);
    expect(server.count).toBe(1);
  });

  it('keeps the data while it reconnects, and says so only after a failure', async () => {
    const { server, clock, session, statuses, wake } = openSession();
    session.connect();
    const first = (await server.next()).sse();
    first.send(dataEvent(record(0, 'a')) + controlEvent(1));
    await clock.advance(2_000);
    first.close();
    const second = (await server.next()).sse();
    second.send(controlEvent(1));
    await settle();
    expect(statuses).toEqual(['connecting', 'catching-up', 'live']);
    second.drop();
    await settle();
    expect(session.getState()).toMatchObject({ status: 'reconnecting', data: ['a'], error: null });
    wake('online');
    (await server.next()).sse().send(dataEvent(record(1, 'b')) + controlEvent(2));
    await settle();
    expect(session.getState()).toMatchObject({ status: 'live', data: ['a', 'b'] });
    expect(statuses.slice(3)).toEqual(['reconnecting', 'catching-up', 'live']);
  });

  it('tells a fatal refusal from the loss of a connection, keeps the data, and tries again when told', async () => {
    const errors: unknown[] = [];
    const { server, clock, session } = openSession({ onError: (error) => errors.push(error) });
    session.connect();
    const body = (await server.next()).sse();
    body.send(dataEvent(record(0, 'a')) + controlEvent(1));
    await settle();
    body.drop();
    await clock.advance(250);
    (await server.next()).respond(403);
    await settle();
    expect(session.getState()).toMatchObject({ status: 'error', data: ['a'], error: { code: 'FORBIDDEN' } });
    expect(errors).toMatchObject([{ code: 'FORBIDDEN' }]);
    session.reconnect();
    expect(session.getState()).toMatchObject({ error: null });
    const again = await server.next();
    expect(again.url.searchParams.get('offset')).toBe('0000000000000001_0000000000000000');
    again.sse().send(controlEvent(1, { end: COMPLETED }));
    await settle();
    expect(session.getState().status).toBe('closed');
  });

  it('pauses and goes on where it was', async () => {
    const { server, session } = openSession();
    session.connect();
    const body = (await server.next()).sse();
    body.send(dataEvent(record(0, 'a')) + controlEvent(1));
    await settle();
    session.disconnect();
    session.disconnect();
    expect(session.getState()).toMatchObject({ status: 'paused', data: ['a'] });
    expect(body.cancelled).toBe(true);
    session.refresh();
    await settle();
    expect(server.count).toBe(1);
    session.connect();
    expect((await server.next()).url.searchParams.get('offset')).toBe('0000000000000001_0000000000000000');
  });

  it('refreshes only what is waiting or has failed', async () => {
    const { server, session } = openSession();
    session.refresh();
    session.connect();
    const body = (await server.next()).sse();
    body.send(controlEvent(0));
    await settle();
    session.refresh();
    await settle();
    expect(server.count).toBe(1);
    body.drop();
    await settle();
    session.refresh();
    (await server.next()).respond(403);
    await settle();
    session.refresh();
    expect((await server.next()).url.searchParams.get('live')).toBe('sse');
  });

  it('reads everything again when restarted, also after the end, and shows the old data until then', async () => {
    const told: unknown[] = [];
    const { server, session } = openSession({ onItems: (items) => told.push(...items) });
    session.connect();
    (await server.next()).sse().send(dataEvent(record(0, 'a')) + controlEvent(1, { end: COMPLETED }));
    await settle();
    session.restart();
    expect(session.getState()).toMatchObject({ status: 'connecting', data: ['a'], end: null });
    const again = await server.next();
    expect(again.url.searchParams.get('offset')).toBe('-1');
    const body = again.sse();
    body.send(dataEvent(record(0, 'b')) + controlEvent(1, { end: COMPLETED }));
    await settle();
    expect(session.getState()).toMatchObject({ status: 'closed', data: ['b'] });
    expect(told).toEqual(['a']);
  });

  it('lets go of everything on close', async () => {
    const { server, clock, session, notified } = openSession();
    session.connect();
    const body = (await server.next()).sse();
    body.send(controlEvent(0));
    await settle();
    const before = notified();
    session.close();
    session.close();
    session.connect();
    session.reconnect();
    body.send(dataEvent(record(0, 'late')));
    await clock.advance(1_000_000);
    expect([body.cancelled, clock.pending, server.count, notified()]).toEqual([true, 0, 1, before]);
  });
});

describe('notifications', () => {
  it('come once per frame, however many records arrive', async () => {
    const frames: (() => void)[] = [];
    vi.stubGlobal('requestAnimationFrame', (callback: () => void) => frames.push(callback));
    vi.stubGlobal('cancelAnimationFrame', () => undefined);
    const { server, session, notified } = openSession({ batch: 'frame' });
    session.connect();
    const body = (await server.next()).sse();
    for (let i = 0; i < 500; i++) body.send(dataEvent(record(i, i)) + controlEvent(i + 1));
    await settle();
    expect([frames.length, session.getState().count]).toEqual([1, 0]);
    const before = notified();
    frames.shift()?.();
    expect([notified() - before, session.getState().count, session.getState().data.length]).toEqual([1, 500, 500]);
    body.send(dataEvent(record(500, 500)));
    await settle();
    expect(frames.length).toBe(1);
    session.close();
  });

  it('do not wait for frames that a hidden page never draws', async () => {
    vi.stubGlobal('requestAnimationFrame', () => 1);
    vi.stubGlobal('cancelAnimationFrame', () => undefined);
    const { server, clock, session } = openSession({ batch: 'frame' });
    session.connect();
    (await server.next()).sse().send(dataEvent(record(0, 'a')));
    await clock.advance(250);
    expect(session.getState().data).toEqual(['a']);
  });

  it('come at most once in so many ms', async () => {
    const { server, clock, session, notified } = openSession({ batch: 100 });
    session.connect();
    const body = (await server.next()).sse();
    const before = notified();
    for (let i = 0; i < 10; i++) {
      body.send(dataEvent(record(i, i)) + controlEvent(i + 1));
      await clock.advance(50);
    }
    expect(notified() - before).toBe(5);
  });

  it('give the same data object until something changes', async () => {
    const { server, session } = openSession();
    session.connect();
    const body = (await server.next()).sse();
    body.send(dataEvent(record(0, 'a')) + controlEvent(1));
    await settle();
    const before = session.getState();
    body.send(controlEvent(1));
    body.send(':\n\n');
    await settle();
    expect(session.getState()).toBe(before);
    body.send(controlEvent(1, { stalled: true }));
    await settle();
    expect(session.getState().data).toBe(before.data);
  });

  it('bring each value once, also over reconnects, and the end and the error once', async () => {
    const told: unknown[] = [];
    const { server, clock, session } = openSession({
      onItems: (items, { position }) => told.push([...items, position]),
      onEnd: (end) => told.push(end.outcome),
    });
    const observed: unknown[] = [];
    const stop = session.observe({ onItems: (items) => observed.push(...items) });
    session.connect();
    const body = (await server.next()).sse();
    body.send(dataEvent(record(0, 'a'), record(1, 'b')));
    await settle();
    stop();
    body.drop();
    await clock.advance(250);
    (await server.next()).sse().send(dataEvent(record(1, 'b'), record(2, 'c')) + controlEvent(3, { end: COMPLETED }));
    await settle();
    session.reconnect();
    await settle();
    expect(told).toEqual([['a', 'b', 2], ['c', 3], 'completed']);
    expect(observed).toEqual(['a', 'b']);
  });

  it('bring an observer what it has not seen, and nothing else', async () => {
    const { server, clock, session } = openSession({ batch: 100 });
    session.connect();
    const body = (await server.next()).sse();
    body.send(dataEvent(record(0, 'seen')));
    await clock.advance(100);
    body.send(dataEvent(record(1, 'on its way')));
    await settle();
    const observed: unknown[] = [];
    session.observe({ onItems: (items) => observed.push(...items) });
    await clock.advance(100);
    expect(observed).toEqual(['on its way']);
  });

  it('survive callbacks that throw', async () => {
    const uncaught: unknown[] = [];
    vi.stubGlobal('queueMicrotask', (callback: () => void) => {
      try {
        callback();
      } catch (error) {
        uncaught.push(error);
      }
    });
    const { server, session } = openSession({
      onItems: () => {
        throw new Error('mine');
      },
    });
    session.connect();
    (await server.next()).sse().send(dataEvent(record(0, 'a')) + controlEvent(1));
    await settle();
    expect(session.getState()).toMatchObject({ status: 'live', data: ['a'] });
    expect(uncaught).toMatchObject([{ message: 'mine' }]);
  });
});

describe('cancel', () => {
  it('asks the producer to stop, over HTTP and in a store', async () => {
    const store = createMemoryStreamStore();
    await store.create('s');
    const sources = [
      { store, streamId: 's' },
      { url: '/s', fetch: handlerFetch(store) },
    ];
    for (const source of sources) {
      const session = createStreamSession(source, { batch: 'none' });
      expect(await session.cancel('enough')).toEqual({ ok: true, value: undefined });
    }
    expect((await store.head('s'))?.cancel?.reason).toBe('enough');
  });

  it('reports why it could not', async () => {
    const server = createScriptedServer();
    const session = createStreamSession({ url: '/s', fetch: server.fetch, headers: { authorization: 'x' } });
    const refused = session.cancel();
    const request = await server.next();
    expect([
      request.method,
      request.url.searchParams.has('perennial-cancel'),
      request.headers.get('authorization'),
      request.body,
    ]).toEqual(['POST', true, 'x', null]);
    request.respond(403);
    expect(await refused).toMatchObject({ ok: false, error: { code: 'FORBIDDEN' } });
    const lost = session.cancel('why');
    const second = await server.next();
    expect(second.body).toBe('{"reason":"why"}');
    second.fail();
    expect(await lost).toMatchObject({ ok: false, error: { code: 'STORE_ERROR' } });
    expect(await session.cancel(7 as unknown as string)).toMatchObject({
      ok: false,
      error: { code: 'INVALID_ARGUMENT', argument: 'reason' },
    });
    const gone = createStreamSession({ store: createMemoryStreamStore(), streamId: 'gone' });
    expect(await gone.cancel()).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });
  });
});

describe('options', () => {
  it.each<[string, AnySessionOptions<unknown, unknown>]>([
    ['from', { from: -1 }],
    ['batch', { batch: 'sometimes' as 'frame' }],
    ['batch', { batch: -1 }],
    ['maxItems', { maxItems: 0 }],
    ['reduce', { reduce: 'sum' as unknown as () => unknown, initial: 0 }],
    ['maxUndo', { reduce: () => 0, initial: 0, maxUndo: 1.5 }],
    [
      'snapshot',
      { snapshot: { data: 'text', position: 4, count: 4, end: null, start: 0, incarnation: null } as never },
    ],
  ])('name a bad %s', (argument, options) => {
    expect(() => createStreamSession('/s', options as ItemsSessionOptions<unknown>)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', argument }),
    );
  });

  it.each(['', null, {}, { url: '' }, { url: 5 }, { store: createMemoryStreamStore() }])(
    'name a bad source: %o',
    (source) => {
      expect(() => createStreamSession(source as string)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'source' }),
      );
    },
  );

  it('may change without a reconnect, but not the stream', async () => {
    const { server, session } = openSession();
    session.connect();
    const body = (await server.next()).sse();
    body.send(dataEvent(record(0, 'a')));
    await settle();
    const told: unknown[] = [];
    session.update(
      { url: '/s', fetch: server.fetch, headers: { authorization: 'new' } },
      { batch: 'none', onItems: (items) => told.push(...items) },
    );
    body.send(dataEvent(record(1, 'b')));
    await settle();
    expect([told, server.count]).toEqual([['b'], 1]);
    session.reconnect();
    expect((await server.next()).headers.get('authorization')).toBe('new');
    expect(() => session.update('/other', {})).toThrow(expect.objectContaining({ argument: 'source' }));
  });
});
