import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

import type { StreamHttpRequest } from '@perennial/core/http';

import { isGone } from './is-gone.ts';
import { createLazyRequest } from './lazy-request.ts';
import { MessageBody } from './message-body.ts';
import type { RequestTarget } from './request-target.ts';

/** Header names by the names they are asked for: lower-casing each time would cost more than the look-up. */
const lowerCase = new Map<string, string>();

/** A message of `node:http` as the routes want it. Whatever a small request has no use for is made when it is asked for. */
export class IncomingRequest implements StreamHttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Pick<Headers, 'get'>;
  readonly #message: IncomingMessage;
  readonly #out: ServerResponse;
  #signal: AbortSignal | null = null;
  #body: MessageBody | null = null;
  #request: Request | null = null;
  /** The request of the hooks, once it has the body. */
  #made: Request | null = null;
  /** The body has been asked for, and a request that is made now comes too late for it. */
  #isTaken = false;

  constructor(message: IncomingMessage, out: ServerResponse, { origin, path }: RequestTarget) {
    this.#message = message;
    this.#out = out;
    this.method = message.method ?? 'GET';
    this.url = `${origin}${path}`;
    this.headers = { get: (name) => valueOf(message, name) };
  }

  get signal(): AbortSignal {
    this.#signal ??= signalOf(this.#out);
    return this.#signal;
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.#made) return this.#made.body;
    if (!this.#hasBody) return null;
    this.#isTaken = true;
    this.#body ??= new MessageBody(this.#message);
    return this.#body.stream;
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    if (this.#made) return this.#made.arrayBuffer();
    this.#isTaken = true;
    return readWhole(this.#message);
  }

  /** Lets go of what nobody has read of the body: a client could not finish sending it, nor send another request. */
  discardBody(): void {
    this.#isTaken = true;
    if (this.#message.readableEnded) return;
    if (this.#body) this.#body.discard();
    else this.#message.resume();
  }

  /** Its body is read from the message as soon as, and only if, somebody reads it. */
  toRequest(): Request {
    this.#request ??= createLazyRequest({
      method: this.method,
      // As a request of the platform has it: a hook that looks at a path must not be shown one that is resolved later.
      url: () => new URL(this.url).href,
      headers: () => new Headers(pairsOf(this.#message.headers)),
      signal: () => this.signal,
      make: () => this.#makeRequest(),
    });
    return this.#request;
  }

  #makeRequest(): Request {
    const { method, url, signal } = this;
    const init = { method, headers: pairsOf(this.#message.headers), signal };
    if (!this.#hasBody) return new Request(url, init);
    if (this.#isTaken) return makeUsed(url, init);
    this.#body = new MessageBody(this.#message);
    const streamed = { ...init, body: this.#body.stream, duplex: 'half' };
    this.#made = new Request(url, streamed);
    return this.#made;
  }

  get #hasBody(): boolean {
    const { headers, httpVersionMajor } = this.#message;
    if (this.method === 'GET' || this.method === 'HEAD') return false;
    return (
      headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined || httpVersionMajor > 1
    );
  }
}

/** A request as it is after its body was read. */
function makeUsed(url: string, init: RequestInit): Request {
  const request = new Request(url, { ...init, body: new Uint8Array() });
  void request.arrayBuffer();
  return request;
}

function valueOf({ headers, rawHeaders }: IncomingMessage, name: string): string | null {
  let key = lowerCase.get(name);
  if (key === undefined) {
    key = name.toLowerCase();
    lowerCase.set(name, key);
  }
  const value = headers[key];
  if (value === undefined) return null;
  // Node joins what came several times, save for a few headers of which it takes the first. Bytes must not be stored under the wrong type.
  return key === 'content-type' || typeof value !== 'string' ? allOf(rawHeaders, key).join(', ') : value;
}

function allOf(rawHeaders: readonly string[], key: string): string[] {
  const values: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.length === key.length && name.toLowerCase() === key) values.push(rawHeaders[at + 1] ?? '');
  }
  return values;
}

function pairsOf(headers: IncomingHttpHeaders): [string, string][] {
  // HTTP/2 has the method, path and host among its headers, with names that no header may have.
  return Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith(':') ? [] : [value ?? []].flat().map((each): [string, string] => [name, each]),
  );
}

function signalOf(out: ServerResponse): AbortSignal {
  const gone = new AbortController();
  if (isGone(out)) gone.abort();
  else out.once('close', () => out.writableFinished || gone.abort());
  return gone.signal;
}

function readWhole(message: IncomingMessage): Promise<ArrayBuffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const onClose = (): void => reject(new Error('The connection was closed.'));
    if (message.destroyed) return onClose();
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.once('end', () => {
      // Every message is closed in the end, and an error that nobody hears of costs more than all of this.
      message.off('close', onClose);
      resolve(join(chunks));
    });
    message.once('error', reject);
    message.once('close', onClose);
  });
}

/** A copy, also of a single chunk: that is a view of a much larger buffer, which must not live as long as a record does. */
function join(chunks: readonly Buffer[]): ArrayBuffer {
  const joined = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.byteLength;
  }
  return joined.buffer;
}
