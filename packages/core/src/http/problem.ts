import type { StreamErrorCode } from '../log/errors.ts';

/** Parts of an {@link HttpProblem} besides status, code and message. */
export interface HttpProblemDetails {
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the error body. Readers see them. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** An answer that is an error, thrown from anywhere inside the handler. Message and fields are for the client's eyes. */
export class HttpProblem extends Error {
  readonly status: number;
  readonly code: StreamErrorCode;
  readonly details: HttpProblemDetails;

  constructor(status: number, code: StreamErrorCode, message: string, details: HttpProblemDetails = {}) {
    super(message);
    this.name = 'HttpProblem';
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** A request that no server could honour: 400. */
export function badRequest(argument: string, message: string): HttpProblem {
  return new HttpProblem(400, 'INVALID_ARGUMENT', message, { fields: { argument } });
}

/** A request beyond a limit of this server: 413 unless said otherwise. */
export function limitExceeded(
  limit: string,
  message: string,
  status = 413,
  headers: Readonly<Record<string, string>> = {},
): HttpProblem {
  return new HttpProblem(status, 'LIMIT_EXCEEDED', message, { headers, fields: { limit } });
}

/** The answer to reads of a stream that is absent, or that the client may not know of: the two must look the same. */
export function notFound(): HttpProblem {
  return new HttpProblem(404, 'NOT_FOUND', 'There is no such stream.');
}

/** The answer where a stream was deleted or has expired and is kept for its forks only. */
export function gone(): HttpProblem {
  return new HttpProblem(410, 'NOT_FOUND', 'This stream was deleted or has expired; only its forks have its records.', {
    fields: { retained: true },
  });
}
