/** What code that was written for `resumable-stream` relies on: the same cases for that package and for this one. */
import { createMemoryStreamStore } from '@perennial/core';
import { type RedisServer, startRedis } from '@perennial/redis-server';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { createResumableStreamContext as createPeerContext } from 'resumable-stream/ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { createResumableStreamContext } from '../src/index.ts';
import { createSource, listen } from './support.ts';

/** What both have. */
interface Context {
  resumableStream(
    id: string,
    make: () => ReadableStream<string>,
    skip?: number,
  ): Promise<ReadableStream<string> | null>;
  createNewResumableStream(id: string, make: () => ReadableStream<string>): Promise<ReadableStream<string> | null>;
  resumeExistingStream(id: string, skip?: number): Promise<ReadableStream<string> | null | undefined>;
  hasExistingStream(id: string): Promise<null | true | 'DONE'>;
}

let redis: RedisServer;
let closing: (() => unknown)[] = [];

beforeAll(async () => {
  redis = await startRedis({ config: { appendonly: 'yes' } });
}, 60_000);
afterEach(async () => {
  for (const close of closing) await close();
  closing = [];
});
afterAll(() => redis.stop());

function client(): Redis {
  const made = new Redis({ port: redis.port });
  closing.push(() => made.disconnect());
  return made;
}

function ours(options: Omit<Parameters<typeof createResumableStreamContext>[0], 'waitUntil'>): Context {
  const context = createResumableStreamContext({ waitUntil: null, ...options });
  closing.push(() => context.close());
  return context;
}

/** Two contexts that know nothing of one another, as in two processes. */
const implementations: Readonly<Record<string, () => Context[]>> = {
  'resumable-stream': () =>
    [0, 1].map(() => createPeerContext({ waitUntil: null, publisher: client(), subscriber: client() })),
  'this package, ioredis': () => [0, 1].map(() => ours({ publisher: client(), subscriber: client() })),
  'this package, redis': () => [0, 1].map(() => ours({ publisher: createClient({ url: redis.url }) })),
  'this package, a store': () => {
    const store = createMemoryStreamStore();
    return [0, 1].map(() => ours({ store }));
  },
};

let ids = 0;

describe.each(Object.entries(implementations))('%s', (_name, open) => {
  const contexts = (): { readonly here: Context; readonly there: Context; readonly id: string } => {
    const [here, there] = open();
    if (!here || !there) throw new Error('Two contexts are needed.');
    return { here, there, id: `answers/${ids++}` };
  };

  test('the producer gets its text, and who resumes gets it from the beginning', async () => {
    const { here, there, id } = contexts();
    const source = createSource();
    const own = listen(await here.createNewResumableStream(id, () => source.stream));
    source.give('Once ', 'upon ');
    await own.until(10);
    const late = listen(await there.resumeExistingStream(id));
    await late.until(10);
    source.give('a ', 'time.');
    source.end();
    expect(await own.all).toBe('Once upon a time.');
    expect(await late.all).toBe('Once upon a time.');
  });

  test('characters that are there already are skipped', async () => {
    const { here, there, id } = contexts();
    const source = createSource();
    const own = listen(await here.createNewResumableStream(id, () => source.stream));
    source.give('0123456789');
    await own.until(10);
    const late = listen(await there.resumeExistingStream(id, 7));
    await late.until(3);
    source.give('abc');
    source.end();
    expect(await late.all).toBe('789abc');
    await own.all;
  });

  test('says what there is', async () => {
    const { here, there, id } = contexts();
    expect(await there.hasExistingStream(id)).toBe(null);
    expect(await there.resumeExistingStream(id)).toBe(undefined);
    const source = createSource();
    const own = listen(await here.createNewResumableStream(id, () => source.stream));
    expect(await there.hasExistingStream(id)).toBe(true);
    source.end();
    expect(await own.all).toBe('');
    await expect.poll(() => there.hasExistingStream(id)).toBe('DONE');
    expect(await there.resumeExistingStream(id)).toBe(null);
    expect(await there.resumableStream(id, () => createSource().stream)).toBe(null);
  });

  test('who comes first produces, who comes later resumes', async () => {
    const { here, there, id } = contexts();
    const source = createSource();
    let made = 0;
    const make = (): ReadableStream<string> => {
      made++;
      return source.stream;
    };
    const first = listen(await here.resumableStream(id, make));
    source.give('Hello ');
    await first.until(6);
    const second = listen(await there.resumableStream(id, make, 2));
    await second.until(4);
    source.give('world');
    source.end();
    expect(await first.all).toBe('Hello world');
    expect(await second.all).toBe('llo world');
    expect(made).toBe(1);
  });

  test('goes on when the first reader leaves', async () => {
    const { here, there, id } = contexts();
    const source = createSource();
    const own = await here.createNewResumableStream(id, () => source.stream);
    source.give('before ');
    const reader = own?.getReader();
    expect((await reader?.read())?.value).toBe('before ');
    const late = listen(await there.resumeExistingStream(id));
    await late.until(7);
    await reader?.cancel();
    source.give('after');
    source.end();
    expect(await late.all).toBe('before after');
  });

  test('is produced where nobody reads it at first', async () => {
    const { here, there, id } = contexts();
    const source = createSource();
    await here.createNewResumableStream(id, () => source.stream);
    source.give('kept');
    const late = listen(await there.resumeExistingStream(id));
    await late.until(4);
    source.end();
    expect(await late.all).toBe('kept');
  });

  test('text is what it was, whatever it is', async () => {
    const { here, there, id } = contexts();
    const text = `data: {"a":"\\n"}\n\n\u0000\u001e\ufeff\u{1f600}ä\r\n${'x'.repeat(200_000)}`;
    const source = createSource();
    const own = listen(await here.createNewResumableStream(id, () => source.stream));
    source.give(text, '', '\ufeff', 'end');
    await own.until(text.length + 4);
    const late = listen(await there.resumeExistingStream(id));
    await late.until(text.length + 4);
    source.end();
    expect(await own.all).toBe(`${text}\ufeffend`);
    expect(await late.all).toBe(`${text}\ufeffend`);
  });
});
