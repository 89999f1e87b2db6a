import { isStreamNotFound } from '../log/errors.ts';
import type { StreamHead } from '../log/head.ts';
import { journalIdOf } from '../log/stream-id.ts';
import { type StreamHttpAnswer, emptyAnswer } from './answer.ts';
import { decodeUtf8, readBody } from './body.ts';
import type { HandlerContext, StreamRequest } from './context.ts';
import { isJson } from './json-array.ts';
import { badRequest, limitExceeded } from './problem.ts';
import { tailHeaders } from './state.ts';

const MAX_REASON_LENGTH = 1_024;

/** `POST {stream}?perennial-cancel`: asks the producer to stop (PROTOCOL.md, "Cancel requests"). An ended stream answers how it ended. */
export async function handleCancel(
  { guard, store, limits }: HandlerContext,
  { request, id }: StreamRequest,
): Promise<StreamHttpAnswer> {
  await guard(request, id, 'cancel');
  const reason = readReason(decodeUtf8(await readBody(request, limits.maxBodyBytes)));
  const mark = { type: 'cancel', ...(reason !== undefined && { reason }) } as const;
  let head: StreamHead;
  try {
    head = await store.mark(id, mark);
  } catch (error) {
    const journalId = journalIdOf(id);
    if (journalId === null || !isStreamNotFound(error)) throw error;
    // The run has not opened the stream yet, and may never: the wish is for whoever would write it.
    await store.mark(journalId, mark);
    return emptyAnswer(204);
  }
  // The owner is what writes the stream: nobody else could act upon the wish.
  if (head.owner !== null && !head.end) await store.mark(head.owner, mark).catch(ignoreNotFound);
  return emptyAnswer(204, tailHeaders(head));
}

function ignoreNotFound(error: unknown): void {
  if (!isStreamNotFound(error)) throw error;
}

function readReason(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  const body: unknown = isJson(text) ? JSON.parse(text) : null;
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw badRequest('body', 'The body of a cancel request is empty or {"reason": "…"}.');
  const reason: unknown = 'reason' in body ? body.reason : undefined;
  if (reason === undefined) return undefined;
  if (typeof reason !== 'string' || !reason.isWellFormed())
    throw badRequest('reason', 'A cancel reason must be a well-formed string.');
  if (reason.length > MAX_REASON_LENGTH)
    throw limitExceeded('reason', `A cancel reason may have ${MAX_REASON_LENGTH} characters.`);
  return reason;
}
