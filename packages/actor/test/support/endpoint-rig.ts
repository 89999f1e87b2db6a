import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { createMemoryStreamStore, type StreamStore } from '@perennial/core';

import { type ActorRegistryOptions, createActorRegistry } from '../../src/index.ts';
import { type ActorEndpointsOptions, createActorEndpoints } from '../../src/server/index.ts';

/** A plain Node server with the endpoints. */
export interface EndpointRig {
  readonly store: StreamStore;
  readonly server: Server;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** `ws://127.0.0.1:<port>` */
  readonly socketUrl: string;
  close(): Promise<void>;
}

/** Starts one on a free loopback port. */
export async function startEndpoints(
  actors: NonNullable<ActorRegistryOptions['actors']>,
  options: Partial<ActorEndpointsOptions> = {},
): Promise<EndpointRig> {
  const store = options.store ?? createMemoryStreamStore();
  const endpoints = createActorEndpoints({ store, registry: createActorRegistry({ actors }), ...options });
  const server = createServer((request, response) => {
    if (!endpoints.handleRequest(request, response)) response.writeHead(404).end('elsewhere');
  });
  server.on('upgrade', (request, socket, head) => {
    if (!endpoints.handleUpgrade(request, socket, head)) socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    store,
    server,
    url: `http://127.0.0.1:${port}`,
    socketUrl: `ws://127.0.0.1:${port}`,
    async close() {
      await endpoints.close({ drainMs: 0 });
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An event as it came over the wire. */
export interface WireEvent {
  readonly id: string;
  readonly data: unknown;
}

/** Reads the events of a response until it ends. */
export async function* eventsOf(response: Response): AsyncGenerator<WireEvent, void, unknown> {
  let rest = '';
  const text = response.body?.pipeThrough(new TextDecoderStream());
  for await (const part of text ?? []) {
    const blocks = (rest + part).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const id = /^id: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (id !== undefined && data !== undefined) yield { id, data: JSON.parse(data) };
    }
  }
}
