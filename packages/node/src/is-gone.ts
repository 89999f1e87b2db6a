import type { ServerResponse } from 'node:http';

/** True when nobody can get the response any more. */
export function isGone(
  out: ServerResponse | (ServerResponse & { readonly stream: { readonly destroyed: boolean } }),
): boolean {
  // A response of HTTP/2 does not know, but its stream does.
  return 'stream' in out ? out.stream.destroyed : out.destroyed;
}
