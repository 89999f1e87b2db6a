import { decodeData, type StreamHead, type StreamStore } from '@perennial/core';

import { chatEventSchema, type ChatSummary, chatTitle } from '../../lib/chat.ts';
import { chatPrefix } from '../../lib/ids.ts';
import type { Demo } from '../demo.ts';

const MESSAGES = /^chats\/([^/]+)\/messages$/;

/** Every conversation, the one with the latest question first. */
export async function listChats({ store }: Pick<Demo, 'store'>): Promise<ChatSummary[]> {
  const heads = await listHeads(store, 'chats/');
  const summaries = await Promise.all(heads.map((head) => summarise(store, head)));
  return summaries.flat().toSorted((a, b) => b.updatedAt - a.updatedAt);
}

/** Removes a conversation with all its answers, stopping the ones that are being written. False when there was none. */
export async function deleteChat(
  { store, running }: Pick<Demo, 'store' | 'running'>,
  chatId: string,
): Promise<boolean> {
  const heads = await listHeads(store, chatPrefix(chatId));
  for (const { id } of heads) {
    const produced = await running.get(id);
    if (!produced) continue;
    await store.mark(id, { type: 'cancel', reason: 'The conversation was deleted.' });
    await produced.done;
  }
  await Promise.all(heads.map(({ id }) => store.delete(id)));
  return heads.length > 0;
}

async function listHeads(store: StreamStore, prefix: string): Promise<StreamHead[]> {
  const heads: StreamHead[] = [];
  let after: string | undefined;
  do {
    const page = await store.list({ prefix, ...(after !== undefined && { after }) });
    heads.push(...page.streams);
    after = page.next;
  } while (after !== undefined);
  return heads;
}

async function summarise(store: StreamStore, { id, firstPosition, nextPosition }: StreamHead): Promise<ChatSummary[]> {
  const chatId = MESSAGES.exec(id)?.[1];
  if (chatId === undefined || nextPosition === firstPosition) return [];
  const [first, last] = await Promise.all([
    store.read(id, { from: firstPosition, limit: 1 }),
    store.read(id, { from: nextPosition - 1, limit: 1 }),
  ]);
  const [question, latest] = [first.records[0], last.records[0]];
  if (question?.kind !== 'data' || !latest) return [];
  const event = chatEventSchema.parse(decodeData(question.data));
  return [
    {
      id: chatId,
      title: event.type === 'question' ? chatTitle(event.text) : chatTitle(''),
      updatedAt: latest.timestamp,
    },
  ];
}
