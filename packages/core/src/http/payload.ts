import { isJsonContentType } from '../log/codec.ts';
import type { NewRecord } from '../log/record.ts';
import { decodeUtf8 } from './body.ts';
import type { RoutedRequest } from './http-request.ts';
import { isJson, splitFlat, splitJson } from './json-array.ts';
import type { ResolvedLimits } from './options.ts';
import { badRequest, type HttpProblem, limitExceeded } from './problem.ts';

const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+[\t ]*(?:;[\t\x20-\x7e]*)?$/;

/** The request's content type, or undefined when there is none; throws a 400 for one that is no media type. */
export function readContentType(request: RoutedRequest): string | undefined {
  const contentType = request.headers.get('Content-Type')?.trim();
  if (!contentType) return undefined;
  if (!MEDIA_TYPE.test(contentType))
    throw badRequest(
      'Content-Type',
      `The content type must be a media type such as 'application/json'; got ${JSON.stringify(contentType.slice(0, 80))}.`,
    );
  return contentType;
}

/**
 * Turns a non-empty body into records: the elements of a JSON array, or the one JSON value, for JSON types; the body as one record of bytes
 * for all others (PROTOCOL.md, "Bodies").
 *
 * @throws HttpProblem 400 for what is no JSON or too deep, 413 for too many or too long records.
 */
export function readRecords(body: Uint8Array, contentType: string, limits: ResolvedLimits): NewRecord[] {
  if (!isJsonContentType(contentType)) {
    if (body.byteLength > limits.maxRecordBytes) throw recordTooLarge(limits);
    return [{ data: body }];
  }
  const text = decodeUtf8(body);
  const values = splitFlat(text) ?? splitChecked(text, limits);
  if (values.length > limits.maxBatchRecords) throw tooManyRecords(limits);
  return values.map((data) => {
    if (exceeds(data, limits.maxRecordBytes)) throw recordTooLarge(limits);
    return { data };
  });
}

function splitChecked(text: string, limits: ResolvedLimits): readonly string[] {
  const { values, depth } = splitJson(text);
  if (depth > limits.maxJsonDepth + 1) throw tooDeep(limits);
  if (!isJson(text)) throw badRequest('body', 'The body is not valid JSON.');
  return values;
}

/** True when the UTF-8 form of `text` is longer than `maxBytes`; encodes it only when its length in characters leaves that open. */
export function exceeds(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  return text.length * 3 > maxBytes && new TextEncoder().encode(text).byteLength > maxBytes;
}

/** 400: JSON nested deeper than readers can be expected to parse. */
export function tooDeep({ maxJsonDepth }: ResolvedLimits): HttpProblem {
  return limitExceeded('maxJsonDepth', `JSON may be nested ${maxJsonDepth} deep.`, 400);
}

/** 413: a record over the limit. */
export function recordTooLarge({ maxRecordBytes }: ResolvedLimits): HttpProblem {
  return limitExceeded('maxRecordBytes', `A record may have ${maxRecordBytes} bytes; split it.`);
}

/** 413: too many records at once. */
export function tooManyRecords({ maxBatchRecords }: ResolvedLimits): HttpProblem {
  return limitExceeded('maxBatchRecords', `A request may carry ${maxBatchRecords} records; send them in several.`);
}
