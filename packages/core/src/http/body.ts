import type { RoutedRequest } from './http-request.ts';
import { badRequest, HttpProblem, limitExceeded } from './problem.ts';

/**
 * Reads a whole request body, streamed or not.
 *
 * @throws HttpProblem 413 as soon as more than `maxBytes` are announced or have arrived; 415 for a compressed body; 400 when the client
 * breaks off. Nothing of an incomplete body is used.
 */
export async function readBody(request: RoutedRequest, maxBytes: number): Promise<Uint8Array> {
  const encoding = request.headers.get('Content-Encoding');
  if (encoding !== null && encoding.trim().toLowerCase() !== 'identity') {
    throw new HttpProblem(
      415,
      'UNSUPPORTED',
      `Bodies must be sent uncompressed; got Content-Encoding ${JSON.stringify(encoding.slice(0, 40))}.`,
    );
  }
  const announced = request.headers.get('Content-Length');
  if (Number(announced ?? 0) > maxBytes) throw tooLarge(maxBytes);
  if (announced === null) return readStreamed(request, maxBytes);
  // A server hands on no more than was announced, so the limit has been checked. Adapters read such a body without a web stream in between,
  // which halves the server CPU time of an append (`@hono/node-server` 2).
  let body: ArrayBuffer;
  try {
    body = await request.arrayBuffer();
  } catch (cause) {
    throw brokenOff(cause, '');
  }
  if (body.byteLength > maxBytes) throw tooLarge(maxBytes);
  return new Uint8Array(body);
}

async function readStreamed(request: RoutedRequest, maxBytes: number): Promise<Uint8Array> {
  if (!request.body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw brokenOff(cause, ` after ${length} bytes`);
    });
    if (done) break;
    length += value.byteLength;
    if (length > maxBytes) {
      void reader.cancel().catch(() => undefined);
      throw tooLarge(maxBytes);
    }
    chunks.push(value);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : concatBytes(chunks, length);
}

/** Making one costs more than decoding a small body. It keeps no state between calls. */
const strictDecoder = new TextDecoder('utf-8', { fatal: true });

/** Decodes UTF-8 strictly; throws a 400 for anything else, because replaced characters would be altered data. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    throw badRequest('body', 'The body must be UTF-8.');
  }
}

/** Joins chunks of `length` bytes in all. */
export function concatBytes(
  chunks: readonly Uint8Array[],
  length: number = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0),
): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.byteLength;
  }
  return joined;
}

function brokenOff(cause: unknown, where: string): HttpProblem {
  const name = cause instanceof Error ? ` (${cause.name})` : '';
  return badRequest('body', `The request body broke off${where}${name}; nothing was stored.`);
}

function tooLarge(maxBytes: number): HttpProblem {
  return limitExceeded('maxBodyBytes', `A request body may have ${maxBytes} bytes; send less at once.`);
}
