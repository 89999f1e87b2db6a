import { isStreamGap, isStreamNotFound } from '@perennial/core';
import { cancelStream, connectStream } from '@perennial/core/client';
import { describe, expect, it, vi } from 'vitest';

import { connect } from './support/connection-harness.ts';
import { settle } from './support/manual-clock.ts';
import { createScriptedServer, dataEvent, record } from './support/scripted-server.ts';

describe('errors', () => {
  it('retries server errors with growing pauses, honours retry-after, and starts afresh once it got through', async () => {
    const { server, clock, connection } = connect();
    (await server.next()).respond(500);
    await settle();
    expect(connection.state).toMatchObject({ phase: 'waiting', error: { code: 'STORE_ERROR' } });
    await clock.advance(250);
    (await server.next()).fail();
    await clock.advance(500);
    (await server.next()).respond(503, undefined, { 'retry-after': '20' });
    await clock.advance(20_499);
    expect(server.waiting).toBe(0);
    await clock.advance(1);
    const body = (await server.next()).sse();
    body.send(dataEvent(record(0, 'a')));
    await settle();
    expect(connection.state).toMatchObject({ phase: 'open', error: null });
    body.drop();
    await clock.advance(250);
    expect(server.waiting).toBe(1);
  });

  it.each([
    [401, undefined, 'FORBIDDEN'],
    [403, { error: { code: 'FORBIDDEN', message: 'not yours' } }, 'FORBIDDEN'],
    [404, { error: { code: 'NOT_FOUND', message: 'There is no such stream.' } }, 'NOT_FOUND'],
    [400, { error: { code: 'INVALID_ARGUMENT', message: 'bad offset' } }, 'INVALID_ARGUMENT'],
    [405, '<html>', 'UNSUPPORTED'],
    [413, { error: { code: 'LIMIT_EXCEEDED', message: 'too much' } }, 'LIMIT_EXCEEDED'],
    [410, undefined, 'GAP'],
  ])('does not ask again after %i', async (status, body, code) => {
    const { server, clock, connection, listening } = connect();
    (await server.next()).respond(status, body);
    const said = typeof body === 'object' && code !== 'NOT_FOUND' ? body.error.message : '';
    await clock.advance(100_000);
    expect(connection.state).toMatchObject({ phase: 'failed', error: { code } });
    expect(connection.state.error?.message).toContain(said);
    expect(server.count).toBe(1);
    expect(clock.pending).toBe(0);
    expect(listening()).toBe(0);
  });

  it('names the earliest position of a gap', async () => {
    const { server, connection } = connect({ from: 3 });
    (await server.next()).respond(
      410,
      { error: { code: 'GAP', message: 'gone' } },
      { 'perennial-earliest-position': '17' },
    );
    await settle();
    const { error } = connection.state;
    expect(isStreamGap(error) && [error.requestedPosition, error.earliestPosition]).toEqual([3, 17]);
  });

  it('waits for a stream that is about to be created, for as long as it is told', async () => {
    const { server, clock, connection, values } = connect({ waitForCreateMs: 5_000 });
    (await server.next()).respond(404);
    await clock.advance(250);
    expect(connection.state).toMatchObject({ phase: 'connecting', error: null });
    (await server.next()).respond(404);
    await clock.advance(500);
    (await server.next()).sse().send(dataEvent(record(0, 'a')));
    await settle();
    expect(values()).toEqual(['a']);
  });

  it('gives up on a stream that is not created in time', async () => {
    const { server, clock, connection } = connect({ waitForCreateMs: 2_000 });
    while (connection.state.phase !== 'failed') {
      if (server.waiting > 0) (await server.next()).respond(404);
      await clock.advance(100);
    }
    expect(isStreamNotFound(connection.state.error)).toBe(true);
    expect(clock.now()).toBeGreaterThanOrEqual(1_002_000);
  });

  it('does not wait for a stream that was there and is gone', async () => {
    const { server, clock, connection } = connect({ waitForCreateMs: 60_000 });
    const body = (await server.next()).sse();
    body.send(dataEvent(record(0, 'a')));
    await settle();
    body.drop();
    await clock.advance(250);
    (await server.next()).respond(404);
    await settle();
    expect(connection.state).toMatchObject({ phase: 'failed', error: { code: 'NOT_FOUND' } });
  });

  it('notices that another stream took the place of the one it read', async () => {
    const { server, clock, connection, values } = connect();
    const body = (await server.next()).sse({ 'perennial-incarnation': 'first' });
    body.send(dataEvent(record(0, 'a')));
    await settle();
    body.drop();
    await clock.advance(250);
    (await server.next()).sse({ 'perennial-incarnation': 'second' }).send(dataEvent(record(1, 'alien')));
    await settle();
    expect(connection.state).toMatchObject({
      phase: 'failed',
      error: { code: 'NOT_FOUND', expected: 'first', found: 'second' },
    });
    expect(values()).toEqual(['a']);
  });

  it('fails at once when it may not reconnect', async () => {
    const { server, connection } = connect({ reconnect: false });
    (await server.next()).fail();
    await settle();
    expect(connection.state).toMatchObject({ phase: 'failed', error: { code: 'STORE_ERROR' } });
  });

  it('fails after the failures it is allowed', async () => {
    const { server, clock, connection } = connect({ reconnect: { maxFailures: 2 } });
    for (let i = 0; i < 3; i++) {
      (await server.next()).fail();
      await clock.advance(1_000);
    }
    expect(connection.state.phase).toBe('failed');
    expect(server.count).toBe(3);
  });

  it('reports headers that cannot be supplied as a failure to connect', async () => {
    const { connection } = connect({
      headers: () => {
        throw new Error('no token');
      },
    });
    await settle();
    expect(connection.state).toMatchObject({ phase: 'waiting', error: { code: 'STORE_ERROR' } });
    expect(connection.state.error?.message).toContain('no token');
  });

  it('does not retry a request that no server could ever get', async () => {
    const bad = connect({ headers: () => ({ 'x-bad': 'line\nbreak' }) });
    await settle();
    expect(bad.connection.state).toMatchObject({
      phase: 'failed',
      error: { code: 'INVALID_ARGUMENT', argument: 'headers' },
    });
    const relative = connectStream({ url: '/streams/s', onRecords: () => undefined });
    await settle();
    expect(relative.state).toMatchObject({ phase: 'failed', error: { code: 'INVALID_ARGUMENT', argument: 'url' } });
    expect(await cancelStream({ url: '/streams/s' })).toMatchObject({ ok: false, error: { argument: 'url' } });
  });

  it('survives a handler of states that throws', async () => {
    const uncaught: unknown[] = [];
    vi.stubGlobal('queueMicrotask', (callback: () => void) => {
      try {
        callback();
      } catch (error) {
        uncaught.push(error);
      }
    });
    const { server, values } = connect({
      onState: () => {
        throw new Error('mine');
      },
    });
    (await server.next()).sse().send(dataEvent(record(0, 'a')));
    await settle();
    expect(values()).toEqual(['a']);
    expect(uncaught[0]).toMatchObject({ message: 'mine' });
  });

  it.each([
    ['url', { url: '' }],
    ['from', { from: -1 }],
    ['from', { from: 'then' as 'now' }],
    ['from', { from: { last: 1.5 } }],
    ['silenceMs', { silenceMs: 0 }],
    ['waitForCreateMs', { waitForCreateMs: Number.NaN }],
    ['maxFailures', { reconnect: { maxFailures: -1 } }],
    ['transport', { transport: 'pigeon' as 'sse' }],
  ])('refuses a bad %s', (argument, options) => {
    const server = createScriptedServer();
    expect(() => connectStream({ url: '/s', fetch: server.fetch, onRecords: () => undefined, ...options })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', argument }),
    );
    expect(server.count).toBe(0);
  });
});
