import {
  createMemoryStreamStore,
  getStreamReader,
  getStreamWriter,
  isStreamCancelled,
  isStreamEnded,
  isStreamFailed,
  isStreamSuperseded,
  isStreamTimeout,
  map,
  type NewRecord,
  PublicError,
  type ReadViewOptions,
  type StreamReader,
  type StreamStore,
  take,
} from '@perennial/core';
import { type FetchLike, getHttpStreamReader } from '@perennial/core/client';
import { describe, expect, it } from 'vitest';

import { handlerFetch } from './support/handler-fetch.ts';
import { createScriptedServer, dataEvent, record } from './support/scripted-server.ts';

type Open = (store: StreamStore, options?: ReadViewOptions) => StreamReader<unknown>;

const overHttp =
  (transport: 'sse' | 'long-poll', spoil: (fetch: FetchLike) => FetchLike = (fetch) => fetch): Open =>
  (store, options) =>
    getHttpStreamReader({
      url: '/s',
      fetch: spoil(handlerFetch(store, { longPollMs: 100 })),
      transport,
      reconnect: { baseMs: 1, maxMs: 5 },
      ...options,
    });

/** A network that cuts every response after so many bytes. */
function cutting(bytes: number): (fetch: FetchLike) => FetchLike {
  return (fetch) => async (url, init) => {
    const response = await fetch(url, init);
    let left = bytes;
    const cut = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        controller.enqueue(chunk.subarray(0, left));
        left -= chunk.length;
        if (left <= 0) controller.error(new TypeError('network error'));
      },
    });
    return new Response(response.body?.pipeThrough(cut) ?? null, response);
  };
}

const readers: [string, Open][] = [
  ['a store', (store, options) => getStreamReader({ store, streamId: 's', ...options })],
  ['server-sent events', overHttp('sse')],
  ['long-polling', overHttp('long-poll')],
  ['a network that keeps cutting', overHttp('sse', cutting(2_500))],
];

const append = (store: StreamStore, ...records: NewRecord[]): Promise<unknown> =>
  store.append('s', { segments: [{ records }] });
const data = (value: unknown, step?: string, attempt?: number): NewRecord => ({
  data: JSON.stringify(value),
  ...(step !== undefined && { step }),
  ...(attempt !== undefined && { attempt }),
});

async function open(...records: NewRecord[]): Promise<StreamStore> {
  const store = createMemoryStreamStore();
  await store.create('s');
  if (records.length > 0) await append(store, ...records);
  return store;
}

describe.each(readers)('a reader over %s', (_, reader) => {
  it('reads to the end, which it reports with its position', async () => {
    const store = await open(...Array.from({ length: 60 }, (_, i) => data(i)));
    await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
    const opened = reader(store);
    for (let i = 0; i < 60; i++) expect(await opened.read()).toEqual({ ok: true, value: i });
    const end = await opened.read();
    expect(!end.ok && isStreamEnded(end.error) && end.error.finalPosition).toBe(60);
    expect([opened.readable, opened.position]).toEqual([false, 60]);
  });

  it('waits for what is written later', async () => {
    const store = await open();
    const opened = reader(store);
    const pending = opened.read();
    await append(store, data('late'));
    expect(await pending).toEqual({ ok: true, value: 'late' });
    await opened.close();
  });

  it('starts where it is told and reads in batches', async () => {
    const store = await open(...Array.from({ length: 20 }, (_, i) => data(i)));
    const opened = reader(store, { startIndex: 15 });
    const values: unknown[] = [];
    while (values.length < 5) {
      const batch = await opened.readBatch({ limit: 3 });
      expect(batch.ok).toBe(true);
      values.push(...(batch.ok ? batch.value : []));
    }
    expect(values).toEqual([15, 16, 17, 18, 19]);
    expect(opened.position).toBe(20);
    await opened.close();
  });

  it('reports a timeout as something other than an end, and reads on', async () => {
    const store = await open();
    const opened = reader(store, { pollTimeout: 30 });
    const nothing = await opened.read();
    expect(!nothing.ok && isStreamTimeout(nothing.error)).toBe(true);
    await append(store, data('now'));
    expect(await opened.read()).toEqual({ ok: true, value: 'now' });
    await opened.close();
  });

  it('reports retractions of what it handed out, hides retracted data, and shows all of it in the raw view', async () => {
    const store = await open(data('draft', 's', 1));
    const opened = reader(store);
    expect(await opened.read()).toEqual({ ok: true, value: 'draft' });
    await append(store, data('more', 's', 1), { kind: 'supersede', step: 's', belowAttempt: 2 }, data('final', 's', 2));
    let next = await opened.read();
    if (next.ok && next.value === 'more') next = await opened.read();
    expect(!next.ok && isStreamSuperseded(next.error) && next.error.belowAttempt).toBe(2);
    expect(await opened.read()).toEqual({ ok: true, value: 'final' });
    await opened.close();
    const raw = reader(store, { view: 'raw' });
    const values = [await raw.read(), await raw.read(), await raw.read()].map((result) => result.ok && result.value);
    expect(values).toEqual(['draft', 'more', 'final']);
    await raw.close();
  });

  it('throws the typed error of a failed or cancelled end from iteration', async () => {
    const store = await open(data('a'));
    await store.append('s', {
      segments: [
        { records: [], end: { outcome: 'failed', error: { code: 'QUOTA', message: 'used up', public: true } } },
      ],
    });
    const values: unknown[] = [];
    const failed = (async () => {
      for await (const value of reader(store)) values.push(value);
    })();
    await expect(failed).rejects.toSatisfy((error) => isStreamFailed(error) && error.failureCode === 'QUOTA');
    expect(values).toEqual(['a']);
    const cancelled = await open();
    await cancelled.append('s', { segments: [{ records: [], end: { outcome: 'cancelled', reason: 'enough' } }] });
    const end = await reader(cancelled).read();
    expect(!end.ok && isStreamCancelled(end.error) && end.error.reason).toBe('enough');
  });

  it('stops when closed or aborted, also while it waits', async () => {
    const store = await open();
    const opened = reader(store);
    const pending = opened.read();
    await opened.close();
    expect(await pending).toMatchObject({ ok: false, error: { code: 'READER_CLOSED' } });
    const controller = new AbortController();
    const aborted = reader(store, { signal: controller.signal });
    const waiting = aborted.read();
    controller.abort();
    expect(await waiting).toMatchObject({ ok: false, error: { code: 'ABORTED' } });
    expect(aborted.readable).toBe(false);
  });

  it('reports a stream that does not exist, and reads it once it does', async () => {
    const store = createMemoryStreamStore();
    const opened = reader(store);
    expect(await opened.read()).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });
    await store.create('s');
    await append(store, data('here'));
    expect(await opened.read()).toEqual({ ok: true, value: 'here' });
    await opened.close();
  });

  it('feeds the transformers', async () => {
    const store = await open(...Array.from({ length: 10 }, (_, i) => data(i)));
    const doubled: unknown[] = [];
    const source = reader(store) as StreamReader<number>;
    for await (const value of take(
      map(source, (n) => n * 2),
      4,
    ))
      doubled.push(value);
    expect(doubled).toEqual([0, 2, 4, 6]);
  });

  it('passes on every character', async () => {
    const store = await open();
    const writer = getStreamWriter({ store, streamId: 's', create: false });
    const values = ['\u2028\u2029\r\n\t\\"', '👩‍👩‍👧', '\ud800', { '': [null, true, 1e21, -0.5] }, ''];
    for (const value of values) await writer.write(value);
    await writer.close();
    const seen: unknown[] = [];
    for await (const value of reader(store)) seen.push(value);
    expect(seen).toEqual(values);
  });
});

describe('getHttpStreamReader', () => {
  it('connects with the first read, and only then', async () => {
    const server = createScriptedServer();
    const reader = getHttpStreamReader({ url: '/s', fetch: server.fetch });
    expect(server.count).toBe(0);
    const pending = reader.read();
    (await server.next()).sse().send(dataEvent(record(0, 'a')));
    expect(await pending).toEqual({ ok: true, value: 'a' });
    await reader.close();
  });

  it('holds the connection back while the reader is behind', async () => {
    const store = await open(...Array.from({ length: 5_000 }, (_, i) => data(i)));
    let pulled = 0;
    const fetch = handlerFetch(store);
    const reader = getHttpStreamReader<number>({
      url: '/s',
      highWaterMark: 100,
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        const counting = new TransformStream<Uint8Array, Uint8Array>(
          {
            transform(chunk, controller) {
              for (let i = 0; i < chunk.length; i += 1_024) {
                pulled += 1_024;
                controller.enqueue(chunk.subarray(i, i + 1_024));
              }
            },
          },
          undefined,
          { highWaterMark: 0 },
        );
        return new Response(response.body?.pipeThrough(counting), response);
      },
    });
    await reader.read();
    const before = pulled;
    expect(before).toBeLessThan(300_000);
    for (let i = 1; i < 5_000; i++) expect(await reader.read()).toEqual({ ok: true, value: i });
    await reader.close();
  });

  it('reports a refusal at each read', async () => {
    const store = await open();
    const reader = getHttpStreamReader({
      url: '/s',
      fetch: handlerFetch(store, { authorize: () => new Response(null, { status: 403 }) }),
    });
    expect(await reader.read()).toMatchObject({ ok: false, error: { code: 'FORBIDDEN' } });
    expect(await reader.read()).toMatchObject({ ok: false, error: { code: 'FORBIDDEN' } });
  });

  it('hears of a failed producer only what is public', async () => {
    const store = await open();
    const writer = getStreamWriter({ store, streamId: 's', create: false });
    await writer.abort(new Error('password=hunter2'));
    const end = await getHttpStreamReader({ url: '/s', fetch: handlerFetch(store) }).read();
    expect(JSON.stringify(end)).not.toContain('hunter2');
    expect(end).toMatchObject({ ok: false, error: { failureCode: 'INTERNAL' } });
    const other = await open();
    await getStreamWriter({ store: other, streamId: 's', create: false }).abort(new PublicError('QUOTA', 'used up'));
    expect(await getHttpStreamReader({ url: '/s', fetch: handlerFetch(other) }).read()).toMatchObject({
      ok: false,
      error: { failureCode: 'QUOTA' },
    });
  });

  it.each([
    ['url', { url: '' }],
    ['startIndex', { startIndex: -1 }],
    ['pollTimeout', { pollTimeout: Number.NaN }],
  ])('names a bad %s', async (argument, options) => {
    const server = createScriptedServer();
    const attempt = async (): Promise<unknown> => {
      const result = await getHttpStreamReader({ url: '/s', fetch: server.fetch, ...options }).read();
      throw result.ok ? new Error('no error') : result.error;
    };
    await expect(attempt()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', argument });
  });
});
