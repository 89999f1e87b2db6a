import { createMemoryStreamStore, type StreamStore } from '@perennial/core';
import { type ConnectionHandlers, type ConnectionOptions, connectStore, connectStream } from '@perennial/core/client';
import { describe, expect, it } from 'vitest';

import { handlerFetch } from './support/handler-fetch.ts';

const LARGE = '12345678901234567890';

/** Keeps integers that a double cannot hold as bigints: the third argument of a reviver has the text of the number. */
const parseJson = (text: string): unknown =>
  JSON.parse(text, ((_key: string, value: unknown, { source }: { readonly source: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) ? BigInt(source) : value) as (
    key: string,
    value: unknown,
  ) => unknown);

async function store(): Promise<StreamStore> {
  const made = createMemoryStreamStore();
  await made.create('s', { records: [{ data: `{"n":${LARGE}}` }, { data: '1' }], end: { outcome: 'completed' } });
  return made;
}

function read(connect: (options: ConnectionOptions & ConnectionHandlers) => unknown): Promise<unknown[]> {
  const values: unknown[] = [];
  return new Promise((resolve, reject) => {
    connect({
      parseJson,
      onRecords: (records) => {
        for (const record of records) if (record.kind === 'data') values.push(record.value);
      },
      onState: ({ phase, error }) => {
        if (phase === 'ended') resolve(values);
        if (phase === 'failed') reject(error ?? new Error('failed'));
      },
    });
  });
}

describe('parseJson', () => {
  it.each(['sse', 'long-poll'] as const)('parses what comes over %s', async (transport) => {
    const fetch = handlerFetch(await store());
    const values = await read((options) => connectStream({ url: 'http://test/s', fetch, transport, ...options }));
    expect(values).toEqual([{ n: BigInt(LARGE) }, 1]);
  });

  it('parses what comes from a store', async () => {
    const local = await store();
    expect(await read((options) => connectStore({ store: local, streamId: 's', ...options }))).toEqual([
      { n: BigInt(LARGE) },
      1,
    ]);
  });
});
