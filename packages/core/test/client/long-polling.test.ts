import { describe, expect, it } from 'vitest';

import { connect } from './support/connection-harness.ts';
import { settle } from './support/manual-clock.ts';
import { COMPLETED, record, stateHeaders } from './support/scripted-server.ts';

describe('long-polling', () => {
  it('takes over when the first event is kept back, catches up, then waits for more', async () => {
    const { server, clock, connection, values, phases } = connect();
    const kept = (await server.next()).sse();
    await clock.advance(5_000);
    expect(kept.cancelled).toBe(true);
    const page = await server.next();
    expect(Object.fromEntries(page.url.searchParams)).toEqual({ 'perennial-view': 'records', offset: '-1' });
    page.respond(200, [record(0, 'a')], stateHeaders(1, { upToDate: false }));
    const rest = await server.next();
    expect(rest.url.searchParams.get('live')).toBeNull();
    rest.respond(200, [record(1, 'b')], stateHeaders(2));
    const poll = await server.next();
    expect(Object.fromEntries(poll.url.searchParams)).toEqual({
      'perennial-view': 'records',
      offset: '0000000000000002_0000000000000000',
      live: 'long-poll',
      cursor: '7',
    });
    await clock.advance(20_000);
    poll.respond(204, undefined, stateHeaders(2, { stalled: true, cancelRequested: true }));
    const again = await server.next();
    expect(connection.state).toMatchObject({ stalled: true, cancelRequested: true, transport: 'long-poll' });
    again.respond(200, [record(2, 'c')], stateHeaders(3, { end: { outcome: 'cancelled', reason: 'enough' } }));
    await settle();
    expect(values()).toEqual(['a', 'b', 'c']);
    expect(connection.state).toMatchObject({ phase: 'ended', end: { outcome: 'cancelled', reason: 'enough' } });
    expect(phases()).toEqual(['open', 'ended']);
  });

  it('takes over when the answer is no event stream', async () => {
    const { server, values } = connect();
    (await server.next()).respond(200, [record(0, 'a')], stateHeaders(1));
    (await server.next()).respond(200, [record(0, 'a')], stateHeaders(1));
    await settle();
    expect(values()).toEqual(['a']);
  });

  it('takes over when no answer comes at all, and goes back when polling fails too', async () => {
    const { server, clock } = connect();
    await server.next();
    await clock.advance(15_250);
    const poll = await server.next();
    expect(poll.url.searchParams.get('live')).toBeNull();
    poll.fail();
    await clock.advance(500);
    expect((await server.next()).url.searchParams.get('live')).toBe('sse');
  });

  it('stays once server-sent events failed twice, until the network changes', async () => {
    const { server, clock, wake } = connect();
    for (let i = 0; i < 2; i++) {
      expect((await server.next()).url.searchParams.get('live')).toBe('sse');
      // Kept back by a proxy.
      await clock.advance(15_250);
      const poll = await server.next();
      expect(poll.url.searchParams.get('live')).toBeNull();
      poll.fail();
      await clock.advance(15_000);
    }
    const poll = await server.next();
    expect(poll.url.searchParams.get('live')).toBeNull();
    wake('online');
    expect((await server.next()).url.searchParams.get('live')).toBe('sse');
  });

  it('does not turn into a busy loop when polls are answered at once', async () => {
    const { server, clock } = connect({ transport: 'long-poll', from: 0 });
    (await server.next()).respond(200, [], stateHeaders(0));
    for (let i = 0; i < 10; i++) {
      await clock.advance(100);
      while (server.waiting > 0) (await server.next()).respond(204, undefined, stateHeaders(0));
    }
    expect(server.count).toBeLessThan(5);
  });

  it('reads a page again that was cut off', async () => {
    const { server, clock, values } = connect({ transport: 'long-poll' });
    (await server.next()).respond(200, '[{"p":0,"t":1,"d":"a"},{"p":1', stateHeaders(2));
    await clock.advance(250);
    (await server.next()).respond(200, [record(0, 'a'), record(1, 'b')], stateHeaders(2));
    await settle();
    expect(values()).toEqual(['a', 'b']);
  });

  it('asks anew when its answer does not come', async () => {
    const { server, clock, connection } = connect({ transport: 'long-poll' });
    (await server.next()).respond(200, [], stateHeaders(0));
    await server.next();
    await clock.advance(45_000);
    expect(connection.state.phase).toBe('waiting');
    await clock.advance(250);
    expect((await server.next()).url.searchParams.get('live')).toBeNull();
  });

  it('reads the end from the headers of an empty answer at the tail', async () => {
    const { server, connection } = connect({ from: 3 });
    (await server.next()).respond(204, undefined, stateHeaders(3, { end: COMPLETED }));
    await settle();
    expect(connection.state).toMatchObject({ phase: 'ended', position: 3, end: COMPLETED });
  });

  it('is not used when only server-sent events are wanted', async () => {
    const { server, clock, connection } = connect({ transport: 'sse' });
    (await server.next()).sse();
    await clock.advance(5_000);
    expect(connection.state).toMatchObject({ phase: 'waiting', error: { code: 'STORE_ERROR' } });
    await clock.advance(250);
    expect((await server.next()).url.searchParams.get('live')).toBe('sse');
  });
});
