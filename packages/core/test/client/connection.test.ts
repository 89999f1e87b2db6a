import { connectStream } from '@perennial/core/client';
import { describe, expect, it } from 'vitest';

import { connect } from './support/connection-harness.ts';
import { settle } from './support/manual-clock.ts';
import {
  COMPLETED,
  controlEvent,
  createScriptedServer,
  dataEvent,
  record,
  supersede,
} from './support/scripted-server.ts';

describe('over server-sent events', () => {
  it('asks for the records view from the start and delivers records, then the typed end', async () => {
    const { server, connection, values, phases } = connect();
    const request = await server.next();
    expect(Object.fromEntries(request.url.searchParams)).toEqual({
      'perennial-view': 'records',
      offset: '-1',
      live: 'sse',
    });
    expect(request.headers.get('accept')).toBe('text/event-stream');
    const body = request.sse({ 'perennial-incarnation': 'i1' });
    body.send(dataEvent(record(0, 'a'), record(1, { n: 1 })) + controlEvent(2));
    await settle();
    expect(values()).toEqual(['a', { n: 1 }]);
    expect(connection.state).toMatchObject({
      phase: 'open',
      position: 2,
      upToDate: true,
      incarnation: 'i1',
      end: null,
    });
    body.send(controlEvent(2, { end: { outcome: 'failed', error: { code: 'PRODUCER_LOST', message: 'gone' } } }));
    await settle();
    expect(connection.state).toMatchObject({
      phase: 'ended',
      end: { outcome: 'failed', error: { code: 'PRODUCER_LOST', message: 'gone' } },
    });
    expect(phases()).toEqual(['open', 'ended']);
    expect(body.cancelled).toBe(true);
  });

  it('delivers steps, attempts, retractions and bytes', async () => {
    const { server, records } = connect();
    const body = (await server.next()).sse();
    body.send(dataEvent(record(0, null, 'draft', 2), supersede(1, 'draft', 3), { p: 2, t: 5, b: 'AQI=' }));
    await settle();
    expect(records).toEqual([
      { kind: 'data', position: 0, timestamp: 1_764_000_000_000, value: null, step: 'draft', attempt: 2 },
      { kind: 'supersede', position: 1, timestamp: 1_764_000_000_001, step: 'draft', belowAttempt: 3 },
      { kind: 'data', position: 2, timestamp: 5, value: new Uint8Array([1, 2]) },
    ]);
  });

  it.each([
    ['a position', 41, { offset: '0000000000000041_0000000000000000' }],
    ['the tail', 'now', { offset: 'now' }],
    ['the last records', { last: 3 }, { 'perennial-last': '3' }],
  ] as const)('starts at %s', async (_, from, params) => {
    const { server, clock, connection } = connect({ from });
    const request = await server.next();
    expect(Object.fromEntries(request.url.searchParams)).toEqual({
      'perennial-view': 'records',
      live: 'sse',
      ...params,
    });
    const body = request.sse();
    body.send(controlEvent(41));
    await settle();
    expect(connection.state.position).toBe(41);
    await clock.advance(1_000);
    body.close();
    expect((await server.next()).url.searchParams.get('offset')).toBe('0000000000000041_0000000000000000');
  });

  it('keeps the query and adds the headers of its own', async () => {
    const server = createScriptedServer();
    let calls = 0;
    const connection = connectStream({
      url: 'https://host.invalid/s?tenant=a#top',
      fetch: server.fetch,
      headers: async () => ({ authorization: `token ${++calls}` }),
      onRecords: () => undefined,
    });
    const first = await server.next();
    expect(first.url.href.startsWith('https://host.invalid/s?tenant=a&perennial-view=records')).toBe(true);
    expect(first.headers.get('authorization')).toBe('token 1');
    first.sse().send(dataEvent(record(0, 1)));
    await settle();
    connection.reconnect();
    expect((await server.next()).headers.get('authorization')).toBe('token 2');
    connection.close();
  });

  it('resumes after the last record when the connection drops in mid-event', async () => {
    const { server, clock, connection, values, phases } = connect();
    const first = (await server.next()).sse();
    first.send(dataEvent(record(0, 'a'), record(1, 'b')) + controlEvent(2));
    first.send(dataEvent(record(2, 'c')).slice(0, 40));
    await settle();
    first.drop();
    await settle();
    expect(connection.state).toMatchObject({ phase: 'waiting', position: 2, error: { code: 'STORE_ERROR' } });
    await clock.advance(250);
    const second = await server.next();
    expect(second.url.searchParams.get('offset')).toBe('0000000000000002_0000000000000000');
    expect(second.url.searchParams.get('cursor')).toBe('7');
    second.sse().send(dataEvent(record(2, 'c')) + controlEvent(3, { end: COMPLETED }));
    await settle();
    expect(values()).toEqual(['a', 'b', 'c']);
    expect(phases()).toEqual(['open', 'waiting', 'connecting', 'open', 'ended']);
  });

  it('takes a clean close for a planned cut: it resumes at once, and nothing shows', async () => {
    const { server, clock, values, phases } = connect();
    const first = (await server.next()).sse();
    first.send(dataEvent(record(0, 'a')) + controlEvent(1));
    for (let i = 0; i < 4; i++) {
      await clock.advance(15_000);
      first.send(':\n\n');
    }
    await settle();
    first.close();
    const second = await server.next();
    expect(second.url.searchParams.get('offset')).toBe('0000000000000001_0000000000000000');
    second.sse().send(controlEvent(1) + dataEvent(record(1, 'b')) + controlEvent(2, { end: COMPLETED }));
    await settle();
    expect(values()).toEqual(['a', 'b']);
    expect(phases()).toEqual(['open', 'ended']);
  });

  it('backs off from a server that closes at once, again and again', async () => {
    const { server, clock } = connect();
    const pauses: number[] = [];
    for (let i = 0; i < 5; i++) {
      const body = (await server.next()).sse();
      body.send(controlEvent(0));
      body.close();
      await settle();
      const before = clock.now();
      while (server.waiting === 0) await clock.advance(50);
      pauses.push(clock.now() - before);
    }
    expect(pauses).toEqual([250, 500, 1000, 2000, 4000]);
  });

  it('drops what it already has when a resumed response overlaps', async () => {
    const { server, values } = connect({ from: 2 });
    const body = (await server.next()).sse();
    body.send(dataEvent(record(1, 'old'), record(2, 'c'), record(2, 'again'), record(3, 'd')));
    body.send(dataEvent(record(2, 'c'), record(3, 'd')));
    body.send(dataEvent(record(3, 'd'), record(4, 'e')));
    await settle();
    expect(values()).toEqual(['c', 'd', 'e']);
  });

  it('takes neither a close nor `streamClosed` without an end for the end', async () => {
    const { server, clock, connection } = connect();
    const body = (await server.next()).sse();
    await clock.advance(1_000);
    body.send(
      'event: control\ndata: {"streamNextOffset":"0000000000000000_0000000000000000","upToDate":true,"streamClosed":true}\n\n',
    );
    await settle();
    body.close();
    await settle();
    expect(connection.state.phase).toBe('open');
    expect((await server.next()).url.searchParams.get('offset')).toBe('-1');
  });

  it.each([
    ['truncated JSON', 'event: data\ndata: [{"p":1,"t":5,"d":"x\n\n'],
    ['an object', 'event: data\ndata: {"p":1}\n\n'],
    ['the plain view', 'event: data\ndata: ["x"]\n\n'],
    ['a record without a payload', 'event: data\ndata: [{"p":1,"t":5}]\n\n'],
    ['bad base64', 'event: data\ndata: [{"p":1,"t":5,"b":"*"}]\n\n'],
    ['a hole', dataEvent(record(2, 'late'))],
    ['a hole before the control event', controlEvent(5)],
    ['a shrunk stream', controlEvent(0)],
    ['a control event that is no JSON', 'event: control\ndata: {{\n\n'],
    ['a control event without a position', 'event: control\ndata: {"upToDate":true}\n\n'],
    ['an end of no known kind', controlEvent(1, { end: { outcome: 'vanished' } })],
  ])('reads again after %s, and delivers nothing of it', async (_, damage) => {
    const { server, clock, connection, values } = connect();
    const first = (await server.next()).sse();
    first.send(dataEvent(record(0, 'a')) + damage + dataEvent(record(1, 'wrong')));
    await settle();
    expect(connection.state).toMatchObject({ phase: 'waiting', position: 1, error: { code: 'CORRUPT' } });
    await clock.advance(250);
    const second = await server.next();
    expect(second.url.searchParams.get('offset')).toBe('0000000000000001_0000000000000000');
    second.sse().send(dataEvent(record(1, 'b')) + controlEvent(2, { end: COMPLETED }));
    await settle();
    expect(values()).toEqual(['a', 'b']);
  });

  it('gives up when the same damage comes again and again', async () => {
    const { server, clock, connection } = connect();
    for (let i = 0; i < 5; i++) {
      (await server.next()).sse().send(dataEvent(record(9, 'hole')));
      await clock.advance(10_000);
    }
    expect(connection.state).toMatchObject({ phase: 'failed', error: { code: 'CORRUPT' } });
    expect(connection.state.error?.message).toContain('from position 0 to 8 are missing');
  });

  it('ignores lines that are no fields, unknown events and unknown members', async () => {
    const { server, values } = connect();
    const body = (await server.next()).sse();
    body.send('garbage\n\u0000\nfoo: bar\n\nevent: other\ndata: {{\n\n');
    body.send('event: data\ndata: [{"p":0,"t":1,"d":"a","zz":1}]\n\n' + controlEvent(1));
    await settle();
    expect(values()).toEqual(['a']);
  });

  it('tells of a stalled producer and of a cancel request', async () => {
    const { server, connection } = connect();
    const body = (await server.next()).sse();
    body.send(controlEvent(0, { stalled: true, cancelRequested: true }));
    await settle();
    expect(connection.state).toMatchObject({ stalled: true, cancelRequested: true });
    body.send(controlEvent(0));
    await settle();
    expect(connection.state).toMatchObject({ stalled: false, cancelRequested: false });
  });

  it('stays up to date through a burst, and is no longer once it has to catch up after a failure', async () => {
    const { server, clock, connection } = connect();
    const body = (await server.next()).sse();
    body.send(controlEvent(0));
    body.send(dataEvent(record(0, 'a')) + controlEvent(1, { upToDate: false }));
    await settle();
    expect(connection.state.upToDate).toBe(true);
    body.drop();
    await clock.advance(250);
    (await server.next()).sse().send(dataEvent(record(1, 'b')) + controlEvent(2, { upToDate: false }));
    await settle();
    expect(connection.state).toMatchObject({ phase: 'open', upToDate: false });
  });
});
