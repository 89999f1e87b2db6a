import type { CreateOptions } from '../log/store.ts';
import { type StreamHttpAnswer, emptyAnswer } from './answer.ts';
import { readBody } from './body.ts';
import type { HandlerContext, StreamRequest } from './context.ts';
import { createFork, resolveFork } from './fork.ts';
import type { RoutedRequest } from './http-request.ts';
import { readContentType, readRecords } from './payload.ts';
import { readEnd, readForkHeaders, readLifetime } from './request-headers.ts';
import { tailHeaders } from './state.ts';

const DEFAULT_CONTENT_TYPE = 'application/octet-stream';

/** `PUT {stream}`: creates a stream, or confirms that it exists with the same configuration (PROTOCOL.md, "Create"). */
export async function handleCreate(context: HandlerContext, { request, id }: StreamRequest): Promise<StreamHttpAnswer> {
  await context.guard(request, id, 'create');
  const given = readContentType(request);
  const headers = readForkHeaders(request);
  const asked = headers && (await resolveFork(context, { request, id }, headers));
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
  return emptyAnswer(created ? 201 : 200, {
    'Content-Type': head.contentType,
    ...(created && { Location: locationOf(request) }),
    ...tailHeaders(head),
  });
}

function locationOf({ url }: RoutedRequest): string {
  const { origin, pathname, search } = new URL(url);
  return `${origin}${pathname}${search}`;
}
