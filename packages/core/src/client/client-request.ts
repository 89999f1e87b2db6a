import { InvalidArgumentError, quote, StreamError } from '../log/errors.ts';

/** Header names and values, or a function that supplies them anew for each request, such as one that refreshes a token. */
export type RequestHeaders = HeadersInit | (() => HeadersInit | Promise<HeadersInit>);

/** The part of `fetch` that the client uses. */
export type FetchLike = (url: string, init: RequestInit) => Promise<Response>;

/** Where a stream is and how to ask for it. */
export interface StreamEndpoint {
  /** URL of the stream; relative ones count from the page. */
  readonly url: string;
  /** @default none */
  readonly headers?: RequestHeaders;
  /** @default globalThis.fetch */
  readonly fetch?: FetchLike;
  /** Whether cookies travel to another origin. @default the default of `fetch`, 'same-origin' */
  readonly credentials?: RequestCredentials;
}

/** What one request adds to the endpoint. */
export interface RequestDetails {
  /** @default 'GET' */
  readonly method?: string;
  readonly params: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/**
 * Sends one request. Rejects as `fetch` does, and with whatever the function that supplies headers throws.
 *
 * @throws {@link InvalidArgumentError} for headers or a URL that no request can have: trying again would not help.
 */
export async function sendRequest(endpoint: StreamEndpoint, details: RequestDetails): Promise<Response> {
  const { url, headers: supply, credentials, fetch: send = platformFetch } = endpoint;
  const headers = toHeaders(typeof supply === 'function' ? await supply() : supply);
  for (const [name, value] of Object.entries(details.headers ?? {})) headers.set(name, value);
  return send(withParams(url, details.params), {
    method: details.method ?? 'GET',
    headers,
    signal: details.signal,
    // A live tail from a cache would be yesterday's.
    cache: 'no-store',
    ...(credentials && { credentials }),
    ...(details.body !== undefined && { body: details.body }),
  });
}

/** The `fetch` of the platform, looked up at each call, so that tools which replace it (service mocks, instrumentation) are seen. */
export const platformFetch: FetchLike = async (url, init) => {
  const base: unknown = Reflect.get(globalThis, 'location');
  const page = typeof base === 'object' && base !== null && 'href' in base ? String(base.href) : undefined;
  if (!URL.canParse(url, page)) {
    const hint = page === undefined ? ' Outside a page it must be absolute.' : '';
    throw new InvalidArgumentError('url', `\`url\` must be the URL of a stream; got ${quote(url)}.${hint}`);
  }
  return globalThis.fetch(url, init);
};

function toHeaders(init: HeadersInit | undefined): Headers {
  try {
    return new Headers(init);
  } catch (cause) {
    throw new InvalidArgumentError(
      'headers',
      `\`headers\` cannot be sent: ${cause instanceof Error ? cause.message : String(cause)}.`,
    );
  }
}

/** Adds query parameters to a URL, which may be relative and may have parameters of its own. */
function withParams(url: string, params: Readonly<Record<string, string>>): string {
  const hash = url.indexOf('#');
  const base = hash === -1 ? url : url.slice(0, hash);
  const query = new URLSearchParams(params).toString();
  if (query === '') return base;
  return `${base}${base.includes('?') ? '&' : '?'}${query}`;
}

/** The error of a request that got no answer. */
export function unreachable(url: string, cause: unknown): StreamError<'STORE_ERROR'> {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new StreamError('STORE_ERROR', `The stream at ${url} cannot be reached: ${why}.`, { cause });
}
