import { runStreamId } from '@perennial/core';
import { z } from 'zod';

/** Ids of conversations and messages: they become segments of stream ids and of URLs. */
export const idSchema = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/, 'must be 8 to 64 letters, digits, "-" or "_"');

/** A new random id of 20 letters and digits. Unlike `crypto.randomUUID` this also works on plain HTTP in a local network. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  return Array.from(bytes, (byte) => (byte % 36).toString(36)).join('');
}

/** Stream of a conversation's questions. It never ends. */
export function messagesStreamId(chatId: string): string {
  return `chats/${chatId}/messages`;
}

/** Namespace of an answer in its run. */
export const ANSWER_NAMESPACE = 'answer';

/** Run that makes an answer. It is named after the request that asked for it, so that a repeated request finds the same run. */
export function answerRunId(chatId: string, requestId: string): string {
  // No id has a dot in it, so neither the other half of the name nor another conversation can be mistaken for this one.
  return `${chatId}.${requestId}`;
}

/** Prefix of every stream of the runs of a conversation. */
export function answersPrefix(chatId: string): string {
  return `runs/${answerRunId(chatId, '')}`;
}

/** Stream of one answer. */
export function answerStreamId(chatId: string, requestId: string): string {
  return runStreamId(answerRunId(chatId, requestId), ANSWER_NAMESPACE);
}

/** Where this app serves a stream. */
export function streamUrl(streamId: string): string {
  return `/api/streams/${streamId.split('/').map(encodeURIComponent).join('/')}`;
}
