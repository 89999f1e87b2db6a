import type { IncomingMessage } from 'node:http';

/** What a request is for. */
export interface RequestTarget {
  /** Scheme and host. */
  readonly origin: string;
  /** Path and query, as they were sent. */
  readonly path: string;
}

/** Characters of a host and its port. Anything else would move the border between host and path. */
const HOST = /^[\w.~%-]+(?::\d+)?$|^\[[\da-fA-F:.]+\](?::\d+)?$/;

/** The last host that turned out to be one. Nearly all requests have the same, and parsing it each time would cost more than all else here. */
let knownHost = '';

/**
 * Finds what a request is for: a path with its `Host`, or the absolute URL that is sent to proxies. Null for anything else, which no stream
 * has as its URL.
 */
export function targetOf(message: IncomingMessage): RequestTarget | null {
  const { headers, socket } = message;
  const path = pathOf(message);
  if (path.startsWith('/')) {
    const authority = headers[':authority'];
    const host = headers.host ?? (typeof authority === 'string' ? authority : 'localhost');
    return isHost(host) ? { origin: `${'encrypted' in socket ? 'https' : 'http'}://${host}`, path } : null;
  }
  if (!/^https?:\/\//.test(path) || !URL.canParse(path)) return null;
  const { origin, pathname, search } = new URL(path);
  return { origin, path: `${pathname}${search}` };
}

/** Some look like hosts and are none, such as `1.2.3.4.5`: nobody could make a URL of the request. */
function isHost(host: string): boolean {
  if (host === knownHost) return true;
  if (!HOST.test(host) || !URL.canParse(`http://${host}`)) return false;
  knownHost = host;
  return true;
}

/** Frameworks cut the path at which they mounted something off `url`, and keep the whole under another name. */
function pathOf(message: IncomingMessage): string {
  const original: unknown = 'originalUrl' in message ? message.originalUrl : undefined;
  return typeof original === 'string' ? original : (message.url ?? '');
}
