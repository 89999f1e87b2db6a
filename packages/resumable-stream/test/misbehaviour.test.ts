/** Sources, stores and callbacks that misbehave: production ends all the same, and nothing that was given before is lost. */
import { createMemoryStreamStore, StreamError } from '@perennial/core';
import { describe, expect, test, vi } from 'vitest';

import { createResumableStreamContext, type ResumableStreamContextOptions } from '../src/index.ts';
import { createGatedStore, createSource, listen } from './support.ts';

/** A context, what it told `onError`, and a promise for the end of everything it was given to wait for. */
function watched(options: Partial<ResumableStreamContextOptions>) {
  const told: (readonly [error: unknown, streamId: string])[] = [];
  const kept: Promise<unknown>[] = [];
  const context = createResumableStreamContext({
    waitUntil: (promise) => void kept.push(promise),
    store: createMemoryStreamStore(),
    onError: (...error) => void told.push(error),
    ...options,
  });
  return { context, told, produced: () => Promise.all(kept) };
}

/** A source that gives these pieces one by one, and then does what is wanted. */
function pieces(texts: readonly string[], then: (controller: ReadableStreamDefaultController<string>) => unknown) {
  const left = [...texts];
  return new ReadableStream<string>(
    {
      async pull(controller) {
        const text = left.shift();
        if (text === undefined) await then(controller);
        else controller.enqueue(text);
      },
    },
    { highWaterMark: 0 },
  );
}

const never = (): Promise<never> => new Promise(() => {});

describe('a source', () => {
  test('that fails keeps the text it gave before, also what was not stored yet', async () => {
    const { store, open } = createGatedStore();
    const { context, told, produced } = watched({ store });
    const failing = Promise.withResolvers<void>();
    const source = pieces(['all ', 'of ', 'this'], async (controller) => {
      controller.error(new Error('overloaded'));
      failing.resolve();
    });
    const own = listen(await context.createNewResumableStream('a', () => source));
    await failing.promise;
    open();
    await expect(own.all).rejects.toMatchObject({ code: 'FAILED' });
    expect(own.text).toBe('all of this');
    await produced();
    expect(told).toMatchObject([[{ message: 'overloaded' }, 'a']]);
  });

  test('that fails when it is stopped keeps it too', async () => {
    const { store, open } = createGatedStore();
    const { context, told, produced } = watched({ store });
    const own = listen(
      await context.createNewResumableStream('b', (signal) =>
        pieces(['all ', 'of ', 'this'], (controller) => {
          signal.addEventListener('abort', () => {
            controller.error(signal.reason);
            setImmediate(open);
          });
          void context.stopStream('b');
          return never();
        }),
      ),
    );
    expect(await own.all).toBe('all of this');
    await produced();
    expect(told).toEqual([]);
    expect((await store.head('resumable-stream/b'))?.end).toEqual({ outcome: 'cancelled' });
  });

  test.each([
    ['never settles', never],
    ['rejects', () => Promise.reject(new Error('cannot be cancelled'))],
  ])('whose cancel() %s is stopped', async (_how, cancel) => {
    const { context, produced } = watched({});
    const source = new ReadableStream<string>({ pull: never, cancel });
    const own = listen(await context.createNewResumableStream('c', () => source));
    expect(await context.stopStream('c')).toBe(true);
    expect(await own.all).toBe('');
    await produced();
  });

  test('whose cancel() never settles is let go of when it gives anything but text', async () => {
    const { context, told, produced } = watched({});
    const source = new ReadableStream({ start: (controller) => controller.enqueue(1), cancel: never });
    const own = listen(await context.createNewResumableStream('d', () => source as ReadableStream<never>));
    await expect(own.all).rejects.toMatchObject({ code: 'FAILED' });
    await produced();
    expect(told).toMatchObject([[{ code: 'INVALID_ARGUMENT' }, 'd']]);
  });

  test('that was stopped before it was made hears of it', async () => {
    const store = createMemoryStreamStore();
    const { context, produced } = watched({ store });
    const create = store.create.bind(store);
    vi.spyOn(store, 'create').mockImplementation(async (...args) => {
      const result = await create(...args);
      await context.stopStream('e', 'at once');
      return result;
    });
    const heard = vi.fn<(reason: unknown) => void>();
    const source = createSource();
    const own = listen(
      await context.createNewResumableStream('e', (signal) => {
        signal.addEventListener('abort', () => heard(signal.reason));
        return source.stream;
      }),
    );
    expect(await own.all).toBe('');
    await produced();
    expect(heard.mock.calls).toMatchObject([[{ code: 'CANCELLED', cause: 'at once' }]]);
    expect(source.cancelled).toHaveLength(1);
  });

  test.each([
    ['nothing', []],
    ['empty texts', ['', '']],
  ])('that gives %s makes an empty stream', async (_what, texts) => {
    const { context, told, produced } = watched({});
    const own = listen(
      await context.createNewResumableStream('f', () => pieces(texts, (controller) => controller.close())),
    );
    expect(await own.all).toBe('');
    await produced();
    expect(told).toEqual([]);
    expect(await context.stopStream('f')).toBe(false);
  });

  test('may give millions of characters at once', async () => {
    const { context } = watched({});
    const text = 'ä\u{1f600}'.repeat(2_000_000);
    const own = listen(
      await context.createNewResumableStream('g', () => pieces([text], (controller) => controller.close())),
    );
    expect((await own.all) === text).toBe(true);
  });
});

describe('a store', () => {
  test('that takes nothing more ends the production of a source that is silent', async () => {
    const store = createMemoryStreamStore();
    const { context, told, produced } = watched({ store });
    vi.spyOn(store, 'append').mockRejectedValue(new StreamError('LIMIT_EXCEEDED', 'Too large.'));
    const source = createSource();
    await context.createNewResumableStream('h', () => source.stream);
    source.give('lost');
    await produced();
    expect(source.cancelled).toMatchObject([{ code: 'LIMIT_EXCEEDED' }]);
    expect(told).toMatchObject([[{ code: 'LIMIT_EXCEEDED' }, 'h']]);
  });

  test('in which somebody else ended the stream ends its production', async () => {
    const store = createMemoryStreamStore();
    const { context, told, produced } = watched({ store });
    const source = createSource();
    let signal: AbortSignal | undefined;
    const own = listen(
      await context.createNewResumableStream('i', (given) => {
        signal = given;
        return source.stream;
      }),
    );
    source.give('as far as');
    await own.until(9);
    const id = 'resumable-stream/i';
    await store.mark(id, { type: 'fence', token: 1, nonce: 'n' });
    await store.append(id, {
      token: 1,
      segments: [{ records: [], end: { outcome: 'failed', error: { code: 'PRODUCER_LOST', message: 'Lost.' } } }],
    });
    await produced();
    expect(signal?.aborted).toBe(true);
    expect(source.cancelled).toHaveLength(1);
    expect(told).toMatchObject([[{ code: 'FAILED' }, 'i']]);
    await expect(own.all).rejects.toMatchObject({ code: 'FAILED' });
  });
});

describe('an `onError`', () => {
  test('that throws harms neither the stream nor what the process waits for', async () => {
    const store = createMemoryStreamStore();
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const onError = vi.fn<() => never>(() => {
      throw new Error('no log');
    });
    const { context, produced } = watched({ store, onError });
    const source = createSource();
    const own = listen(await context.createNewResumableStream('j', () => source.stream));
    source.fail(new Error('overloaded'));
    await expect(own.all).rejects.toMatchObject({ code: 'FAILED' });
    await produced();
    expect(onError).toHaveBeenCalledTimes(1);
    expect(warned).toHaveBeenCalledTimes(1);
    await context.close();
  });
});

describe('a consumer', () => {
  test('that leaves before it reads, while it waits, or never reads, costs nothing', async () => {
    const store = createMemoryStreamStore();
    const reads = vi.spyOn(store, 'read');
    const { context } = watched({ store });
    const source = createSource();
    const own = await context.createNewResumableStream('k', () => source.stream);
    const unread = await context.resumeExistingStream('k');
    await (await context.resumeExistingStream('k'))?.cancel();
    expect(reads).not.toHaveBeenCalled();
    const waiting = own.getReader();
    const pending = waiting.read();
    await waiting.cancel();
    expect(await pending).toEqual({ done: true, value: undefined });
    source.give('text');
    source.end();
    expect(await listen(unread).all).toBe('text');
  });

  test('may skip beyond the end, and into a character', async () => {
    const { context } = watched({});
    const source = createSource();
    const own = listen(await context.createNewResumableStream('l', () => source.stream));
    source.give('a\u{1f600}b');
    await own.until(4);
    const inside = listen(await context.resumeExistingStream('l', 2));
    const beyond = listen(await context.resumeExistingStream('l', 5));
    source.give('cd');
    source.end();
    expect(await inside.all).toBe('\ude00bcd');
    expect(await beyond.all).toBe('d');
  });
});

describe('a deployment', () => {
  test('that changes `ttlMs` or `leaseMs` goes on with the streams there are', async () => {
    const store = createMemoryStreamStore();
    const source = createSource();
    const make = vi.fn<() => ReadableStream<string>>(() => source.stream);
    const before = watched({ store }).context;
    const after = watched({ store, ttlMs: 60_000, leaseMs: 1_000 }).context;
    const own = listen(await before.resumableStream('m', make));
    source.give('before ');
    await own.until(7);
    const resumed = listen(await after.resumableStream('m', make));
    await expect(after.createNewResumableStream('m', make)).rejects.toMatchObject({ code: 'EXISTS' });
    source.give('and after');
    source.end();
    expect(await resumed.all).toBe('before and after');
    expect(await after.resumableStream('m', make)).toBe(null);
    expect(make).toHaveBeenCalledTimes(1);
  });

  test('does not take a stream of another kind for a text', async () => {
    const store = createMemoryStreamStore();
    await store.create('resumable-stream/n', { contentType: 'application/json' });
    const { context } = watched({ store });
    await expect(context.resumableStream('n', () => createSource().stream)).rejects.toMatchObject({ code: 'EXISTS' });
  });
});
