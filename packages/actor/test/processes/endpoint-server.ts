/**
 * A plain Node server with the endpoints, for browsers: prints its URL. `/` is an empty page; `/drop` breaks all connections but its own
 * off, as a network does.
 */
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { createMemoryStreamStore } from '@perennial/core';

import { createActorRegistry } from '../../src/index.ts';
import { createActorEndpoints } from '../../src/server/index.ts';
import { actors } from './actors.ts';

const store = createMemoryStreamStore();
const endpoints = createActorEndpoints({
  store,
  registry: createActorRegistry({ actors }),
  authorize: (_request, { actorType }) => actorType !== 'poison',
});
const open = new Set<Socket>();

const server = createServer((request, response) => {
  if (endpoints.handleRequest(request, response)) return;
  if (request.url === '/drop') {
    for (const socket of open) if (socket !== request.socket) socket.destroy();
    response.writeHead(204).end();
  } else if (request.url === '/runs') {
    void store.list({ prefix: 'actors/' }).then(({ streams }) => response.end(String(streams.length)));
  } else {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>endpoints</title>');
  }
});
server.on('connection', (socket) => {
  open.add(socket);
  socket.once('close', () => open.delete(socket));
});
server.on('upgrade', (request, socket, head) => {
  if (!endpoints.handleUpgrade(request, socket, head)) socket.destroy();
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`http://127.0.0.1:${port}\n`);
});
process.once('disconnect', () => process.exit());
