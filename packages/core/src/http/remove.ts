import { absence } from './absence.ts';
import type { HandlerContext, StreamRequest } from './context.ts';
import { emptyResponse } from './responses.ts';

/** `DELETE {stream}`. */
export async function handleDelete(
  { guard, store, quota }: HandlerContext,
  { request, id }: StreamRequest,
): Promise<Response> {
  await guard(request, id, 'delete');
  if (!(await store.delete(id))) throw await absence(store, id);
  quota.removed();
  return emptyResponse(204);
}
