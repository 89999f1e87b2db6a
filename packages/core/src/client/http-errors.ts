import {
  InvalidArgumentError,
  StreamError,
  type StreamErrorCode,
  StreamExistsError,
  StreamFencedError,
  StreamGapError,
  StreamNotFoundError,
} from '../log/errors.ts';

/** Codes that a server may send; anything else is a failure of the server. */
const CODES: ReadonlySet<string> = new Set<StreamErrorCode>([
  'FENCED',
  'STALE_EPOCH',
  'CLOSED',
  'CONTENT_TYPE',
  'SEQUENCE_GAP',
  'SEQUENCE_REGRESSION',
  'CONFLICT',
  'NOT_FOUND',
  'EXISTS',
  'GAP',
  'UNSERIALISABLE',
  'INVALID_ARGUMENT',
  'LIMIT_EXCEEDED',
  'FORBIDDEN',
  'UNSUPPORTED',
  'STORE_LOCKED',
  'STORE_FULL',
  'STORE_CLOSED',
  'STORE_ERROR',
  'CORRUPT',
]);

/**
 * Rebuilds the typed error of an error answer (PROTOCOL.md, "Error answers"). An answer that is none of ours, such as a proxy's page, becomes
 * `STORE_ERROR`, `FORBIDDEN` or `NOT_FOUND` by its status.
 *
 * @param streamId The stream the request was about.
 */
export async function readHttpError(response: Response, streamId: string): Promise<StreamError> {
  const { code, message, ...fields } = readBody(await response.text().catch(() => ''));
  const text =
    typeof message === 'string' ? message : `The server answered ${response.status} ${response.statusText}`.trim();
  const error = build(
    typeof code === 'string' && CODES.has(code) ? (code as StreamErrorCode) : codeOfStatus(response.status),
    text,
    { ...fields, streamId },
  );
  // The server's own wording has the values in it.
  if (typeof message === 'string' && error.code !== 'NOT_FOUND') error.message = message;
  return error;
}

function build(
  code: StreamErrorCode,
  message: string,
  fields: Readonly<Record<string, unknown>> & { readonly streamId: string },
): StreamError {
  const count = (name: string): number => Number(fields[name] ?? 0);
  switch (code) {
    case 'NOT_FOUND':
      return new StreamNotFoundError(fields.streamId, { retained: fields['retained'] === true });
    case 'EXISTS':
      return new StreamExistsError(fields.streamId, 'the server did not say in what');
    case 'FENCED':
      return new StreamFencedError(fields.streamId, count('token'), count('currentToken'));
    case 'GAP':
      return new StreamGapError(fields.streamId, count('requestedPosition'), count('earliestPosition'));
    case 'INVALID_ARGUMENT':
      return new InvalidArgumentError(typeof fields['argument'] === 'string' ? fields['argument'] : 'request', message);
    default:
      return new StreamError(code, message);
  }
}

function codeOfStatus(status: number): StreamErrorCode {
  if (status === 401 || status === 403) return 'FORBIDDEN';
  if (status === 404) return 'NOT_FOUND';
  if (status === 413 || status === 429 || status === 431) return 'LIMIT_EXCEEDED';
  return 'STORE_ERROR';
}

function readBody(text: string): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text);
    if (
      typeof body === 'object' &&
      body !== null &&
      'error' in body &&
      typeof body.error === 'object' &&
      body.error !== null
    )
      return { ...body.error };
  } catch {
    // A proxy's page.
  }
  return {};
}
