import { createHash, timingSafeEqual } from 'node:crypto';

/** Decides whether a request may pass at all; null when it may. */
export type Gate = (request: Request) => Response | null;

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
  return (request) => {
    const given = request.headers.get('Authorization');
    if (given !== null) {
      const token = /^Bearer (.+)$/i.exec(given)?.[1];
      const known = token !== undefined && digests.some((wanted) => timingSafeEqual(wanted, digest(token)));
      return known ? null : refuse(401, 'The token is not the one this server was started with.');
    }
    if (!open) return refuse(401, 'This server wants a token.');
    const { hostname } = new URL(request.url);
    if (isLoopback(hostname) || hostname === host) return null;
    return refuse(403, `This server answers to ${host} only.`);
  };
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function refuse(status: 401 | 403, message: string): Response {
  return Response.json(
    { error: { code: 'FORBIDDEN', message } },
    {
      status,
      headers: {
        'Perennial-Error': 'FORBIDDEN',
        'Cache-Control': 'no-store',
        ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
      },
    },
  );
}
