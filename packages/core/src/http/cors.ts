import { HttpProblem } from './problem.ts';
import { HEADER } from './wire.ts';

/**
 * Other origins that may use the handler from a browser: all (`'*'`, without credentials), the listed ones (with credentials), or none.
 */
export type CorsOptions = false | '*' | readonly string[];

const METHODS = 'GET, POST, PUT, DELETE, HEAD, OPTIONS';
const ALLOWED_HEADERS = [
  'Content-Type',
  'Authorization',
  'If-None-Match',
  HEADER.seq,
  HEADER.ttl,
  HEADER.expiresAt,
  HEADER.closed,
  HEADER.forkedFrom,
  HEADER.forkOffset,
  HEADER.forkSubOffset,
  HEADER.producerId,
  HEADER.producerEpoch,
  HEADER.producerSeq,
  HEADER.lastEventId,
  HEADER.end,
  HEADER.expectedPosition,
].join(', ');
const EXPOSED_HEADERS = [
  'ETag',
  'Location',
  'Retry-After',
  HEADER.nextOffset,
  HEADER.upToDate,
  HEADER.closed,
  HEADER.cursor,
  HEADER.ttl,
  HEADER.expiresAt,
  HEADER.sseEncoding,
  HEADER.producerEpoch,
  HEADER.producerSeq,
  HEADER.producerExpectedSeq,
  HEADER.producerReceivedSeq,
  HEADER.position,
  HEADER.end,
  HEADER.incarnation,
  HEADER.stalled,
  HEADER.cancelRequested,
  HEADER.earliestPosition,
  HEADER.error,
].join(', ');

/** Adds CORS and security headers to every answer, and keeps foreign pages from writing (PROTOCOL.md, "Browsers"). */
export interface BrowserPolicy {
  /** Adds the headers to an answer, whose headers have to be changeable, and returns it. */
  apply(request: Request, response: Response): Response;
  /** Answer to a CORS preflight. */
  preflight(): Response;
  /** @throws {@link HttpProblem} 403 for a write that a page of a foreign origin sent. */
  assertOrigin(request: Request): void;
}

/** Creates the policy. */
export function createBrowserPolicy(cors: CorsOptions): BrowserPolicy {
  const allows = (origin: string): boolean => cors === '*' || (cors !== false && cors.includes(origin));
  return {
    apply(request, response) {
      // In place: a copy of a response has its body as a stream, which costs adapters and clients more than the rest of the answer.
      const { headers } = response;
      headers.set('X-Content-Type-Options', 'nosniff');
      headers.set('Cross-Origin-Resource-Policy', cors === false ? 'same-origin' : 'cross-origin');
      if (cors === false) return response;
      if (cors !== '*') headers.append('Vary', 'Origin');
      const origin = request.headers.get('Origin');
      if (cors === '*') headers.set('Access-Control-Allow-Origin', '*');
      else if (origin !== null && allows(origin)) {
        headers.set('Access-Control-Allow-Origin', origin);
        headers.set('Access-Control-Allow-Credentials', 'true');
      }
      headers.set('Access-Control-Expose-Headers', EXPOSED_HEADERS);
      return response;
    },
    preflight() {
      const headers = { Allow: METHODS };
      if (cors === false) return new Response(null, { status: 204, headers });
      return new Response(null, {
        status: 204,
        headers: {
          ...headers,
          'Access-Control-Allow-Methods': METHODS,
          'Access-Control-Allow-Headers': ALLOWED_HEADERS,
          'Access-Control-Max-Age': '600',
        },
      });
    },
    assertOrigin({ method, headers }) {
      if (method === 'GET' || method === 'HEAD' || headers.get('Sec-Fetch-Site') !== 'cross-site') return;
      // A form or a no-cors fetch reaches the handler without a preflight, with the cookies of whoever looks at the foreign page.
      if (!allows(headers.get('Origin') ?? ''))
        throw new HttpProblem(
          403,
          'FORBIDDEN',
          'Pages of other origins may not write here. Allow the origin with `cors`.',
        );
    },
  };
}
