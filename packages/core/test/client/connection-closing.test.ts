import { connectStream } from '@perennial/core/client';
import { describe, expect, it } from 'vitest';

import { connect } from './support/connection-harness.ts';
import { createManualClock, settle } from './support/manual-clock.ts';
import { COMPLETED, controlEvent, dataEvent, record } from './support/scripted-server.ts';

describe('closing', () => {
  it('lets go of the response, its timers and its listeners, once and for all', async () => {
    const { server, clock, connection, listening, values } = connect();
    const body = (await server.next()).sse();
    body.send(controlEvent(0));
    await settle();
    connection.close();
    connection.close();
    body.send(dataEvent(record(0, 'late')));
    await clock.advance(1_000_000);
    expect(connection.state).toMatchObject({ phase: 'closed', error: null });
    expect([body.cancelled, clock.pending, listening(), server.count, values()]).toEqual([true, 0, 0, 1, []]);
  });

  it.each(['connecting', 'waiting'])('stops while %s', async (phase) => {
    const { server, clock, connection } = connect();
    const request = await server.next();
    if (phase === 'waiting') request.fail();
    await settle();
    expect(connection.state.phase).toBe(phase);
    connection.close();
    await clock.advance(1_000_000);
    expect([server.count, clock.pending, connection.state.phase]).toEqual([1, 0, 'closed']);
    expect(request.signal.aborted).toBe(phase === 'connecting');
  });

  it('follows its signal, also one that was aborted before', async () => {
    const controller = new AbortController();
    const { server, connection } = connect({ signal: controller.signal });
    (await server.next()).sse().send(controlEvent(0));
    await settle();
    controller.abort();
    expect(connection.state.phase).toBe('closed');
    const late = connect({ signal: controller.signal });
    await settle();
    expect([late.connection.state.phase, late.server.count]).toEqual(['closed', 0]);
  });

  it('resumes after close() when told to reconnect, and never after the end', async () => {
    const { server, connection, values } = connect();
    (await server.next()).sse().send(dataEvent(record(0, 'a')));
    await settle();
    connection.close();
    connection.reconnect();
    (await server.next()).sse().send(dataEvent(record(1, 'b')) + controlEvent(2, { end: COMPLETED }));
    await settle();
    connection.reconnect();
    connection.close();
    await settle();
    expect([values(), connection.state.phase, server.count]).toEqual([['a', 'b'], 'ended', 2]);
  });

  it('is not confused by an attempt that ends after it was made anew', async () => {
    const { server, connection, wake } = connect();
    await server.next();
    connection.close();
    connection.reconnect();
    const second = await server.next();
    await settle();
    wake('online');
    expect(second.signal.aborted).toBe(true);
    (await server.next()).sse().send(dataEvent(record(0, 'a')));
    await settle();
    expect(connection.state).toMatchObject({ phase: 'open', position: 1 });
  });

  it('fails, keeping the position, when the consumer throws, and offers the records again', async () => {
    const refusal = new Error('disk full');
    let refuse = true;
    const { server, connection } = connect({
      onRecords: () => {
        if (refuse) throw refusal;
      },
    });
    (await server.next()).sse().send(dataEvent(record(0, 'a')));
    await settle();
    expect(connection.state).toMatchObject({ phase: 'failed', position: 0, error: { cause: refusal } });
    refuse = false;
    connection.reconnect();
    expect((await server.next()).url.searchParams.get('offset')).toBe('-1');
  });

  it('gets by with a fetch that ignores its signal', async () => {
    const clock = createManualClock();
    let calls = 0;
    let answer: (response: Response) => void = () => undefined;
    const connection = connectStream({
      url: '/s',
      clock,
      random: () => 0.5,
      fetch: () => {
        calls++;
        return new Promise((resolve) => (answer = resolve));
      },
      onRecords: () => undefined,
    });
    await clock.advance(15_250);
    expect(calls).toBe(2);
    connection.close();
    let cancelled = false;
    answer(new Response(new ReadableStream({ cancel: () => void (cancelled = true) })));
    await settle();
    expect(cancelled).toBe(true);
  });
});
