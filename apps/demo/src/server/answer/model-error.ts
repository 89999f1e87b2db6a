import { PublicError } from '@perennial/core';
import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';

/** What a message about a failed model may name. */
export interface ModelAddress {
  readonly model: string;
  /** Host of the endpoint, without path or credentials. */
  readonly host: string;
}

/** Explains a failure of the endpoint to the person who asked: what happened, then what to do. */
export function toModelError(error: unknown, { model, host }: ModelAddress): PublicError {
  const fail = (code: string, message: string): PublicError => new PublicError(code, message, { cause: error });
  if (error instanceof PublicError) return error;
  if (error instanceof APIConnectionTimeoutError)
    return fail('MODEL_TIMEOUT', `The model at ${host} did not answer in time. Try again.`);
  if (error instanceof APIConnectionError) {
    return fail(
      'MODEL_UNREACHABLE',
      `The model at ${host} cannot be reached. Check OPENAI_BASE_URL and that the server runs.`,
    );
  }
  if (error instanceof APIError) {
    const status: number | undefined = error.status;
    if (status === 401 || status === 403)
      return fail('MODEL_UNAUTHORISED', `${host} refused the key. Check OPENAI_API_KEY.`);
    if (status === 404)
      return fail(
        'MODEL_NOT_FOUND',
        `${host} does not know the model “${model}”. Check OPENAI_MODEL and OPENAI_BASE_URL.`,
      );
    if (status === 429)
      return fail('MODEL_BUSY', `${host} is limiting requests, or the account has no credit left. Try again later.`);
    if (status !== undefined && status >= 500)
      return fail('MODEL_FAILED', `${host} failed with status ${status}. Try again.`);
    if (status !== undefined) return fail('MODEL_REFUSED', `${host} refused the request with status ${status}.`);
    return fail('MODEL_FAILED', `${host} reported an error in the middle of the answer. Try again.`);
  }
  if (error instanceof SyntaxError)
    return fail('MODEL_BAD_RESPONSE', `${host} sent something that is not a valid answer.`);
  // What remains is the transport: fetch rejects and bodies end with errors of many kinds, none of them of this program's making.
  return fail('MODEL_CUT', `The connection to ${host} broke in the middle of the answer. Try again.`);
}
