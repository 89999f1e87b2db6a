import { type StreamHttpAnswer, emptyAnswer } from './answer.ts';
import type { RoutedRequest } from './http-request.ts';
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
  /** Adds the headers to an answer. */
  dress(request: RoutedRequest, answer: StreamHttpAnswer): StreamHttpAnswer;
  /** Makes an answer, with the headers, of a response that somebody else made. */
  amend(request: RoutedRequest, response: Response): StreamHttpAnswer;
  /** Answer to a CORS preflight. */
  preflight(): StreamHttpAnswer;
  /** @throws {@link HttpProblem} 403 for a write that a page of a foreign origin sent. */
  assertOrigin(request: RoutedRequest): void;
}

/** Creates the policy. */
export function createBrowserPolicy(cors: CorsOptions): BrowserPolicy {
  const allows = (origin: string): boolean => cors === '*' || (cors !== false && cors.includes(origin));
  const shared = sharedHeaders(cors);
  const headersFor = (request: RoutedRequest): Readonly<Record<string, string>> => {
    if (cors === false || cors === '*') return shared;
    const origin = request.headers.get('Origin');
    if (origin === null || !allows(origin)) return shared;
    return { ...shared, 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true' };
  };
  return {
    dress: (request, answer) => ({ ...answer, headers: { ...answer.headers, ...headersFor(request) } }),
    amend(request, { status, statusText, headers: given, body }) {
      // Those of a response that came from `fetch` or `Response.redirect` cannot be changed.
      const headers = new Headers(given);
      for (const [name, value] of Object.entries(headersFor(request))) {
        if (name === 'Vary') headers.append(name, value);
        else headers.set(name, value);
      }
      const cookies = headers.getSetCookie();
      headers.delete('Set-Cookie');
      return { status, statusText, headers: Object.fromEntries(headers), cookies, body };
    },
    preflight() {
      const headers = { Allow: METHODS };
      if (cors === false) return emptyAnswer(204, headers);
      return emptyAnswer(204, {
        ...headers,
        'Access-Control-Allow-Methods': METHODS,
        'Access-Control-Allow-Headers': ALLOWED_HEADERS,
        'Access-Control-Max-Age': '600',
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

/** Headers that every answer gets. */
function sharedHeaders(cors: CorsOptions): Readonly<Record<string, string>> {
  return {
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': cors === false ? 'same-origin' : 'cross-origin',
    ...(cors === '*' && { 'Access-Control-Allow-Origin': '*' }),
    ...(cors !== false && cors !== '*' && { Vary: 'Origin' }),
    ...(cors !== false && { 'Access-Control-Expose-Headers': EXPOSED_HEADERS }),
  };
}
