import type { StreamHead } from '../log/head.ts';
import type { RoutedRequest } from './http-request.ts';

/** What identifies the content of a page. */
export interface EtagParts {
  readonly head: StreamHead;
  /** Offset the page starts at. */
  readonly start: string;
  /** Offset after it. */
  readonly end: string;
  /** What else the answer shows, such as the end or marks. */
  readonly suffix: string;
}

/**
 * The entity tag of a page (PROTOCOL.md, "Caching"). It names the stream's incarnation: offsets of a deleted stream recur in a later one at the same
 * URL, and their pages are not the same.
 */
export function formatEtag({ head, start, end, suffix }: EtagParts): string {
  return `"${head.incarnation}:${start}:${end}${suffix}"`;
}

/** True when `If-None-Match` lists the tag; weak comparison, as for all GET requests. */
export function matchesEtag(request: RoutedRequest, etag: string): boolean {
  const header = request.headers.get('If-None-Match');
  if (header === null) return false;
  return header.split(',').some((candidate) => {
    const tag = candidate.trim();
    return tag === '*' || tag === etag || tag === `W/${etag}`;
  });
}
