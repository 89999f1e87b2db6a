import type { StreamHead } from '../log/head.ts';
import type { CreateOptions } from '../log/store.ts';
import { readBody } from './body.ts';
import type { HandlerContext, StreamRequest } from './context.ts';
import { createFork, resolveFork } from './fork.ts';
import { readContentType, readRecords } from './payload.ts';
import { readEnd, readForkHeaders, readLifetime } from './request-headers.ts';
import { emptyResponse } from './responses.ts';
import { stateHeaders } from './state.ts';
import { HEADER } from './wire.ts';

const DEFAULT_CONTENT_TYPE = 'application/octet-stream';

/** `PUT {stream}`: creates a stream, or confirms that it exists with the same configuration (PROTOCOL.md, "Create"). */
export async function handleCreate(context: HandlerContext, { request, url, id }: StreamRequest): Promise<Response> {
  await context.guard(request, id, 'create');
  const given = readContentType(request);
  const headers = readForkHeaders(request);
  const asked = headers && (await resolveFork(context, { request, url, id }, headers));
  const contentType = given ?? (asked ? asked.contentType : DEFAULT_CONTENT_TYPE);
  const lifetime = readLifetime(request);
  const end = readEnd(request);
  const body = await readBody(request, context.limits.maxBodyBytes);
  const records = body.byteLength > 0 ? readRecords(body, contentType ?? DEFAULT_CONTENT_TYPE, context.limits) : [];
  const options: CreateOptions = {
    ...(contentType !== undefined && { contentType }),
    ...lifetime,
    ...(records.length > 0 && { records }),
    ...(end && { end }),
  };
  const { created, head } = await context.quota.create(id, () =>
    asked ? createFork(context, id, { ...options, fork: asked.fork }) : context.store.create(id, options),
  );
  return emptyResponse(created ? 201 : 200, {
    'Content-Type': head.contentType,
    ...(created && { Location: `${url.origin}${url.pathname}${url.search}` }),
    ...tailHeaders(head),
  });
}

/** Headers of answers that tell about the tail without carrying records. */
export function tailHeaders(head: StreamHead): Record<string, string> {
  const headers = stateHeaders({ head, stalled: false }, { position: head.nextPosition });
  // The tail of a write is the writer's, not a promise to a reader that it has everything.
  delete headers[HEADER.upToDate];
  return headers;
}
