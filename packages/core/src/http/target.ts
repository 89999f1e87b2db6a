import { MAX_STREAM_ID_LENGTH } from '../log/stream-id.ts';
import { badRequest } from './problem.ts';
import type { RequestUrl } from './request-url.ts';
import { PARAM } from './wire.ts';

/** What a URL names. */
export type Target =
  | { readonly kind: 'stream'; readonly id: string }
  /** The base URL itself. */
  | { readonly kind: 'base' }
  /** The prefix that the protocol keeps for subscriptions. */
  | { readonly kind: 'reserved' }
  /** Not below the base path. */
  | { readonly kind: 'outside' };

const RESERVED_SEGMENT = '__ds';

/**
 * Finds what a URL names (PROTOCOL.md, "URLs"). The id of a stream is its path below `basePath`, each segment percent-decoded once; nothing
 * is resolved or normalised. An id that no path can carry comes in `perennial-stream`.
 *
 * @throws HttpProblem 400 for malformed percent-encoding and ids that are too long.
 */
export function resolveTarget({ pathname, query }: RequestUrl, basePath: string): Target {
  if (pathname !== basePath && !pathname.startsWith(`${basePath}/`)) return { kind: 'outside' };
  const path = pathname.slice(basePath.length + 1);
  if (path === '') {
    const id = query.text(PARAM.stream);
    return id === undefined ? { kind: 'base' } : { kind: 'stream', id: assertId(id) };
  }
  if (path === RESERVED_SEGMENT || path.startsWith(`${RESERVED_SEGMENT}/`)) return { kind: 'reserved' };
  return { kind: 'stream', id: assertId(path.includes('%') ? path.split('/').map(decodeSegment).join('/') : path) };
}

/** A base path as a path of URLs begins with it: with a leading slash, without a trailing one, and empty for the root. */
export function normaliseBasePath(basePath: string): string {
  const path = basePath.endsWith('/') ? basePath.slice(0, -1) : basePath;
  return path === '' || path.startsWith('/') ? path : `/${path}`;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw badRequest(
      'stream',
      `The path segment ${JSON.stringify(segment.slice(0, 80))} is not valid percent-encoded UTF-8.`,
    );
  }
}

function assertId(id: string): string {
  if (id === '') throw badRequest('stream', 'A stream id may not be empty.');
  if (id.length > MAX_STREAM_ID_LENGTH)
    throw badRequest('stream', `A stream id may have ${MAX_STREAM_ID_LENGTH} characters; this one has ${id.length}.`);
  return id;
}
