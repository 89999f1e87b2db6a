import { absence } from './absence.ts';
import { type StreamHttpAnswer, emptyAnswer } from './answer.ts';
import type { HandlerContext, StreamRequest } from './context.ts';

/** `DELETE {stream}`. */
export async function handleDelete(
  { guard, store, quota }: HandlerContext,
  { request, id }: StreamRequest,
): Promise<StreamHttpAnswer> {
  await guard(request, id, 'delete');
  if (!(await store.delete(id))) throw await absence(store, id);
  quota.removed();
  return emptyAnswer(204);
}
