import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Why a request may not pass. */
export interface Refusal {
  readonly status: 401 | 403;
  readonly message: string;
}

/** Decides whether a request may pass at all; null when it may. */
export type Gate = (message: IncomingMessage) => Refusal | null;

/** Options of {@link createGate}. */
export interface GateOptions {
  /** Tokens that are accepted. */
  readonly tokens: readonly string[];
  /** Whether a request without a token may pass. */
  readonly open: boolean;
  /** Host the server listens on. */
  readonly host: string;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

/** True for hosts that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host) || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Creates the check in front of the stream handler.
 *
 * A wrong token is refused also where none is needed, so that whoever has one can tell this server from another one on the same port.
 * Without a token only requests that name this machine pass: a page on the web could otherwise reach the server through a name of its own
 * that it lets point here.
 */
export function createGate({ tokens, open, host }: GateOptions): Gate {
  const digests = tokens.map(digest);
  return ({ headers }) => {
    const given = headers.authorization;
    if (given !== undefined) {
      const token = /^Bearer (.+)$/i.exec(given)?.[1];
      const known = token !== undefined && digests.some((wanted) => timingSafeEqual(wanted, digest(token)));
      return known ? null : { status: 401, message: 'The token is not the one this server was started with.' };
    }
    if (!open) return { status: 401, message: 'This server wants a token.' };
    const hostname = hostnameOf(headers.host);
    if (isLoopback(hostname) || hostname === host) return null;
    return { status: 403, message: `This server answers to ${host} only.` };
  };
}

/** Answers a request that may not pass. */
export function refuse(out: ServerResponse, { status, message }: Refusal): void {
  const body = JSON.stringify({ error: { code: 'FORBIDDEN', message } });
  out.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'Perennial-Error': 'FORBIDDEN',
    'Cache-Control': 'no-store',
    ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
  });
  out.end(body);
}

function hostnameOf(host: string | undefined): string {
  const url = `http://${host ?? ''}`;
  return URL.canParse(url) ? new URL(url).hostname : '';
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
