import { isStreamError, isStreamWriteError, PublicError, type StreamErrorCode } from '@perennial/core';
import type { z } from 'zod';

import { logError } from './log-error.ts';

const MAX_BODY_BYTES = 64 * 1024;

/** What the reader can do something about. */
const STORE_PROBLEMS: Readonly<Partial<Record<StreamErrorCode, string>>> = {
  STORE_LOCKED: 'Another process is writing to the data folder. Stop it, or give this server another folder.',
  STORE_FULL: 'There is no room left for the data folder. Make some, and try again.',
};

/** Answers a request of this app's own pages; anything thrown becomes a JSON problem that names no internals. */
export async function respond(request: Request, handle: () => Promise<Response>): Promise<Response> {
  if (isCrossSite(request)) return problem(403, 'FORBIDDEN', 'Only pages of this app may do this.');
  try {
    return await handle();
  } catch (error) {
    return toProblem(request, error);
  }
}

/**
 * Reads a JSON body.
 *
 * @throws `PublicError` `INVALID_REQUEST` naming the field that is wrong.
 */
export async function readBody<T>(
  request: Request,
  schema: z.ZodType<T>,
  { maxBytes = MAX_BODY_BYTES }: { readonly maxBytes?: number } = {},
): Promise<T> {
  // A form of another site can send text/plain without asking, but never JSON.
  const type = request.headers.get('content-type')?.split(';')[0]?.trim();
  if (type !== 'application/json')
    throw new PublicError('INVALID_REQUEST', `The content type must be application/json; got ${type ?? 'none'}.`);
  const text = await request.text();
  if (text.length > maxBytes)
    throw new PublicError('INVALID_REQUEST', `The body may have ${maxBytes} bytes; got ${text.length}.`);
  return parse(schema, parseJson(text));
}

/** Checks a value from outside; throws as {@link readBody} does. */
export function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') || 'The request';
  throw new PublicError('INVALID_REQUEST', `${where}: ${issue?.message ?? 'is not valid'}.`);
}

/** True for a request that a page of another site made; browsers say so themselves. */
export function isCrossSite(request: Request): boolean {
  const site = request.headers.get('sec-fetch-site');
  return site === 'cross-site' || site === 'same-site';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PublicError('INVALID_REQUEST', 'The body is not JSON.', { cause });
  }
}

/** Next bundles the modules of a server several times, so that one may throw the `PublicError` of another copy. */
function isPublicError(error: unknown): error is PublicError {
  return error instanceof Error && 'expose' in error && error.expose === true && 'code' in error;
}

function toProblem(request: Request, error: unknown): Response {
  if (isPublicError(error)) return problem(error.code === 'NOT_FOUND' ? 404 : 400, error.code, error.message);
  logError(`${request.method} ${new URL(request.url).pathname} failed`, error);
  const code = isStreamError(error) || isStreamWriteError(error) ? error.code : null;
  const explanation = code === null ? undefined : STORE_PROBLEMS[code];
  if (code !== null && explanation !== undefined) return problem(503, code, explanation);
  return problem(500, 'INTERNAL', 'The server could not do this. Its log says why.');
}

function problem(status: number, code: string, message: string): Response {
  return Response.json({ error: { code, message } }, { status, headers: { 'cache-control': 'no-store' } });
}
