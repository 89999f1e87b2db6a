/**
 * Child process: serves streams over HTTP, ours or the reference server's, and reports what it costs. Its arguments: which server, and a folder
 * for those that need one. Messages: `cpu` is answered with the CPU time so far in microseconds, `memory` with the resident memory in bytes
 * after collecting all garbage.
 */
import { createServer } from 'node:http';

import { createMemoryStreamStore } from '@perennial/core';
import { createStreamListener } from '@perennial/node';
import { createFileStreamStore } from '@perennial/store-file';

import { listen } from './listen.mjs';

const [kind, directory] = process.argv.slice(2);

const urls = {
  memory: () => serveStore(createMemoryStreamStore()),
  file: () => serveStore(createFileStreamStore({ directory })),
  nothing: serveNothing,
  'reference-memory': () => serveReference({}),
  'reference-file': () => serveReference({ dataDir: directory }),
};

function serveStore(store) {
  return urlOf(createServer(createStreamListener({ store, authorize: () => true, sseMaxMs: 600_000 })));
}

async function serveReference(options) {
  const { DurableStreamTestServer } = await import('@durable-streams/server');
  const server = new DurableStreamTestServer({ port: 0, compression: false, ...options });
  return server.start();
}

/** The least a Node server can do: it reads what is sent, keeps nothing, and gives fixed answers of the size that the others give. */
function serveNothing() {
  const page = JSON.stringify(
    Array.from({ length: 10 }, () => ({ type: 'text-delta', id: '0', delta: 'some token text here' })),
  );
  const headers = { 'stream-next-offset': '0', 'stream-up-to-date': 'true' };
  const server = createServer((message, out) => {
    message.resume();
    message.once('end', () => {
      if (message.method === 'GET') out.writeHead(200, { ...headers, 'content-type': 'application/json' }).end(page);
      else out.writeHead(message.method === 'PUT' ? 201 : 204, headers).end();
    });
  });
  return urlOf(server);
}

const urlOf = async (server) => (await listen(server)).url;

function cpuTime() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function memory() {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

process.on('message', (what) => process.send(what === 'cpu' ? cpuTime() : memory()));
process.on('disconnect', () => process.exit());
process.send({ url: await urls[kind]() });
