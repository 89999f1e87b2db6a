/**
 * What a route answers. It becomes a `Response` at the very end, with all headers in one plain object: whatever touches
 * `response.headers` afterwards makes servers build a `Headers` and take it apart again, which costs a fifth of a small request.
 */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;
}

/** An answer with a JSON text as its body. */
export function jsonAnswer(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body: text };
}

/** An answer without a body. */
export function emptyAnswer(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers, body: null };
}

/** JSON for a header value: everything beyond ASCII is escaped, because header values are bytes of no agreed encoding. */
export function headerJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
