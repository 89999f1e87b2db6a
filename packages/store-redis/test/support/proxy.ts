import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy in front of a server: a connection that a test can cut, and an address behind which servers can change. */
export interface Proxy {
  readonly port: number;
  readonly url: string;
  /** New connections go to this port. */
  retarget(port: number): void;
  /** Breaks all connections. */
  cut(): void;
  /**
   * Is asked for each piece of an answer that is about to be passed on. `cut`: the client's connection breaks instead, after the server
   * did its work.
   */
  onAnswer: (piece: Buffer) => 'pass' | 'cut';
  /** May answer in the server's place: what it returns goes to the client, and the request goes nowhere. */
  onRequest: (piece: Buffer) => Buffer | null;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/** Starts a proxy to `target` on a free port. */
export async function startProxy(target: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let destination = target;
  const server: Server = createServer((client) => {
    const upstream = connect(destination, HOST);
    const both = [client, upstream];
    const end = (): void => {
      for (const socket of both) {
        socket.destroy();
        sockets.delete(socket);
      }
    };
    for (const socket of both) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (piece: Buffer) => {
      const answer = proxy.onRequest(piece);
      if (answer) client.write(answer);
      else upstream.write(piece);
    });
    upstream.on('data', (piece: Buffer) => {
      if (proxy.onAnswer(piece) === 'cut') end();
      else client.write(piece);
    });
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const proxy: Proxy = {
    port,
    url: `redis://${HOST}:${port}`,
    retarget(next) {
      destination = next;
    },
    cut() {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
    onAnswer: () => 'pass',
    onRequest: () => null,
    async close() {
      this.cut();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}
