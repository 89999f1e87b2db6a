import { type LiveBody, toReadableStream } from './live-body.ts';

/**
 * What a route answers. It becomes a `Response` at the very end, with all headers in one plain object: whatever touches
 * `response.headers` afterwards makes servers build a `Headers` and take it apart again, which costs a fifth of a small request.
 */
export interface StreamHttpAnswer {
  readonly status: number;
  /** Reason phrase; where it is missing or empty, the usual one. Only answers that `authorize` made itself have any. */
  readonly statusText?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `Set-Cookie` headers, which cannot be joined. Only answers that `authorize` made itself have any. */
  readonly cookies?: readonly string[];
  readonly body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | LiveBody | null;
}

/** An answer with a JSON text as its body. */
export function jsonAnswer(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): StreamHttpAnswer {
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body: text };
}

/** An answer without a body. */
export function emptyAnswer(status: number, headers: Readonly<Record<string, string>> = {}): StreamHttpAnswer {
  return { status, headers, body: null };
}

/** JSON for a header value: everything beyond ASCII is escaped, because header values are bytes of no agreed encoding. */
export function headerJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** An answer as a web response. */
export function toResponse({ status, statusText = '', headers, cookies = [], body }: StreamHttpAnswer): Response {
  const response = new Response(isLiveBody(body) ? toReadableStream(body) : body, { status, statusText, headers });
  for (const cookie of cookies) response.headers.append('Set-Cookie', cookie);
  return response;
}

/** True for a body that is written as things happen. */
export function isLiveBody(body: StreamHttpAnswer['body']): body is LiveBody {
  return typeof body === 'object' && body !== null && 'start' in body;
}
