/**
 * Child process: serves streams over HTTP, ours or the reference server's, and reports what it costs. Its arguments: which server, and a folder
 * for those that need one. Messages: `usage` is answered with CPU time so far in microseconds, before (`cpuUs`) and after (`readyUs`)
 * collecting all garbage, and the resident memory in bytes after it.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';

import { createMemoryStreamStore } from '@perennial/core';
import { createStreamListener } from '@perennial/node';
import { createFileStreamStore } from '@perennial/store-file';

const [kind, directory] = process.argv.slice(2);

const urls = {
  memory: () => serveStore(createMemoryStreamStore()),
    listen(createServer(createStreamListener({ store: createMemoryStreamStore(), allowAnonymous: true }))),
  file: () => serveStore(createFileStreamStore({ directory })),
  nothing: serveNothing,
  'reference-memory': () => serveReference({}),
  'reference-file': () => serveReference({ dataDir: directory }),
};

function serveStore(store) {
  return listen(createServer(createStreamListener({ store, authorize: () => true, sseMaxMs: 600_000 })));
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
  return listen(server);
}

async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}`;
}

function cpuTime() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

process.on('message', () => {
  const cpuUs = cpuTime();
  globalThis.gc?.();
  process.send({ cpuUs, readyUs: cpuTime(), rss: process.memoryUsage().rss });
});
process.on('disconnect', () => process.exit());
process.send({ url: await urls[kind]() });
