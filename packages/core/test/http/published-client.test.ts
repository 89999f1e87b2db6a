/** The client that is published for the open protocol, against the handler over a real socket. */
import { DurableStream, IdempotentProducer, stream } from '@durable-streams/client';
import { createMemoryStreamStore } from '@perennial/core';
import { createStreamHandler } from '@perennial/core/http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { serve, type Served } from './support/serve.ts';

let served: Served;

beforeEach(async () => {
  served = await serve(createStreamHandler({ store: createMemoryStreamStore(), allowAnonymous: true }));
});
afterEach(() => served.close());

const urlOf = (id: string): string => `${served.url}/${id}`;

async function produce(id: string, values: readonly unknown[]): Promise<DurableStream> {
  const target = await DurableStream.create({ url: urlOf(id), contentType: 'application/json', warnOnHttp: false });
  const failures: unknown[] = [];
  const producer = new IdempotentProducer(target, 'producer', { onError: (error) => failures.push(error) });
  for (const value of values) producer.append(JSON.stringify(value));
  await producer.flush();
  expect(failures).toEqual([]);
  return target;
}

describe.each(['long-poll', 'sse'] as const)('live by %s', (live) => {
  it('reads what is there, then what comes, up to the end', async () => {
    const values = Array.from({ length: 500 }, (_, n) => ({ n }));
    const target = await produce('s', values);
    const response = await stream<{ n: number }>({ url: urlOf('s'), offset: '-1', live, warnOnHttp: false });
    const read: number[] = [];
    const finished = new Promise<void>((resolve) => {
      response.subscribeJson(async ({ items, streamClosed }) => {
        read.push(...items.map(({ n }) => n));
        if (streamClosed) resolve();
      });
    });
    await target.append(JSON.stringify({ n: 500 }));
    await target.close();
    await finished;
    expect(read).toEqual(Array.from({ length: 501 }, (_, n) => n));
  });
});

it('resumes at an offset', async () => {
  await produce('s', ['a', 'b']);
  const first = await stream<string>({ url: urlOf('s'), offset: '-1', live: false, warnOnHttp: false });
  expect(await first.json()).toEqual(['a', 'b']);
  const target = await DurableStream.connect({ url: urlOf('s'), warnOnHttp: false });
  await target.append(JSON.stringify('c'));
  const second = await stream<string>({ url: urlOf('s'), offset: first.offset, live: false, warnOnHttp: false });
  expect(await second.json()).toEqual(['c']);
});
