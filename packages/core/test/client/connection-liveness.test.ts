import { describe, expect, it } from 'vitest';

import { connect } from './support/connection-harness.ts';
import { settle } from './support/manual-clock.ts';
import { controlEvent, dataEvent, record } from './support/scripted-server.ts';

describe('liveness', () => {
  it('takes silence beyond the heartbeat for a dead connection', async () => {
    const { server, clock, connection } = connect();
    const body = (await server.next()).sse();
    body.send(controlEvent(0));
    for (let i = 0; i < 6; i++) {
      await clock.advance(15_000);
      body.send(':\n\n');
    }
    await clock.advance(39_999);
    expect(connection.state.phase).toBe('open');
    await clock.advance(1);
    expect(connection.state).toMatchObject({ phase: 'waiting', error: { code: 'STORE_ERROR' } });
    expect(connection.state.error?.message).toContain('40000 ms');
    expect(body.cancelled).toBe(true);
  });

  it('ends a pause at once when the page wakes up, except by going offline', async () => {
    const { server, clock, wake } = connect({ reconnect: { baseMs: 10_000 } });
    (await server.next()).fail();
    await settle();
    wake('offline');
    await settle();
    expect(server.waiting).toBe(0);
    for (const reason of ['online', 'visible', 'pageshow'] as const) {
      wake(reason);
      (await server.next()).fail();
      await settle();
      expect(server.waiting).toBe(0);
    }
    await clock.advance(5_000);
    expect(server.waiting).toBe(1);
  });

  it.each(['online', 'offline', 'pageshow'] as const)(
    'replaces an open connection on %s, and resumes it',
    async (reason) => {
      const { server, wake, connection, values } = connect();
      const first = (await server.next()).sse();
      first.send(dataEvent(record(0, 'a')) + controlEvent(1));
      await settle();
      wake(reason);
      const second = await server.next();
      expect(first.cancelled).toBe(true);
      expect(connection.state.phase).toBe('open');
      second.sse().send(dataEvent(record(1, 'b')));
      first.send(dataEvent(record(1, 'stale')));
      await settle();
      expect(values()).toEqual(['a', 'b']);
    },
  );

  it('leaves a talking connection alone when the page becomes visible, and replaces a silent one', async () => {
    const { server, clock, wake } = connect();
    const body = (await server.next()).sse();
    body.send(controlEvent(0));
    await clock.advance(10_000);
    wake('visible');
    await settle();
    expect(server.count).toBe(1);
    await clock.advance(10_000);
    expect(body.cancelled).toBe(true);
  });

  it('does not take the time a slow consumer needs for silence', async () => {
    let release: () => void = () => undefined;
    const { server, clock, connection, values } = connect({
      onRecords: () => new Promise((resolve) => (release = resolve)),
    });
    const body = (await server.next()).sse();
    body.send(dataEvent(record(0, 'a')));
    await clock.advance(500_000);
    expect(connection.state).toMatchObject({ phase: 'open', position: 0 });
    release();
    body.send(dataEvent(record(1, 'b')));
    await settle();
    release();
    await settle();
    expect(connection.state.position).toBe(2);
    expect(values()).toEqual(['a', 'b']);
  });

  it('does not deliver again what a slow consumer is taking while the connection is replaced', async () => {
    let release: () => void = () => undefined;
    const { server, connection, values } = connect({ onRecords: () => new Promise((resolve) => (release = resolve)) });
    (await server.next()).sse().send(dataEvent(record(0, 'a')));
    await settle();
    connection.reconnect();
    connection.close();
    connection.reconnect();
    await settle();
    expect(server.count).toBe(1);
    release();
    const next = await server.next();
    expect(next.url.searchParams.get('offset')).toBe('0000000000000001_0000000000000000');
    next.sse().send(dataEvent(record(0, 'a'), record(1, 'b')));
    await settle();
    release();
    expect(values()).toEqual(['a', 'b']);
    expect(server.count).toBe(2);
  });
});
