import { isStreamError, isStreamRetained, type StreamErrorCode } from '../log/errors.ts';
import { type StreamHttpAnswer, jsonAnswer } from './answer.ts';
import { gone, HttpProblem, type HttpProblemDetails, notFound } from './problem.ts';
import { HEADER, type WireError } from './wire.ts';

/** How an error leaves the server. */
export interface ErrorAnswer {
  readonly answer: StreamHttpAnswer;
  /** Set when the error is the server's own: the client got nothing but this reference. */
  readonly reference?: string;
}

/** Members of stream errors that clients may see; they rebuild the typed error from these. */
const PUBLIC_FIELDS = [
  'argument',
  'streamId',
  'token',
  'currentToken',
  'requestedPosition',
  'earliestPosition',
] as const;

/**
 * Maps anything thrown to an answer (PROTOCOL.md, "Error answers"). Errors that are not about the request become a generic message: their
 * texts name paths, processes and hosts.
 *
 * @param newReference Supplies the reference of a server error.
 */
export function toErrorAnswer(error: unknown, newReference: () => string): ErrorAnswer {
  if (error instanceof HttpProblem)
    return { answer: errorAnswer(error.status, error.code, error.message, error.details) };
  if (!isStreamError(error)) return internal(500, 'STORE_ERROR', newReference());
  switch (error.code) {
    case 'NOT_FOUND':
      // Without the id: the answer must not differ from the one to a client that may not know of the stream.
      return toErrorAnswer(isStreamRetained(error) ? gone() : notFound(), newReference);
    case 'INVALID_ARGUMENT':
    case 'UNSERIALISABLE':
      return { answer: errorAnswer(400, error.code, error.message, { fields: publicFields(error) }) };
    case 'EXISTS':
    case 'FENCED':
    case 'CLOSED':
    case 'STALE_EPOCH':
    case 'CONTENT_TYPE':
    case 'SEQUENCE_GAP':
    case 'SEQUENCE_REGRESSION':
      return { answer: errorAnswer(409, error.code, error.message, { fields: publicFields(error) }) };
    case 'CONFLICT':
      return { answer: errorAnswer(412, error.code, error.message, { fields: publicFields(error) }) };
    case 'GAP':
      return { answer: gap(error) };
    case 'FORBIDDEN':
      return { answer: errorAnswer(403, error.code, error.message) };
    case 'LIMIT_EXCEEDED':
      return { answer: errorAnswer(413, error.code, error.message) };
    case 'UNSUPPORTED':
      return { answer: errorAnswer(501, error.code, error.message) };
    case 'STORE_FULL':
      return internal(507, error.code, newReference());
    case 'ABORTED':
    case 'TIMEOUT':
      return { answer: errorAnswer(503, error.code, 'The server gave up on this request; try again.') };
    case 'STORE_LOCKED':
    case 'STORE_CLOSED':
      return internal(503, error.code, newReference());
    case 'STORE_ERROR':
    case 'CORRUPT':
    case 'ENDED':
    case 'FAILED':
    case 'CANCELLED':
    case 'SUPERSEDED':
    case 'READER_CLOSED':
    case 'WRITER_CONTEXT_LOST':
      return internal(500, error.code === 'CORRUPT' ? 'CORRUPT' : 'STORE_ERROR', newReference());
  }
}

function gap(error: Error): StreamHttpAnswer {
  const fields = publicFields(error);
  const headers = { [HEADER.earliestPosition]: String(fields['earliestPosition']) };
  return errorAnswer(410, 'GAP', error.message, { fields, headers });
}

function internal(status: number, code: StreamErrorCode, reference: string): ErrorAnswer {
  const message = 'The server could not answer this request. Its log has the details under this reference.';
  return { answer: errorAnswer(status, code, message, { fields: { reference } }), reference };
}

function publicFields(error: Error): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const name of PUBLIC_FIELDS) {
    const value: unknown = Reflect.get(error, name);
    if (typeof value === 'string' || typeof value === 'number') fields[name] = value;
  }
  return fields;
}

function errorAnswer(
  status: number,
  code: StreamErrorCode,
  message: string,
  { fields, headers }: HttpProblemDetails = {},
): StreamHttpAnswer {
  const body: WireError = { error: { ...fields, code, message } };
  return jsonAnswer(status, JSON.stringify(body), { 'Cache-Control': 'no-store', ...headers, [HEADER.error]: code });
}
