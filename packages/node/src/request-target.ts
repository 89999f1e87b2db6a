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
    return HOST.test(host) ? { origin: `${'encrypted' in socket ? 'https' : 'http'}://${host}`, path } : null;
  }
  if (!/^https?:\/\//.test(path) || !URL.canParse(path)) return null;
  const { origin, pathname, search } = new URL(path);
  return { origin, path: `${pathname}${search}` };
}

/** Frameworks cut the path at which they mounted something off `url`, and keep the whole under another name. */
function pathOf(message: IncomingMessage): string {
  const original: unknown = 'originalUrl' in message ? message.originalUrl : undefined;
  return typeof original === 'string' ? original : (message.url ?? '');
}
