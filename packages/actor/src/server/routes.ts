import { quote } from '../errors.ts';

/** A request that an endpoint refuses, with what the client is told. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
  }
}

/** What a URL addresses. */
export type Route =
  | { readonly kind: 'actor'; readonly actorType: string }
  | { readonly kind: 'stream'; readonly streamId: string }
  | { readonly kind: 'cancel'; readonly streamId: string };

/**
 * The route of a request; null when the path is not one of ours.
 *
 * `{base}/actor/<type>/stream`, `{base}/stream/<id>` and `{base}/stream/<id>/cancel`, type and id percent-encoded.
 *
 * @throws {@link Refusal} 400 for malformed percent-encoding.
 */
export function routeOf(url: URL, basePath: string): Route | null {
  if (!url.pathname.startsWith(`${basePath}/`)) return null;
  const [first, second, third, ...rest] = url.pathname.slice(basePath.length + 1).split('/');
  if (second === undefined || second === '' || rest.length > 0) return null;
  if (first === 'actor' && third === 'stream') return { kind: 'actor', actorType: decode(second) };
  if (first !== 'stream' || (third !== undefined && third !== 'cancel')) return null;
  return { kind: third === undefined ? 'stream' : 'cancel', streamId: decode(second) };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Refusal(400, 'INVALID_ARGUMENT', `The path segment ${quote(segment)} is not well encoded.`);
  }
}
