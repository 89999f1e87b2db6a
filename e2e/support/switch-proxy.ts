/**
 * A load balancer as small as it can be: one port in front of several servers, of which it uses one at a time. What is connected stays
 * where it is until that server goes away.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A running proxy. */
export interface SwitchProxy {
  readonly url: string;
  /** Sends new connections to another port. */
  readonly use: (port: number) => void;
  readonly stop: () => Promise<void>;
}

/** Listens on a free port and passes every connection on to the port in use. */
export async function startSwitchProxy(port: number): Promise<SwitchProxy> {
  let target = port;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    // Next listens on every address, the loopback of IPv4 among them.
    const far = connect({ port: target, host: '127.0.0.1' });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  return {
    url: `http://localhost:${address.port}`,
    use: (other) => {
      target = other;
    },
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
