/** What holds here and not for `resumable-stream`: streams outlive their producer, end as what they are, and can be stopped. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { createMemoryStreamStore } from '@perennial/core';
import { type RedisServer, startRedis } from '@perennial/redis-server';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';

import { createResumableStreamContext, type ResumableStreamContextOptions } from '../src/index.ts';
import { createGatedStore, createSource, listen } from './support.ts';

type Settings = Partial<ResumableStreamContextOptions>;

const inMemory = (options: Settings = {}) =>
  createResumableStreamContext({ waitUntil: null, store: createMemoryStreamStore(), onError: () => {}, ...options });

describe('stopping', () => {
  test('reaches the producer from another context, and readers get what was there', async () => {
    const store = createMemoryStreamStore();
    const [here, there] = [inMemory({ store }), inMemory({ store })];
    const source = createSource();
    let signal: AbortSignal | undefined;
    const own = listen(
      await here.createNewResumableStream('a', (given) => {
        signal = given;
        return source.stream;
      }),
    );
    source.give('as far as');
    await own.until(9);
    expect(await there.stopStream('a', 'the user pressed Stop')).toBe(true);
    expect(await own.all).toBe('as far as');
    expect(signal?.aborted).toBe(true);
    expect(source.cancelled).toHaveLength(1);
    expect(await there.hasExistingStream('a')).toBe('DONE');
    expect((await store.head('resumable-stream/a'))?.end).toEqual({
      outcome: 'cancelled',
      reason: 'the user pressed Stop',
    });
  });

  test('of a stream that has ended, or that nobody made, is answered with false', async () => {
    const context = inMemory();
    expect(await context.stopStream('none')).toBe(false);
    const source = createSource();
    const own = listen(await context.createNewResumableStream('b', () => source.stream));
    source.end();
    await own.all;
    expect(await context.stopStream('b')).toBe(false);
  });
});

describe('a stream that breaks off', () => {
  test('errors for its readers, and tells its producer why, once', async () => {
    const errors: unknown[] = [];
    const kept: Promise<unknown>[] = [];
    const context = inMemory({
      onError: (...told) => errors.push(told),
      waitUntil: (promise) => void kept.push(promise),
    });
    const source = createSource();
    const own = listen(await context.createNewResumableStream('c', () => source.stream));
    source.give('half a ');
    await own.until(7);
    const late = listen(await context.resumeExistingStream('c'));
    source.fail(new Error('the model is overloaded'));
    await expect(own.all).rejects.toMatchObject({ code: 'FAILED' });
    await expect(late.all).rejects.toMatchObject({ code: 'FAILED' });
    expect(own.text).toBe('half a ');
    await Promise.all(kept);
    expect(errors).toMatchObject([[{ message: 'the model is overloaded' }, 'c']]);
    expect(await context.hasExistingStream('c')).toBe('DONE');
  });

  test('in its source’s making is no different', async () => {
    const onError = vi.fn<(error: unknown, streamId: string) => void>();
    const context = inMemory({ onError });
    const failure = new Error('no model');
    const own = await context.resumableStream('d', () => {
      throw failure;
    });
    await expect(listen(own).all).rejects.toMatchObject({ code: 'FAILED' });
    expect(onError.mock.calls).toEqual([[failure, 'd']]);
  });

  test('because it gives anything but text is refused', async () => {
    const onError = vi.fn<(error: unknown, streamId: string) => void>();
    const context = inMemory({ onError });
    const bytes = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(3)) });
    const own = await context.createNewResumableStream('e', () => bytes as ReadableStream<never>);
    await expect(listen(own).all).rejects.toMatchObject({ code: 'FAILED' });
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'makeStream' });
  });
});

describe('producing', () => {
  test('is done once, however many ask at the same time', async () => {
    const store = createMemoryStreamStore();
    const source = createSource();
    const make = vi.fn<() => ReadableStream<string>>(() => source.stream);
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => inMemory({ store }).resumableStream('same', make)),
    );
    source.give('one text');
    source.end();
    expect(await Promise.all(streams.map((stream) => listen(stream).all))).toEqual(Array(20).fill('one text'));
    expect(make).toHaveBeenCalledTimes(1);
  });

  test('needs an id that is new', async () => {
    const context = inMemory();
    const source = createSource();
    await context.createNewResumableStream('taken', () => source.stream);
    const make = vi.fn<() => ReadableStream<string>>(() => source.stream);
    await expect(context.createNewResumableStream('taken', make)).rejects.toMatchObject({ code: 'EXISTS' });
    expect(make).not.toHaveBeenCalled();
    source.end();
  });

  test('takes no more of the source than it can store', async () => {
    const { store, open } = createGatedStore();
    let taken = 0;
    const endless = new ReadableStream<string>(
      {
        pull(controller) {
          taken += 1_000;
          controller.enqueue('x'.repeat(1_000));
          if (taken === 1_000_000) controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const context = inMemory({ store });
    const own = await context.createNewResumableStream('slow', () => endless);
    await vi.waitFor(() => expect(taken).toBeGreaterThan(60_000));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(taken).toBeLessThan(80_000);
    open();
    expect(await listen(own).all).toHaveLength(1_000_000);
    // What gathers while one write is under way is one record.
    const { records } = await store.read('resumable-stream/slow', { from: 0, limit: 2 });
    expect(records.map((record) => record.kind === 'data' && record.data.length)).toEqual([1_000, 66_000]);
  });

  test('keeps a character together whose halves come in two pieces', async () => {
    const context = inMemory();
    const source = createSource();
    const own = listen(await context.createNewResumableStream('f', () => source.stream));
    source.give('a\ud83d');
    await own.until(1);
    expect(own.text).toBe('a');
    source.give('\ude00b', '\ud83d');
    await own.until(4);
    source.end();
    expect(await own.all).toBe('a\u{1f600}b\ufffd');
  });
});

describe('options', () => {
  test('that cannot be used are refused before anything is made', async () => {
    const context = inMemory();
    const make = vi.fn<() => ReadableStream<string>>(() => createSource().stream);
    for (const skip of [-1, 0.5, Number.NaN])
      await expect(context.resumableStream('g', make, skip)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(context.resumableStream('', make)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(make).not.toHaveBeenCalled();
    expect(await context.hasExistingStream('g')).toBe(null);
    vi.stubEnv('REDIS_URL', '');
    vi.stubEnv('KV_URL', undefined);
    expect(() => createResumableStreamContext({ waitUntil: null })).toThrow(/REDIS_URL/);
    expect(() => createResumableStreamContext({ waitUntil: null, publisher: {} as never })).toThrow(/ioredis/);
    vi.unstubAllEnvs();
  });

  test('that are empty are as good as none', async () => {
    vi.stubEnv('REDIS_URL', '');
    vi.stubEnv('KV_URL', 'redis://localhost:1');
    await createResumableStreamContext({ waitUntil: null }).close();
    vi.unstubAllEnvs();
    const store = createMemoryStreamStore();
    const context = inMemory({ store, keyPrefix: '' });
    const source = createSource();
    await context.createNewResumableStream('h', () => source.stream);
    expect(await store.head('resumable-stream/h')).not.toBe(null);
    source.end();
    await context.close();
  });
});

describe('with Redis', () => {
  let redis: RedisServer;
  const closing: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    redis = await startRedis({ config: { appendonly: 'yes' } });
  }, 60_000);
  afterEach(async () => {
    vi.unstubAllEnvs();
    await Promise.all(closing.splice(0).map((close) => close()));
  });
  afterAll(() => redis.stop());

  const context = (options: Settings = {}) => {
    vi.stubEnv('REDIS_URL', redis.url);
    const made = createResumableStreamContext({ waitUntil: null, onError: () => {}, ...options });
    closing.push(() => made.close());
    return made;
  };

  test('a process that is killed leaves its text, and its readers are told that it broke off', async () => {
    const script = fileURLToPath(new URL('processes/producer.ts', import.meta.url));
    const child = spawn(process.execPath, ['--conditions=perennial-source', script, redis.url, 'killed'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const here = context();
    const early = listen(await here.resumeExistingStream('killed'));
    await early.until(50);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const late = listen(await here.resumeExistingStream('killed'));
    await expect(late.all).rejects.toMatchObject({ code: 'FAILED' });
    await expect(early.all).rejects.toMatchObject({ code: 'FAILED' });
    expect(late.text).toBe(early.text);
    expect(late.text).toMatch(/^0 1 2 3 /);
    expect(await here.hasExistingStream('killed')).toBe('DONE');
  });

  test('all contexts of an address share their connections', async () => {
    const { Redis } = await import('ioredis');
    const admin = new Redis(redis.url);
    const connections = async () => Number(/connected_clients:(\d+)/.exec(await admin.info('clients'))?.[1]);
    const before = await connections();
    const sources = Array.from({ length: 20 }, createSource);
    const heard = await Promise.all(
      sources.map(async ({ stream }, n) => listen(await context().resumableStream(`shared/${n}`, () => stream))),
    );
    for (const source of sources) source.give('text');
    await Promise.all(heard.map((one) => one.until(4)));
    expect((await connections()) - before).toBeLessThanOrEqual(3);
    for (const source of sources) source.end();
    expect(await Promise.all(heard.map((one) => one.all))).toEqual(Array(20).fill('text'));
    await Promise.all(closing.splice(0).map((close) => close()));
    await expect.poll(connections).toBe(before);
    admin.disconnect();
  });
});
