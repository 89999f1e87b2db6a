/**
 * Server CPU time of fanning a stream out to 100 SSE readers, against a bare loop over `node:http` responses that encodes each batch once
 * and writes it to all of them. The clients run in a process of their own.
 */
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

import { createMemoryStreamStore } from '@perennial/core';
import { createStreamListener } from '@perennial/node';

import { listen } from './lib/listen.mjs';
import { compare } from './lib/rounds.mjs';

const READERS = 100;
const BATCHES = 2_000;
const MARKER = '"last-of-all"';
const payload = JSON.stringify({ type: 'text-delta', id: '0', delta: 'some token text here' });

const clients = fork(fileURLToPath(new URL('./lib/sse-clients.mjs', import.meta.url)));
const told = (type) =>
  new Promise((resolve) =>
    clients.on('message', function on(message) {
      if (message.type !== type) return;
      clients.off('message', on);
      resolve();
    }),
  );
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Opens the readers, publishes the batches one per turn of the event loop, and waits until all readers have all of them. */
async function run(url, path, publish) {
  const opened = told('open');
  const done = told('done');
  clients.send({ port: Number(new URL(url).port), path, count: READERS, marker: MARKER });
  await opened;
  for (let i = 0; i < BATCHES; i++) {
    await publish(payload);
    await turn();
    await turn();
  }
  await publish(MARKER);
  await done;
  return BATCHES * READERS;
}

const responses = new Set();
const bare = await listen(
  createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    response.write('event: control\ndata:{}\n\n');
    responses.add(response);
    response.once('close', () => responses.delete(response));
  }),
);
let position = 0;
const publishBare = async (data) => {
  const offset = `${String(++position).padStart(16, '0')}_0000000000000000`;
  const control = JSON.stringify({ streamNextOffset: offset, streamCursor: '1234567', upToDate: true });
  const bytes = Buffer.from(
    `id: ${offset}\nevent: data\ndata:[${data}]\n\nid: ${offset}\nevent: control\ndata:${control}\n\n`,
  );
  for (const response of responses) response.write(bytes);
};

const store = createMemoryStreamStore();
const ours = await listen(createServer(createStreamListener({ store, authorize: () => true, basePath: '/streams' })));
let streams = 0;

for (const view of ['plain', 'records']) {
  await compare(
    `Fan out to ${READERS} SSE readers, ${view} view`,
    {
      'bare encode-once loop': () => run(bare.url, '/', publishBare),
      'stream handler': async () => {
        const id = `s${streams++}`;
        await store.create(id);
        const items = await run(ours.url, `/streams/${id}?live=sse&offset=-1&perennial-view=${view}`, (data) =>
          store.append(id, { segments: [{ records: [{ data }] }] }),
        );
        await store.delete(id);
        return items;
      },
    },
    { unit: 'delivery', atLeast: 0.77 },
  );
}

clients.disconnect();
for (const { server } of [bare, ours]) {
  server.closeAllConnections();
  server.close();
}
