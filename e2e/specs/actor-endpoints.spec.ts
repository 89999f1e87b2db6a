/** Actors over the browser's own `EventSource` and `WebSocket`. */
import { expect, test as base } from '@playwright/test';

import { type RunningEndpoints, startEndpoints } from '../support/start-endpoints.ts';

const test = base.extend<{ endpoints: RunningEndpoints }>({
  // oxlint-disable-next-line no-empty-pattern -- Playwright reads the fixtures it has to provide from the pattern
  endpoints: async ({}, use) => {
    const endpoints = await startEndpoints();
    await use(endpoints);
    await endpoints.stop();
  },
});

interface Chunk {
  readonly type: string;
  readonly data?: unknown;
  readonly cursor?: string;
}

test('an EventSource gets every chunk in onmessage, across a broken connection, of one run', async ({
  page,
  endpoints,
}) => {
  await page.goto(endpoints.url);
  const chunks = await page.evaluate(
    () =>
      new Promise<Chunk[]>((resolve) => {
        const input = encodeURIComponent(JSON.stringify({ to: 60, everyMs: 20 }));
        const source = new EventSource(`/actor/count/stream?input=${input}`);
        const seen: Chunk[] = [];
        source.onmessage = (event) => {
          const chunk = JSON.parse(String(event.data)) as Chunk;
          seen.push(chunk);
          if (chunk.data === 10 || chunk.data === 30) void fetch('/drop');
          // Not closed at the end: the answer to its next reconnect has to stop it.
          if (chunk.type === 'complete') {
            source.onerror = () => {
              if (source.readyState === EventSource.CLOSED) resolve(seen);
            };
          }
        };
      }),
  );
  const numbers = Array.from({ length: 60 }, (_, i) => i + 1);
  expect(chunks.filter(({ type }) => type === 'data').map(({ data }) => data)).toEqual(numbers);
  expect(chunks.filter(({ type }) => type !== 'data').map(({ type }) => type)).toEqual(['start', 'complete']);
  expect(await page.evaluate(async () => (await fetch('/runs')).text())).toBe('1');
});

test('a WebSocket starts, acknowledges, loses its connection, resumes and cancels', async ({ page, endpoints }) => {
  await page.goto(endpoints.url);
  const seen = await page.evaluate(async () => {
    const all: Chunk[] = [];
    const url = `${location.origin.replace('http', 'ws')}/actor/count/stream`;
    let streamId = '';
    const connect = (first: object, until: number): Promise<void> =>
      new Promise((resolve) => {
        const socket = new WebSocket(url);
        socket.onopen = () => socket.send(JSON.stringify(first));
        socket.onclose = () => resolve();
        socket.onmessage = (event) => {
          const chunk = JSON.parse(String(event.data)) as Chunk & { readonly streamId?: string };
          if (chunk.type === 'started') {
            streamId = chunk.streamId ?? '';
            return;
          }
          all.push(chunk);
          socket.send(JSON.stringify({ action: 'ack', cursor: chunk.cursor }));
          if (chunk.data === until && until < 20) socket.close();
          else if (chunk.data === until) socket.send(JSON.stringify({ action: 'cancel', reason: 'enough' }));
        };
      });
    await connect({ action: 'start', input: { to: 100_000, everyMs: 2 }, window: 3 }, 10);
    await connect({ action: 'resume', streamId, cursor: all.at(-1)?.cursor, window: 3 }, 20);
    return all;
  });
  const data = seen.filter(({ type }) => type === 'data').map(({ data }) => data);
  expect(data.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  expect(data).toEqual(data.map((_, i) => i + 1));
  expect(seen.at(-1)).toMatchObject({ type: 'error', error: { code: 'CANCELLED', message: 'enough' } });
});

test('what is denied does not open', async ({ page, endpoints }) => {
  await page.goto(endpoints.url);
  const denied = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const source = new EventSource('/actor/poison/stream');
        source.onerror = () => resolve(source.readyState);
      }),
  );
  // A browser does not come back after an answer that is no event stream.
  expect(denied).toBe(2);
});
