import { setTimeout as sleep } from 'node:timers/promises';

import {
  decodeData,
  getStreamWriter,
  isStreamNotFound,
  type StreamEnd,
  type StreamHead,
  type StreamStore,
} from '@perennial/core';

import { chatEventSchema, type ChatSummary, chatTitle } from '../../lib/chat.ts';
import { answersPrefix, messagesStreamId } from '../../lib/ids.ts';
import type { Demo } from '../demo.ts';

const DELETED = { outcome: 'cancelled', reason: 'The conversation was deleted.' } as const satisfies StreamEnd;
const MESSAGES = /^chats\/([^/]+)\/messages$/;
const JOURNAL = /^runs\/([^/]+)\/\$journal$/;
/** Longest wait for a run that is to stop. */
const STOP_TIMEOUT_MS = 10_000;

/** Every conversation, the one with the latest question first. */
export async function listChats({ store }: Pick<Demo, 'store'>): Promise<ChatSummary[]> {
  const heads = await listHeads(store, 'chats/');
  const summaries = await Promise.all(heads.map((head) => summarise(store, head).catch(ifDeleted)));
  return summaries.flat().toSorted((a, b) => b.updatedAt - a.updatedAt);
}

/** Removes a conversation with all its answers, stopping the ones that are being written. False when there was none. */
export async function deleteChat(
  { store, answers }: Pick<Demo, 'store' | 'answers'>,
  chatId: string,
): Promise<boolean> {
  const [messages, runs] = await Promise.all([
    store.head(messagesStreamId(chatId)),
    listHeads(store, answersPrefix(chatId)),
  ]);
  await Promise.all(runs.map((head) => stopRun(answers, head)));
  // A typed end tells pages that follow the conversation what became of it; a stream that is only gone looks like a failure.
  if (messages) await getStreamWriter({ store, streamId: messages.id, create: false }).end(DELETED);
  const heads = messages ? [messages, ...runs] : runs;
  await Promise.all(heads.map(({ id }) => store.delete(id)));
  return heads.length > 0;
}

/** Stops the run that a journal is of, and waits until it has stopped; not for ever, because its server may be lost. */
async function stopRun(answers: Demo['answers'], { id, end }: StreamHead): Promise<void> {
  const runId = JOURNAL.exec(id)?.[1];
  if (runId === undefined || end) return;
  const run = answers.handle(runId);
  await run.cancel(DELETED.reason);
  const waited = new AbortController();
  await Promise.race([run.result, sleep(STOP_TIMEOUT_MS, undefined, { signal: waited.signal }).catch(() => undefined)]);
  waited.abort();
}

/** One that was deleted since it was listed is left out. */
function ifDeleted(error: unknown): [] {
  if (isStreamNotFound(error)) return [];
  throw error;
}

/** Every stream whose id begins so. */
export async function listHeads(store: StreamStore, prefix: string): Promise<StreamHead[]> {
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
