/** Every limit answers with a clear 4xx, and nothing is stored beyond it. */
import { InvalidArgumentError, StreamError } from '@perennial/core';
import { createStreamHandler } from '@perennial/core/http';
import { describe, expect, it, vi } from 'vitest';

import { createHarness, type Harness, isUpToDate, seed } from './support/harness.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const BYTES = { 'Content-Type': 'application/octet-stream' };

async function limitOf(response: Response): Promise<[number, string, string]> {
  const { error } = (await response.json()) as { error: { code: string; limit: string } };
  return [response.status, error.code, error.limit];
}

describe('sizes', () => {
  const { send, store } = createHarness({ maxBodyBytes: 100, maxRecordBytes: 40, maxBatchRecords: 5, maxJsonDepth: 3 });

  it.each<[string, RequestInit, [number, string, string]]>([
    [
      'an announced body',
      { headers: JSON_TYPE, body: `"${'x'.repeat(100)}"` },
      [413, 'LIMIT_EXCEEDED', 'maxBodyBytes'],
    ],
    ['a streamed body', { headers: JSON_TYPE, body: pieces(30) }, [413, 'LIMIT_EXCEEDED', 'maxBodyBytes']],
    [
      'a record of text',
      { headers: JSON_TYPE, body: `"${'x'.repeat(50)}"` },
      [413, 'LIMIT_EXCEEDED', 'maxRecordBytes'],
    ],
    [
      'a record of characters that take three bytes',
      { headers: JSON_TYPE, body: `"${'€'.repeat(15)}"` },
      [413, 'LIMIT_EXCEEDED', 'maxRecordBytes'],
    ],
    ['a batch', { headers: JSON_TYPE, body: '[1,2,3,4,5,6]' }, [413, 'LIMIT_EXCEEDED', 'maxBatchRecords']],
    ['depth', { headers: JSON_TYPE, body: '[{"a":{"b":[[]]}}]' }, [400, 'LIMIT_EXCEEDED', 'maxJsonDepth']],
  ])('%s', async (_what, { headers, body }, expected) => {
    await send('PUT', 's', { headers: JSON_TYPE });
    expect(await limitOf(await send('POST', 's', { headers: headers as Record<string, string>, body: body! }))).toEqual(
      expected,
    );
    expect((await store.head('s'))?.nextPosition).toBe(0);
    expect(
      await limitOf(
        await send('PUT', 'new', {
          headers: headers as Record<string, string>,
          body: typeof body === 'string' ? body : pieces(30),
        }),
      ),
    ).toEqual(expected);
    expect(await store.head('new')).toBe(null);
  });

  it('a record of bytes', async () => {
    await send('PUT', 'b', { headers: BYTES });
    expect(await limitOf(await send('POST', 'b', { headers: BYTES, body: new Uint8Array(41) }))).toEqual([
      413,
      'LIMIT_EXCEEDED',
      'maxRecordBytes',
    ]);
    expect((await send('POST', 'b', { headers: BYTES, body: new Uint8Array(40) })).status).toBe(204);
  });

  it('exactly at the limit is allowed', async () => {
    await send('PUT', 'ok', { headers: JSON_TYPE });
    expect((await send('POST', 'ok', { headers: JSON_TYPE, body: `"${'x'.repeat(38)}"` })).status).toBe(204);
    expect((await send('POST', 'ok', { headers: JSON_TYPE, body: '[1,2,3,4,5]' })).status).toBe(204);
    expect((await send('POST', 'ok', { headers: JSON_TYPE, body: '[{"a":{"b":[]}}]' })).status).toBe(204);
  });

  it('the store port has the same', async () => {
    await send('PUT', 'port', { headers: JSON_TYPE });
    const append = async (records: unknown): Promise<[number, string, string]> =>
      limitOf(
        await send('POST', 'port', { query: 'perennial-append', body: JSON.stringify({ segments: [{ records }] }) }),
      );
    expect(await append(Array.from({ length: 6 }, () => ({ j: '1' })))).toEqual([
      413,
      'LIMIT_EXCEEDED',
      'maxBatchRecords',
    ]);
    expect(await append([{ j: `"${'x'.repeat(50)}"` }])).toEqual([413, 'LIMIT_EXCEEDED', 'maxRecordBytes']);
    expect(await append([{ j: '[[[[]]]]' }])).toEqual([400, 'LIMIT_EXCEEDED', 'maxJsonDepth']);
  });
});

describe('live readers', () => {
  it('per stream: 429, and free again once one leaves', async () => {
    const { store, sse, send } = createHarness({ maxLiveReadersPerStream: 2 });
    await seed(store, 's');
    await seed(store, 'other');
    const first = await sse('s');
    const second = await sse('s');
    const third = await sse('s');
    expect(third.response.status).toBe(429);
    expect(third.response.headers.get('Retry-After')).toBe('1');
    expect((await send('GET', 's', { query: 'live=long-poll&offset=now' })).status).toBe(429);
    const elsewhere = await sse('other');
    expect(elsewhere.response.status).toBe(200);
    await first.next();
    await first.close();
    const again = await sse('s');
    expect(again.response.status).toBe(200);
    await Promise.all(
      [second, elsewhere, again].map(async (connection) => (await connection.next(), connection.close())),
    );
  });

  it('in all', async () => {
    const { store, sse } = createHarness({ maxLiveReaders: 1 });
    await seed(store, 'a');
    await seed(store, 'b');
    const first = await sse('a');
    expect(await limitOf((await sse('b')).response)).toEqual([429, 'LIMIT_EXCEEDED', 'maxLiveReaders']);
    await first.next();
    await first.close();
  });

  it('refused requests take no place', async () => {
    const { store, sse } = createHarness({ maxLiveReaders: 1 });
    for (let i = 0; i < 3; i++) expect((await sse('absent')).response.status).toBe(404);
    await seed(store, 's');
    const connection = await sse('s');
    await connection.until(isUpToDate);
    await connection.close();
  });
});

describe('streams', () => {
  const create = (harness: Harness, id: string): Promise<Response> => harness.send('PUT', id, { headers: JSON_TYPE });

  it('beyond the limit are not created: 429, and room again after a deletion', async () => {
    const harness = createHarness({ maxStreams: 3 });
    await seed(harness.store, 'before');
    expect((await create(harness, 'a')).status).toBe(201);
    expect((await create(harness, 'b')).status).toBe(201);
    const refused = await create(harness, 'c');
    expect(refused.headers.get('Retry-After')).toBe('60');
    expect(await limitOf(refused)).toEqual([429, 'LIMIT_EXCEEDED', 'maxStreams']);
    expect(await harness.store.head('c')).toBe(null);
    const port = await harness.send('PUT', 'c', { query: 'perennial-create', body: '{}' });
    expect(await limitOf(port)).toEqual([429, 'LIMIT_EXCEEDED', 'maxStreams']);
    expect((await harness.send('DELETE', 'a')).status).toBe(204);
    expect((await create(harness, 'c')).status).toBe(201);
    expect((await create(harness, 'd')).status).toBe(429);
  });

  it('that are there may be confirmed and written to at the limit', async () => {
    const harness = createHarness({ maxStreams: 1 });
    expect((await create(harness, 'a')).status).toBe(201);
    expect((await create(harness, 'a')).status).toBe(200);
    expect((await harness.send('POST', 'a', { headers: JSON_TYPE, body: '1' })).status).toBe(204);
    expect((await harness.send('PUT', 'a', { headers: { 'Content-Type': 'text/plain' } })).status).toBe(409);
  });

  it('never pass the limit, however many are created at once', async () => {
    const harness = createHarness({ maxStreams: 10 });
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => create(harness, `s/${n}`)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(40);
    expect((await harness.store.list()).streams).toHaveLength(10);
  });

  it('that others delete, let expire or create are noticed', async () => {
    let now = 0;
    const harness = createHarness({ maxStreams: 2, now: () => now });
    expect((await create(harness, 'a')).status).toBe(201);
    expect((await create(harness, 'b')).status).toBe(201);
    await harness.store.delete('b');
    expect((await create(harness, 'c')).status).toBe(429);
    now += 1_000;
    expect((await create(harness, 'c')).status).toBe(201);
    await harness.store.delete('c');
    now += 60_000;
    expect((await create(harness, 'd')).status).toBe(201);
    await harness.store.delete('d');
    await harness.store.delete('a');
    await Promise.all(['x', 'y'].map((id) => harness.store.create(id)));
    now += 60_000;
    expect((await create(harness, 'e')).status).toBe(429);
  });

  it('are counted for those who may create them, and not for others', async () => {
    const harness = createHarness({ maxStreams: 1, authorize: () => false });
    await seed(harness.store, 'a');
    expect((await create(harness, 'b')).status).toBe(403);
  });

  it('are not listed without a limit', async () => {
    const harness = createHarness();
    const list = vi.spyOn(harness.store, 'list');
    expect((await create(harness, 'a')).status).toBe(201);
    expect(list).not.toHaveBeenCalled();
  });
});

describe('pages', () => {
  it('end at pageRecords, and lead on', async () => {
    const { store, send } = createHarness({ pageRecords: 2 });
    await seed(store, 's', [1, 2, 3, 4, 5]);
    const seen: unknown[][] = [];
    for (let offset: string | null = '-1', done = false; !done && offset !== null;) {
      const page: Response = await send('GET', 's', { query: `offset=${offset}` });
      seen.push((await page.json()) as unknown[]);
      done = page.headers.get('Stream-Up-To-Date') === 'true';
      offset = page.headers.get('Stream-Next-Offset');
    }
    expect(seen).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('end at about pageBytes, and are streamed', async () => {
    const { store, send } = createHarness({ pageBytes: 600_000 });
    const value = 'x'.repeat(1_000);
    await seed(
      store,
      's',
      Array.from({ length: 2_000 }, () => value),
    );
    const page = await send('GET', 's');
    expect(page.body).not.toBe(null);
    const values = (await page.json()) as unknown[];
    expect(values.length).toBeGreaterThan(300);
    expect(values.length).toBeLessThan(700);
    expect(page.headers.get('Perennial-Position')).toBe(String(values.length));
    expect(page.headers.get('Stream-Up-To-Date')).toBe(null);
  });

  it('that cannot be finished fail, and never end early', async () => {
    const errors: unknown[] = [];
    const { store, send } = createHarness({ onError: (error) => errors.push(error) });
    await seed(
      store,
      's',
      Array.from({ length: 1_000 }, () => 'x'.repeat(1_000)),
    );
    const page = await send('GET', 's');
    await store.delete('s');
    await expect(page.text()).rejects.toThrow('does not exist');
    // Which is nothing that the server has to be told.
    expect(errors).toEqual([]);
  });

  it('that the store cannot finish are told to the server, once', async () => {
    const failure = new StreamError('STORE_ERROR', 'The disk is gone.');
    const errors: unknown[] = [];
    const { store, send } = createHarness({ onError: (...told) => errors.push(told) });
    await seed(
      store,
      's',
      Array.from({ length: 1_000 }, () => 'x'.repeat(1_000)),
    );
    const page = await send('GET', 's');
    expect(page.status).toBe(200);
    vi.spyOn(store, 'read').mockRejectedValue(failure);
    await expect(page.text()).rejects.toThrow('The disk is gone.');
    expect(errors).toEqual([[failure, { method: 'GET', url: 'http://streams.test/s' }]]);
  });
});

describe('options', () => {
  it.each([0, -1, 1.5, NaN, Infinity, '5', null])('refuse the limit %j', (value) => {
    const options = { store: createHarness().store, maxBodyBytes: value as number };
    expect(() => createStreamHandler(options)).toThrow(InvalidArgumentError);
    expect(() => createStreamHandler(options)).toThrow('maxBodyBytes');
  });
});

function pieces(count: number): ReadableStream<Uint8Array> {
  let left = count;
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(new TextEncoder().encode('[1,2,3,4,'));
      else controller.close();
    },
  });
}
