import { createStreamSession, isStreamItemError, isStreamSnapshot, type StreamSnapshot } from '@perennial/core/client';
import { describe, expect, it, onTestFinished } from 'vitest';

import { createManualClock, settle } from './support/manual-clock.ts';
import { Misfit, schemaOf } from './support/schema.ts';
import {
  COMPLETED,
  controlEvent,
  createScriptedServer,
  dataEvent,
  record,
  supersede,
} from './support/scripted-server.ts';
import { openSession } from './support/session-harness.ts';

describe('schema', () => {
  const parse = (value: unknown): { text: string; n: number } => {
    const { text, n } = value as { text: unknown; n: unknown };
    if (typeof text !== 'string') throw new Misfit('not a text', 'text');
    return { text, n: Number(n) };
  };

  it('transforms values', async () => {
    const server = createScriptedServer();
    const session = createStreamSession(
      { url: '/s', fetch: server.fetch },
      { schema: schemaOf(parse), batch: 'none', clock: createManualClock() },
    );
    onTestFinished(() => session.close());
    session.connect();
    (await server.next()).sse().send(dataEvent(record(0, { text: 'a', n: '1' })));
    await settle();
    const { data } = session.getState();
    expect(data.map(({ text, n }) => text + n.toFixed(1))).toEqual(['a1.0']);
  });

  it.each(['synchronous', 'asynchronous'])('stops at a value that does not fit, and names it (%s)', async (kind) => {
    const { server, session } = openSession({ schema: schemaOf(parse, { late: kind === 'asynchronous' }) });
    session.connect();
    const body = (await server.next()).sse();
    body.send(dataEvent(record(0, { text: 'a', n: 1 }), record(1, { text: 2, n: 1 }), record(2, { text: 'c', n: 1 })));
    await settle();
    const { error, status, position, data } = session.getState();
    expect([status, position, data.length, body.cancelled]).toEqual(['error', 1, 1, true]);
    expect(isStreamItemError(error) && [error.position, error.issues[0]?.path]).toEqual([1, 'text']);
    expect(error?.message).toContain('position 1 does not fit the schema at text');
    session.update({ url: '/s', fetch: server.fetch }, { batch: 'none' });
    session.reconnect();
    (await server.next()).sse().send(dataEvent(record(0, 'x'), record(1, 'b'), record(2, 'c')));
    await settle();
    expect(session.getState().data).toEqual([{ text: 'a', n: 1 }, 'b', 'c']);
  });

  it('takes nothing twice when a page is read again after a value that did not fit', async () => {
    let strict = true;
    const schema = schemaOf((value) => {
      if (strict && value === 'bad') throw new Misfit('bad');
      return value;
    });
    const { server, clock, session } = openSession({ schema });
    const page = dataEvent(
      record(0, 'a', 's', 1),
      supersede(1, 's', 2),
      record(2, 'b', 's', 2),
      record(3, 'bad', 's', 2),
    );
    session.connect();
    (await server.next()).sse().send(page);
    await settle();
    strict = false;
    session.reconnect();
    (await server.next()).sse().send(page);
    await clock.advance(0);
    expect(session.getState()).toMatchObject({ data: ['b', 'bad'], position: 4, count: 2 });
  });

  it('stops, with its position, at a value that the reducer throws at', async () => {
    const server = createScriptedServer();
    const session = createStreamSession<{ n: number }, number>(
      { url: '/s', fetch: server.fetch },
      { reduce: (sum, { n }) => sum + n, initial: 0, batch: 'none', clock: createManualClock() },
    );
    onTestFinished(() => session.close());
    session.connect();
    (await server.next()).sse().send(dataEvent(record(0, { n: 1 }), record(1, null)));
    await settle();
    expect(session.getState()).toMatchObject({ status: 'error', data: 1, position: 1, error: { position: 1 } });
  });
});

describe('snapshots', () => {
  it('let a later session go on without reading anything twice', async () => {
    const first = openSession();
    first.session.connect();
    (await first.server.next()).sse({ 'perennial-incarnation': 'i' }).send(dataEvent(record(0, 'a'), record(1, 'b')));
    await settle();
    const snapshot: unknown = JSON.parse(JSON.stringify(first.session.snapshot()));
    expect(isStreamSnapshot(snapshot)).toBe(true);
    expect(snapshot).toEqual({ data: ['a', 'b'], position: 2, count: 2, end: null, start: 0, incarnation: 'i' });
    const told: unknown[] = [];
    const later = openSession({
      snapshot: snapshot as StreamSnapshot<readonly unknown[]>,
      onItems: (items) => told.push(...items),
    });
    expect(later.session.getState()).toMatchObject({ data: ['a', 'b'], position: 2, status: 'idle' });
    later.session.connect();
    const request = await later.server.next();
    expect(request.url.searchParams.get('offset')).toBe('0000000000000002_0000000000000000');
    request.sse({ 'perennial-incarnation': 'i' }).send(dataEvent(record(2, 'c')) + controlEvent(3, { end: COMPLETED }));
    await settle();
    expect(later.session.getState()).toMatchObject({ data: ['a', 'b', 'c'], count: 3, status: 'closed' });
    expect(told).toEqual(['c']);
  });

  it('of a stream that has ended need no connection', async () => {
    const { server, session } = openSession({
      snapshot: { data: ['a'], position: 1, count: 1, end: COMPLETED, start: 0, incarnation: null },
    });
    expect(session.getState()).toMatchObject({ status: 'closed', end: COMPLETED });
    session.connect();
    session.reconnect();
    await settle();
    expect([server.count, session.getState().status]).toEqual([0, 'closed']);
  });

  it.each([
    null,
    'x',
    {},
    { data: 1, position: -1, count: 0, start: 0, end: null },
    { position: 0, count: 0, start: 0, end: null },
  ])('are recognised: %o is none', (value) => expect(isStreamSnapshot(value)).toBe(false));
});

it('a session that starts at the tail has no snapshot before it knows where that is', async () => {
  const { server, session } = openSession({ from: 'now' });
  expect(session.snapshot()).toBeNull();
  session.connect();
  (await server.next()).sse().send(controlEvent(7));
  await settle();
  expect(session.snapshot()).toMatchObject({ position: 7, start: 7, data: [] });
});

describe('retraction', () => {
  it('takes values back without a flicker', async () => {
    const { server, session, statuses } = openSession();
    session.connect();
    const body = (await server.next()).sse();
    body.send(dataEvent(record(0, 'keep'), record(1, 'x', 's', 1), record(2, 'y', 's', 1)) + controlEvent(3));
    await settle();
    body.send(dataEvent(supersede(3, 's', 2), record(4, 'z', 's', 2)) + controlEvent(5));
    await settle();
    expect(session.getState()).toMatchObject({ data: ['keep', 'z'], count: 2, position: 5 });
    expect(statuses).toEqual(['connecting', 'catching-up', 'live']);
  });

  it('reads the stream again when it reaches behind a snapshot, showing the old data until then', async () => {
    const told: unknown[] = [];
    const snapshot = {
      data: ['keep', 'x'],
      position: 2,
      count: 2,
      end: null,
      start: 0,
      incarnation: 'i',
      steps: { s: 1 },
    };
    const { server, session } = openSession({ snapshot, onItems: (items) => told.push(...items) });
    session.connect();
    (await server.next()).sse().send(dataEvent(record(2, 'y', 's', 1), supersede(3, 's', 2), record(4, 'z', 's', 2)));
    const again = await server.next();
    expect(again.url.searchParams.get('offset')).toBe('-1');
    const body = again.sse();
    body.send(dataEvent(record(0, 'keep'), record(1, 'x', 's', 1)) + controlEvent(2, { upToDate: false }));
    await settle();
    expect(session.getState()).toMatchObject({ data: ['keep', 'x', 'y'], status: 'catching-up' });
    body.send(dataEvent(record(2, 'y', 's', 1), supersede(3, 's', 2), record(4, 'z', 's', 2)) + controlEvent(5));
    await settle();
    expect(session.getState()).toMatchObject({ data: ['keep', 'z'], count: 2, status: 'live', position: 5 });
    expect(told).toEqual(['y', 'z']);
  });

  it('of a step that is not in a snapshot needs no second reading', async () => {
    const snapshot = {
      data: ['keep', 'x'],
      position: 2,
      count: 2,
      end: null,
      start: 0,
      incarnation: 'i',
      steps: { s: 2 },
    };
    const { server, session } = openSession({ snapshot });
    session.connect();
    (await server.next()).sse().send(dataEvent(supersede(2, 's', 2), supersede(3, 'other', 9)));
    await settle();
    expect([session.getState().data, server.count]).toEqual([['keep', 'x'], 1]);
  });

  it('starts over when another stream took the place of this one', async () => {
    const { server, clock, session } = openSession();
    session.connect();
    const body = (await server.next()).sse({ 'perennial-incarnation': 'first' });
    body.send(dataEvent(record(0, 'old'), record(1, 'old')));
    await settle();
    body.drop();
    await clock.advance(250);
    (await server.next()).sse({ 'perennial-incarnation': 'second' });
    const again = await server.next();
    expect(again.url.searchParams.get('offset')).toBe('-1');
    expect(session.getState().data).toEqual(['old', 'old']);
    again.sse({ 'perennial-incarnation': 'second' }).send(dataEvent(record(0, 'new')) + controlEvent(1));
    await settle();
    expect(session.getState()).toMatchObject({ data: ['new'], position: 1, status: 'live' });
    expect(session.snapshot()?.incarnation).toBe('second');
  });
});
