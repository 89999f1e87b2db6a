/**
 * Catching up on 100,000 events: server CPU time of the handler's pages against a bare loop over `node:http` that encodes the same records
 * in pages of the same size; then the time to the first byte, and the memory held while a client reads slowly.
 */
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

import { createMemoryStreamStore } from '@perennial/core';
import { createStreamHandler } from '@perennial/core/http';
import { createStreamListener } from '@perennial/node';

import { listen } from './lib/listen.mjs';
import { row } from './lib/results.mjs';
import { compare } from './lib/rounds.mjs';

const EVENTS = 100_000;
const PIECE = 1_000;
const PAGE = 10_000;
const texts = Array.from({ length: EVENTS }, (_, i) =>
  JSON.stringify({ type: 'text-delta', id: String(i), delta: 'some token text here' }),
);

const store = createMemoryStreamStore();
await store.create('s');
for (let i = 0; i < EVENTS; i += PIECE) {
  await store.append('s', { segments: [{ records: texts.slice(i, i + PIECE).map((data) => ({ data })) }] });
}
const { records } = await store.read('s', { from: 0, limit: EVENTS, maxBytes: Number.MAX_SAFE_INTEGER });
const options = { store, authorize: () => true };
const handler = createStreamHandler(options);
const ours = await listen(createServer(createStreamListener(options)));

const bare = await listen(
  createServer(async (request, response) => {
    const from = Math.max(0, Number(new URL(request.url, 'http://bench').searchParams.get('offset')));
    const to = Math.min(EVENTS, from + PAGE);
    response.writeHead(200, {
      'content-type': 'application/json',
      'stream-next-offset': to,
      ...(to === EVENTS && { 'stream-up-to-date': 'true' }),
    });
    for (let i = from; i < to; i += PIECE) {
      const values = records.slice(i, i + PIECE).map(({ data }) => data);
      const text = (i === from ? '[' : ',') + values.join(',');
      if (!response.write(Buffer.from(text))) await new Promise((resolve) => response.once('drain', resolve));
    }
    response.end(']');
  }),
);

const client = fork(fileURLToPath(new URL('./lib/page-client.mjs', import.meta.url)));
const catchUp = (url) =>
  new Promise((resolve) => {
    client.once('message', () => resolve(EVENTS));
    client.send({ url });
  });

await compare(
  'Catch up on 100,000 events',
  { 'bare encoding loop': () => catchUp(bare.url), 'stream handler, plain view': () => catchUp(`${ours.url}/s`) },
  { unit: 'event', rounds: 21, atLeast: 0.7 },
);

const firsts = [];
for (let i = 0; i < 21; i++) {
  const started = performance.now();
  const page = await handler(new Request('http://bench/s?offset=-1'));
  const reader = page.body.getReader();
  await reader.read();
  firsts.push(performance.now() - started);
  await reader.cancel();
}
const first = firsts.toSorted((a, b) => a - b)[10];
console.log(`First byte: ${first.toFixed(2)} ms (median of 21)`);
row({ what: 'First byte of a catch-up on 100,000 events', ours: `${first.toFixed(2)} ms`, value: first, atMost: 10 });

globalThis.gc?.();
const before = process.memoryUsage();
let most = 0;
for (let offset = '-1', done = false; !done;) {
  const page = await handler(new Request(`http://bench/s?offset=${offset}`));
  for await (const _ of page.body) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    most = Math.max(most, heapUsed + arrayBuffers - before.heapUsed - before.arrayBuffers);
  }
  offset = page.headers.get('Stream-Next-Offset');
  done = page.headers.has('Stream-Up-To-Date');
}
const held = most / 1_048_576;
console.log(`Memory held while reading slowly: at most ${held.toFixed(1)} MiB more than before`);
row({ what: 'Memory held by a slow catch-up', ours: `${held.toFixed(1)} MiB`, value: held, atMost: 20 });

client.disconnect();
for (const { server } of [bare, ours]) {
  server.closeAllConnections();
  server.close();
}
