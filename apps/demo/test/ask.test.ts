import { createMemoryStreamStore, getStreamReader } from '@perennial/core';
import { expect, onTestFinished, test, vi } from 'vitest';

import type { AnswerEvent } from '../src/lib/answer.ts';
import { answerRunId, answerStreamId, messagesStreamId } from '../src/lib/ids.ts';
import type { AskRequest } from '../src/lib/requests.ts';
import type { Answerer, AnswerTask, Question } from '../src/server/answer/answerer.ts';
import { createAnswers } from '../src/server/answer/answers.ts';
import { ask } from '../src/server/chats/ask.ts';
import { deleteChat, listChats } from '../src/server/chats/list.ts';
import { readChat } from '../src/server/chats/snapshot.ts';
import { readConfig } from '../src/server/config.ts';
import { createCorpus } from '../src/server/corpus/corpus.ts';
import type { Demo } from '../src/server/demo.ts';
import { Importer } from '../src/server/knowledge/importer.ts';

const CHAT = 'chat-0001';

/** A demo on a store in memory; `now` of the store grows with each call, and answers end when they are told to. */
function open(write?: (task: AnswerTask, signal: AbortSignal) => AsyncIterable<AnswerEvent>) {
  const asked: Question[] = [];
  let time = 0;
  const answerer: Answerer = {
    info: { kind: 'offline', name: 'Test' },
    continues: true,
    find: async () => ({ matches: [], hasDocuments: true }),
    async *answer(task, signal) {
      asked.push(task.question);
      yield { type: 'sources', answerer: this.info, sources: [] };
      if (write) yield* write(task, signal);
      else yield { type: 'text', delta: `Answer to ${task.question.text}` };
    },
  };
  const store = createMemoryStreamStore({ now: () => ++time });
  const answers = createAnswers({ store, answerer, leaseMs: 5_000, checkDocuments: async () => {} });
  onTestFinished(() => answers.close());
  const demo: Demo = {
    config: readConfig({}, '/srv/apps/demo'),
    store,
    importer: new Importer({ store, importRoot: null }),
    corpus: createCorpus({ base: '/nowhere', paths: [] }),
    answerer,
    answers,
  };
  return { demo, store, asked };
}

function question(id: string, text: string, chatId = CHAT): AskRequest {
  return { type: 'question', id, chatId, text };
}

/** Waits until an answer's stream has ended. */
async function ended({ store }: Demo, streamId: string): Promise<void> {
  await store.wait(streamId, { position: Infinity });
}

async function* untilStopped(_: AnswerTask, signal: AbortSignal): AsyncGenerator<AnswerEvent> {
  yield { type: 'text', delta: 'Begun' };
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
}

test('answers a question in a stream of its own, and notes it in the conversation', async () => {
  const { demo } = open();
  const { answer } = await ask(demo, question('message-1', 'One?'));
  expect(answer).toBe(answerStreamId(CHAT, 'message-1'));
  await ended(demo, answer);
  expect(await readChat(demo, CHAT)).toEqual({
    chatId: CHAT,
    chat: [{ id: 'message-1', text: 'One?', answer }],
    position: 1,
    ended: {
      [answer]: {
        answer: { answerer: { kind: 'offline', name: 'Test' }, sources: [], text: 'Answer to One?' },
        end: { outcome: 'completed' },
      },
    },
  });
});

test('a request that is sent again, at once or later, makes one answer', async () => {
  const { demo, asked } = open();
  const request = question('message-1', 'One?');
  const [first, second] = await Promise.all([ask(demo, request), ask(demo, request)]);
  expect(first).toEqual(second);
  await ended(demo, first.answer);
  await ask(demo, request);
  expect(asked).toHaveLength(1);
  const chat = await readChat(demo, CHAT);
  expect(chat?.chat).toHaveLength(1);
  expect(chat?.position).toBe(1);
});

test('tells the answerer what was said before', async () => {
  const { demo, asked } = open();
  await ended(demo, (await ask(demo, question('message-1', 'One?'))).answer);
  await ended(demo, (await ask(demo, question('message-2', 'Two?'))).answer);
  expect(asked[1]).toEqual({ text: 'Two?', history: [{ question: 'One?', answer: 'Answer to One?' }] });
});

test('answers a question again, with what was said before it', async () => {
  const { demo, asked } = open();
  await ended(demo, (await ask(demo, question('message-1', 'One?'))).answer);
  await ended(demo, (await ask(demo, question('message-2', 'Two?'))).answer);
  const { answer } = await ask(demo, { type: 'regenerate', id: 'again-01', chatId: CHAT, question: 'message-1' });
  await ended(demo, answer);
  expect(asked[2]).toEqual({ text: 'One?', history: [] });
  expect((await readChat(demo, CHAT))?.chat.map(({ answer }) => answer)).toEqual([
    answer,
    answerStreamId(CHAT, 'message-2'),
  ]);
});

test('refuses to answer a question again that does not exist, and stores nothing', async () => {
  const { demo } = open();
  await expect(
    ask(demo, { type: 'regenerate', id: 'again-01', chatId: CHAT, question: 'message-9' }),
  ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await listChats(demo)).toEqual([]);
  expect(await demo.store.list()).toMatchObject({ streams: [] });
});

test('leaves an answer that is being written to its reader', async () => {
  const { demo } = open(untilStopped);
  const { answer } = await ask(demo, question('message-1', 'One?'));
  await demo.store.wait(answer, { position: 2 });
  expect((await readChat(demo, CHAT))?.ended).toEqual({});
  await demo.answers.handle(answerRunId(CHAT, 'message-1')).cancel('enough');
  await ended(demo, answer);
  expect((await readChat(demo, CHAT))?.ended[answer]).toMatchObject({
    answer: { text: 'Begun' },
    end: { outcome: 'cancelled', reason: 'enough' },
  });
});

test('keeps a failed answer with its failure, and tells internals to the operator only', async () => {
  const log = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const { demo } = open(async function* () {
    yield { type: 'text', delta: 'Half' };
    throw new Error('secret path /etc');
  });
  const { answer } = await ask(demo, question('message-1', 'One?'));
  await ended(demo, answer);
  const chat = await readChat(demo, CHAT);
  expect(chat?.ended[answer]).toMatchObject({
    answer: { text: 'Half' },
    end: { outcome: 'failed', error: { code: 'INTERNAL' } },
  });
  expect(JSON.stringify(chat)).not.toContain('secret');
  await vi.waitFor(() => expect(log.mock.calls.join('')).toContain('secret path /etc'));
});

test('lists conversations, the one asked last first', async () => {
  const { demo } = open();
  await ask(demo, question('message-1', 'First?', 'chat-000a'));
  await ask(demo, question('message-2', 'Second?', 'chat-000b'));
  await ask(demo, question('message-3', 'First again?', 'chat-000a'));
  expect((await listChats(demo)).map(({ id, title }) => ({ id, title }))).toEqual([
    { id: 'chat-000a', title: 'First?' },
    { id: 'chat-000b', title: 'Second?' },
  ]);
});

test('deletes a conversation with its answers, also while one is being written', async () => {
  const { demo } = open(untilStopped);
  const { answer } = await ask(demo, question('message-1', 'One?'));
  await ask(demo, question('message-2', 'Other?', 'chat-000b'));
  const reader = getStreamReader<AnswerEvent>({ store: demo.store, streamId: answer });
  await reader.read();
  expect(await deleteChat(demo, CHAT)).toBe(true);
  expect(await deleteChat(demo, CHAT)).toBe(false);
  expect(await readChat(demo, CHAT)).toBeNull();
  expect((await demo.store.list({ prefix: `runs/${CHAT}.` })).streams).toEqual([]);
  expect(await demo.store.head(messagesStreamId('chat-000b'))).not.toBeNull();
});
