import { PARAM } from './wire.ts';

/**
 * The URL of a stream below a base URL (PROTOCOL.md, "URLs").
 *
 * URL parsers resolve segments that are `.` or `..`, even percent-encoded, and proxies merge empty ones: such ids travel in the query.
 */
export function streamUrl(base: string, id: string): string {
  const root = base.endsWith('/') ? base.slice(0, -1) : base;
  const segments = id.split('/');
  const unsafe =
    segments.some((segment) => segment === '' || segment === '.' || segment === '..') || segments[0] === '__ds';
  return unsafe
    ? `${root}/?${PARAM.stream}=${encodeURIComponent(id)}`
    : `${root}/${segments.map(encodeURIComponent).join('/')}`;
}
