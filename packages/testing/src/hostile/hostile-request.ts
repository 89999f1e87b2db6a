import type { StreamErrorCode } from '@perennial/core';

/** One header as it goes over the wire; the pair's value may hold what HTTP forbids. */
export type RawHeader = readonly [name: string, value: string];

/**
 * How a request has to be refused.
 *
 * - a status and a code: by the handler, with that typed error.
 * - `typed`: by the handler, with any typed error; what servers may decide differently.
 * - `refused`: by whoever sees it first. HTTP servers answer requests that break HTTP themselves, or drop the connection.
 */
export type Refusal = { readonly status: number; readonly code: StreamErrorCode } | 'typed' | 'refused';

/** A request that no server may honour. */
export interface HostileRequest {
  /** What is hostile about it. */
  readonly group: string;
  readonly method: string;
  /** Path and query below the base URL, sent exactly as it is here. */
  readonly path: string;
  readonly headers?: readonly RawHeader[];
  readonly body?: string | Uint8Array;
  readonly refusal: Refusal;
}

/** Streams that the table is aimed at; {@link plantStreams} makes them. */
export const TARGETS = {
  /** Open, JSON, three records, of which one has the producer `p` at epoch 3. */
  json: 's',
  /** Open, `text/plain`, one record. */
  text: 'text',
  /** Ended. */
  closed: 'closed',
} as const;

/** 400 `INVALID_ARGUMENT`, the refusal of what makes no sense. */
export const INVALID: Refusal = { status: 400, code: 'INVALID_ARGUMENT' };
/** 404 `NOT_FOUND`. */
export const ABSENT: Refusal = { status: 404, code: 'NOT_FOUND' };

/** 413, or another status, `LIMIT_EXCEEDED`. */
export function beyondLimit(status = 413): Refusal {
  return { status, code: 'LIMIT_EXCEEDED' };
}

/** The headers of a JSON body, and more. */
export function jsonHeaders(...more: readonly RawHeader[]): readonly RawHeader[] {
  return [['Content-Type', 'application/json'], ...more];
}

/** Builds the requests of one group. */
export interface RequestGroup {
  get(path: string, refusal?: Refusal, ...headers: readonly RawHeader[]): HostileRequest;
  /** Posts JSON to the open JSON stream. */
  post(body: string | Uint8Array, refusal?: Refusal, ...headers: readonly RawHeader[]): HostileRequest;
  /** Tries to create `new`. */
  put(refusal: Refusal, ...headers: readonly RawHeader[]): HostileRequest;
  request(request: Omit<HostileRequest, 'group'>): HostileRequest;
}

/** Makes the builder of a group. */
export function requestGroup(group: string): RequestGroup {
  return {
    get: (path, refusal = INVALID, ...headers) => ({ group, method: 'GET', path, headers, refusal }),
    post: (body, refusal = INVALID, ...headers) => ({
      group,
      method: 'POST',
      path: `/${TARGETS.json}`,
      headers: jsonHeaders(...headers),
      body,
      refusal,
    }),
    put: (refusal, ...headers) => ({ group, method: 'PUT', path: '/new', headers, refusal }),
    request: (request) => ({ group, ...request }),
  };
}
