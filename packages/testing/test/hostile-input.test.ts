/** The table of hostile input against the handler on the memory store, and against handlers that get one thing wrong each. */
import { createMemoryStreamStore, type StreamStore } from '@perennial/core';
import { createStreamHandler, type StreamHandlerOptions } from '@perennial/core/http';
import { afterAll, describe, expect, it } from 'vitest';

import { describeHostileInput, HOSTILE_LIMITS, hostileInput, type ServedHandler, serveHandler } from '../src/index.ts';

type Handler = (request: Request) => Promise<Response>;

function handlerOf(store: StreamStore, options: Partial<StreamHandlerOptions> = {}): Handler {
  return createStreamHandler({ store, authorize: () => true, ...HOSTILE_LIMITS, ...options });
}

describeHostileInput(
  {
    name: 'memory store',
    async open() {
      const store = createMemoryStreamStore();
      return { store, ...(await serveHandler(handlerOf(store))) };
    },
  },
  { afterAll, describe, it },
);

describe('the table', () => {
  const cases = hostileInput({ url: 'http://127.0.0.1', store: createMemoryStreamStore() });

  it('has more than 500 requests to refuse, and 200 inputs to keep', () => {
    const kept = cases.filter(({ group }) => /^(payloads|texts|ids)/.test(group));
    expect(cases.length - kept.length).toBeGreaterThan(500);
    expect(kept.length).toBeGreaterThan(150);
  });

  it('names every case once', () => {
    expect(new Set(cases.map(({ group, name }) => `${group}: ${name}`)).size).toBe(cases.length);
  });

  it('refuses a URL that is none', () => {
    expect(() => hostileInput({ url: '/streams', store: createMemoryStreamStore() })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'url' }),
    );
  });
});

/** Handlers that are wrong in one way, with the group that has to notice. */
const MUTANTS: readonly [what: string, group: string, wrap: (handler: Handler, store: StreamStore) => Handler][] = [
  [
    'shows a stack',
    'offsets',
    (handler) => async (request) => {
      const response = await handler(request);
      if (response.status < 400) return response;
      const { error } = (await response.json()) as { error: object };
      return Response.json({ error: { ...error, stack: new Error('x').stack } }, response);
    },
  ],
  [
    'answers 200 to what makes no sense',
    'producers',
    (handler) => async (request) => {
      const response = await handler(request);
      return response.status === 400 ? new Response('[]') : response;
    },
  ],
  [
    'stores what it refuses',
    'bodies that are no JSON',
    (handler, store) => async (request) => {
      const response = await handler(request);
      if (response.status === 400) await store.append('s', { segments: [{ records: [{ data: '0' }] }] });
      return response;
    },
  ],
  [
    'touches another stream',
    'cancel requests',
    (handler, store) => async (request) => {
      const response = await handler(request);
      if (request.url.includes('cancel')) await store.mark('tenant/s', { type: 'cancel' });
      return response;
    },
  ],
  [
    'resolves paths',
    'paths',
    (handler) => async (request) => handler(new Request(request.url.replace('..%2fs', 's'), request)),
  ],
  ['ignores limits', 'oversized bodies', (_handler, store) => handlerOf(store, { maxRecordBytes: 10_000_000 })],
  ['ignores depth', 'depth bombs', (_handler, store) => handlerOf(store, { maxJsonDepth: 10_000_000 })],
  [
    'lets payloads out as they are',
    'payloads that are only data',
    (handler) => async (request) => {
      const response = await handler(request);
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
      const text = await response.text();
      return new Response(text.replaceAll('\ndata:', '\n'), response);
    },
  ],
  [
    'merges ids',
    'ids with case-only differences',
    (handler) => async (request) => handler(new Request(request.url.toLowerCase(), request)),
  ],
];

describe('notices a handler that', () => {
  const opened: ServedHandler[] = [];
  afterAll(async () => void (await Promise.all(opened.map((served) => served.close()))));

  it.each(MUTANTS)('%s', async (_what, group, wrap) => {
    const store = createMemoryStreamStore();
    const served = await serveHandler(wrap(handlerOf(store), store));
    opened.push(served);
    const failed: string[] = [];
    for (const each of hostileInput({ url: served.url, store })) {
      if (each.group !== group) continue;
      await each.run().catch((error: unknown) => failed.push(String(error)));
    }
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.every((message) => message.startsWith('AssertionError'))).toBe(true);
  });
});
