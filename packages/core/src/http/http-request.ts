/**
 * A request as an adapter of a server with requests of its own hands it to the routes. What nobody asks for need not be made: that is why a
 * small request costs half of what it would as a `Request`.
 */
export interface StreamHttpRequest {
  readonly method: string;
  /** Absolute URL. */
  readonly url: string;
  /** Header values by name, in any case; those of a header that came several times are joined by `, `. */
  readonly headers: Pick<Headers, 'get'>;
  /** Fires when the client has gone before it had its answer. */
  readonly signal: AbortSignal;
  /** The body as it arrives; null when there is none. */
  readonly body: ReadableStream<Uint8Array> | null;
  /** The whole body. It has no more bytes than its `Content-Length` says. */
  arrayBuffer(): Promise<ArrayBuffer>;
  /** The request as the application's hooks get it. */
  toRequest(): Request;
}

/** What the routes are given. */
export type RoutedRequest = Request | StreamHttpRequest;
