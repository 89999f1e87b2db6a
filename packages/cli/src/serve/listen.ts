import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';

import { CliError } from '../errors.ts';

/** A server that takes requests. */
export interface Listening {
  /** Without a slash at the end. */
  readonly url: string;
  /** The same, for processes on this machine: an address such as 0.0.0.0 means all of a machine's, and is none of them. */
  readonly localUrl: string;
  /** Takes no more connections and resolves once those there are have ended. */
  close(): Promise<void>;
}

/** Options of {@link listen}. */
export interface ListenOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly listener: RequestListener;
}

const IDLE_SWEEP_MS = 50;
const ANY_ADDRESS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1', '[::]': '::1' };

/**
 * Listens on a port.
 *
 * @throws {@link CliError} `PORT_IN_USE`, or `USAGE` for a host or port that this machine does not have.
 */
export async function listen({ host, port, listener }: ListenOptions): Promise<Listening> {
  const server = createServer(listener);
  try {
    server.listen(port, host.replace(/^\[(.*)\]$/, '$1'));
    await once(server, 'listening');
  } catch (cause) {
    throw listenError({ host, port }, cause);
  }
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${inUrl(host)}:${bound}`,
    localUrl: `http://${inUrl(ANY_ADDRESS[host] ?? host)}:${bound}`,
    close: async () => {
      // A connection whose response was under way stays open for the client's next request, which must not come.
      const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
      const closed = once(server, 'close');
      server.close();
      await closed.finally(() => clearInterval(sweep));
    },
  };
}

function inUrl(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

function listenError({ host, port }: Pick<ListenOptions, 'host' | 'port'>, cause: unknown): CliError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EADDRINUSE')
    return new CliError('PORT_IN_USE', `Port ${port} on ${host} is in use.`, {
      hint: 'Pass another --port, or --port 0 for a free one.',
      cause,
    });
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CliError('USAGE', `This machine cannot listen on port ${port} of ${host}: ${why}`, { cause });
}
