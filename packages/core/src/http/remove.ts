import type { HandlerContext, StreamRequest } from './context.ts';
import { notFound } from './problem.ts';
import { emptyResponse } from './responses.ts';

/** `DELETE {stream}`. */
export async function handleDelete(
  { guard, store, quota }: HandlerContext,
  { request, id }: StreamRequest,
): Promise<Response> {
  await guard(request, id, 'delete');
  if (!(await store.delete(id))) throw notFound();
  quota.removed();
  return emptyResponse(204);
}
