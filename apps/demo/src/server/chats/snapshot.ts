import { answerEventSchema, EMPTY_ANSWER, foldAnswer } from '../../lib/answer.ts';
import { chatEventSchema, foldChat } from '../../lib/chat.ts';
import { messagesStreamId } from '../../lib/ids.ts';
import type { ChatSnapshot, EndedAnswer } from '../../lib/snapshot.ts';
import type { Demo } from '../demo.ts';
import { readNow } from './read-now.ts';

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
