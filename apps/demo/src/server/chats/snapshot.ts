import type { StreamEnd } from '@perennial/core';

import { type Answer, answerEventSchema, EMPTY_ANSWER, foldAnswer } from '../../lib/answer.ts';
import { type Chat, chatEventSchema, foldChat } from '../../lib/chat.ts';
import { messagesStreamId } from '../../lib/ids.ts';
import type { Demo } from '../demo.ts';
import { readNow } from './read-now.ts';

/** An answer that has ended, whole. */
export interface EndedAnswer {
  readonly answer: Answer;
  readonly end: StreamEnd;
}

/** A conversation as the server knows it when a page is rendered; the browser goes on from here. */
export interface ChatSnapshot {
  readonly chatId: string;
  readonly chat: Chat;
  /** Position in the conversation's stream at which `chat` was taken. */
  readonly position: number;
  /** Ended answers by stream id. Open ones are left to the browser, which follows them live. */
  readonly ended: Readonly<Record<string, EndedAnswer>>;
}

/** Reads a conversation; null when there is none of this id. */
export async function readChat({ store }: Pick<Demo, 'store'>, chatId: string): Promise<ChatSnapshot | null> {
  const messages = await readNow(store, messagesStreamId(chatId), chatEventSchema);
  if (!messages) return null;
  const chat = messages.values.reduce(foldChat, []);
  const answers = await Promise.all(
    chat.map(async ({ answer: streamId }): Promise<[string, EndedAnswer][]> => {
      const now = await readNow(store, streamId, answerEventSchema);
      return now?.end ? [[streamId, { answer: now.values.reduce(foldAnswer, EMPTY_ANSWER), end: now.end }]] : [];
    }),
  );
  return { chatId, chat, position: messages.position, ended: Object.fromEntries(answers.flat()) };
}
