import { connect } from 'node:net';

import type { RawHeader } from './hostile-request.ts';

/** A request as it goes over the wire, byte for byte. */
export interface RawRequest {
  readonly method: string;
  /** Request target, not normalised, not encoded. */
  readonly target: string;
  readonly headers?: readonly RawHeader[];
  readonly body?: string | Uint8Array;
}

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case; a header that came twice has its values joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** Everything, head included. */
  readonly text: string;
}

/**
 * Sends a request that no HTTP client would send and reads the answer up to the end of the connection. Null when the server closed the
 * connection without one.
 *
 * @param url Where the server is; only host and port count.
 */
export async function sendRaw(url: URL, request: RawRequest): Promise<RawAnswer | null> {
  const bytes = await exchange(url, encode(url, request));
  return bytes.byteLength === 0 ? null : decode(bytes);
}

function encode({ host }: URL, { method, target, headers = [], body = '' }: RawRequest): Buffer {
  const payload = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body);
  const framed = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name));
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: close',
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(framed || method === 'GET' || method === 'HEAD' ? [] : [`Content-Length: ${payload.byteLength}`]),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), payload]);
}

function exchange({ hostname, port }: URL, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // A server that refuses a request before it has all of it resets the connection.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.on('close', () => resolve(Buffer.concat(chunks)));
    socket.write(bytes);
  });
}

function decode(bytes: Buffer): RawAnswer {
  const split = bytes.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, split === -1 ? undefined : split).split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const rest = split === -1 ? Buffer.alloc(0) : bytes.subarray(split + 4);
  const payload = headers.get('transfer-encoding') === 'chunked' ? joinChunks(rest) : rest;
  return {
    status: Number(statusLine.split(' ')[1]),
    headers,
    body: payload.toString('utf8'),
    text: `${bytes.toString('latin1', 0, Math.max(split, 0))}\n${payload.toString('utf8')}`,
  };
}

function joinChunks(bytes: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (lineEnd === -1 || !(size > 0)) break;
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return Buffer.concat(chunks);
}
