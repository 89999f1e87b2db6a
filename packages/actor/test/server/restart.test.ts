/** A run whose worker dies while a client follows it, over SSE and over a socket. */
import { once } from 'node:events';

import { getStreamWriter } from '@perennial/core';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { ActorWorker, createActorRegistry, createMemoryQueue, defineActor } from '../../src/index.ts';
import { type EndpointRig, eventsOf, startEndpoints, type WireEvent } from '../support/endpoint-rig.ts';

let rig: EndpointRig | null = null;
afterEach(async () => {
  await rig?.close();
  rig = null;
});

/** Endpoints whose runs are done by hand: `work` is one attempt at the run that was started last, and the first one hangs. */
async function startByHand(): Promise<{ readonly work: () => Promise<void>; readonly url: string; socketUrl: string }> {
  const queue = createMemoryQueue();
  rig = await startEndpoints({}, { queue });
  const { store, url, socketUrl } = rig;
  const fickle = defineActor(async function* (_input: unknown, { attempt }) {
    yield { type: 'data', data: 'same' };
    yield { type: 'data', data: `attempt ${attempt}` };
    if (attempt === 1) await new Promise(() => {});
  });
  const worker = new ActorWorker({ queue, store, registry: createActorRegistry({ actors: { fickle } }) });
  const work = async (): Promise<void> => {
    const [head] = (await store.list({ prefix: 'actors/fickle/' })).streams;
    const message = { action: 'stream', streamId: head?.id, actorType: 'fickle' };
    await worker.processStreamRequest(message);
  };
  return { work, url, socketUrl };
}

describe('a client that has something of the attempt that died', () => {
  it('is told over SSE, also when it comes back', async () => {
    const { work, url } = await startByHand();
    const events = eventsOf(await fetch(`${url}/actor/fickle/stream`));
    void work();
    const first: WireEvent[] = [];
    for await (const event of events) if (first.push(event) === 2) break;
    expect(first.map(({ data }) => data)).toMatchObject([{ data: 'same' }, { data: 'attempt 1' }]);
    await work();
    const expected = [
      { type: 'restart', attempt: 2 },
      { type: 'data', data: 'same' },
      { type: 'data', data: 'attempt 2' },
      { type: 'complete' },
    ];
    const resume = async (id: string | undefined): Promise<WireEvent[]> => {
      const again = await fetch(`${url}/actor/fickle/stream`, { headers: { 'last-event-id': id ?? '' } });
      const seen: WireEvent[] = [];
      for await (const event of eventsOf(again)) seen.push(event);
      return seen;
    };
    const all = await resume(first.at(-1)?.id);
    expect(all.map(({ data }) => data)).toEqual(expected);
    // Wherever it breaks off: right behind the restart it is told again, later it goes on.
    for (const [index, from] of [0, 2, 3].entries()) {
      const rest = await resume(all[index]?.id);
      expect(rest.map(({ data }) => data)).toEqual(expected.slice(from));
    }
  });

  it('is told over a socket', async () => {
    const { work, socketUrl } = await startByHand();
    const socket = new WebSocket(`${socketUrl}/actor/fickle/stream`);
    await once(socket, 'open');
    const seen: Record<string, unknown>[] = [];
    let two = (): void => {};
    const told = new Promise<void>((resolve) => (two = resolve));
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Record<string, unknown>;
      if (message['type'] === 'started') void work();
      else if (seen.push(message) === 2) two();
    });
    socket.send(JSON.stringify({ action: 'start' }));
    await told;
    await work();
    await once(socket, 'close');
    expect(seen.slice(2)).toMatchObject([
      { type: 'restart', attempt: 2 },
      { type: 'data', data: 'same' },
      { type: 'data', data: 'attempt 2' },
      { type: 'complete' },
    ]);
  });
});

it('follows a stream whose values are retracted from the beginning', async () => {
  rig = await startEndpoints({});
  const { store, url } = rig;
  await store.create('report', {
    records: [{ data: '"intro"' }, { data: '"draft 1"', step: 'draft', attempt: 1 }],
  });
  const events = eventsOf(await fetch(`${url}/stream/report`));
  const seen: unknown[] = [(await events.next()).value?.data, (await events.next()).value?.data];
  const records = [
    { kind: 'supersede', step: 'draft', belowAttempt: 2 },
    { data: '"draft 2"', step: 'draft', attempt: 2 },
  ] as const;
  await store.append('report', { segments: [{ records }] });
  await getStreamWriter({ store, streamId: 'report' }).close();
  for await (const { data } of events) seen.push(data);
  expect(seen).toEqual([
    { type: 'data', data: 'intro' },
    { type: 'data', data: 'draft 1' },
    { type: 'restart' },
    { type: 'data', data: 'intro' },
    { type: 'data', data: 'draft 2' },
    { type: 'complete' },
  ]);
});
