/** What a {@link createLazyRequest | lazy request} can tell without being made. */
export interface RequestOutline {
  readonly method: string;
  /** Called at most once. */
  readonly url: () => string;
  /** Called at most once. */
  readonly headers: () => Headers;
  /** Called at most once. */
  readonly signal: () => AbortSignal;
  /** Makes the request. Called at most once. */
  readonly make: () => Request;
}

/**
 * A `Request` for hooks, which mostly look at a header or at the URL: making a whole one would double what a small request costs. It is an
 * `instanceof Request` with all members; what insists on a request that the platform made, as `new Request(request)` and `fetch(request)` do,
 * takes its `clone()`.
 */
export function createLazyRequest(outline: RequestOutline): Request {
  return new Proxy<Request>(Object.create(Request.prototype) as Request, new LazyMembers(outline));
}

class LazyMembers implements ProxyHandler<Request> {
  readonly #outline: RequestOutline;
  #url: string | undefined;
  #headers: Headers | undefined;
  #signal: AbortSignal | undefined;
  #request: Request | undefined;

  constructor(outline: RequestOutline) {
    this.#outline = outline;
  }

  get(target: Request, name: string | symbol): unknown {
    switch (name) {
      case 'method':
        return this.#outline.method;
      case 'url':
        return (this.#url ??= this.#outline.url());
      case 'headers':
        return (this.#headers ??= this.#outline.headers());
      case 'signal':
        return (this.#signal ??= this.#outline.signal());
      default: {
        // What a hook has put there itself.
        if (Object.hasOwn(target, name)) return Reflect.get(target, name);
        const request = (this.#request ??= this.#outline.make());
        const member: unknown = Reflect.get(request, name);
        // Members of a request work on the request alone.
        return typeof member === 'function' ? (member.bind(request) as unknown) : member;
      }
    }
  }
}
