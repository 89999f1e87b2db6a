import {
  createMemoryStreamStore,
  decodeData,
  getStreamWriter,
  liveView,
  runJournalId,
  type StreamStore,
} from '@perennial/core';
import { expect, onTestFinished, test } from 'vitest';

import { type AnswerEvent, EMPTY_ANSWER, foldAnswer } from '../src/lib/answer.ts';
import { answerRunId, answerStreamId } from '../src/lib/ids.ts';
import type { Answerer, AnswerTask } from '../src/server/answer/answerer.ts';
import { type Answers, createAnswers } from '../src/server/answer/answers.ts';
import { createOfflineAnswerer } from '../src/server/answer/offline.ts';
import { ask } from '../src/server/chats/ask.ts';
import { readChat } from '../src/server/chats/snapshot.ts';
import { checkDocuments } from '../src/server/check-documents.ts';
import { createCorpus } from '../src/server/corpus/corpus.ts';
import { temporaryFolder } from './folder.ts';

const CHAT = 'chat-0001';
const REQUEST = { type: 'question', id: 'message-1', chatId: CHAT, text: 'One?' } as const;
const RUN = answerRunId(CHAT, REQUEST.id);
const ANSWER = answerStreamId(CHAT, REQUEST.id);
const FOUND = { matches: [], hasDocuments: true };

/** A server's answers; the store outlives it. */
function serve(store: StreamStore, answerer: Answerer, check: () => Promise<void> = async () => {}): Answers {
  const answers = createAnswers({ store, answerer, leaseMs: 5_000, checkDocuments: check });
  onTestFinished(() => answers.close());
  return answers;
}

/** Writes the words of `text` that are not written yet; before word `stopAt` it says so, and waits for ever. */
function wordByWord(text: string, { stopAt = Infinity, continues = true, name = 'Words' } = {}) {
  const stopped = Promise.withResolvers<void>();
  const tasks: AnswerTask[] = [];
  const answerer: Answerer = {
    info: { kind: 'offline', name },
    continues,
    find: async () => FOUND,
    async *answer(task, signal) {
      tasks.push(task);
      if (task.written.answerer === null) yield { type: 'sources', answerer: this.info, sources: [] };
      const words = text.slice(task.written.text.length).match(/\S+\s*/g) ?? [];
      for (const [index, delta] of words.entries()) {
        if (index === stopAt) {
          stopped.resolve();
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
          return;
        }
        yield { type: 'text', delta };
      }
    },
  };
  return { answerer, stopped: stopped.promise, tasks };
}

async function contents(store: StreamStore) {
  const { records, head } = await store.read(ANSWER, { from: 0, limit: 1_000 });
  const events = liveView(records).map(({ data }) => decodeData(data) as AnswerEvent);
  return { raw: records.length, end: head.end, ...events.reduce(foldAnswer, EMPTY_ANSWER) };
}

test('the next server goes on with an answer at the word where the last one stopped', async () => {
  const store = createMemoryStreamStore();
  const first = wordByWord('one two three four', { stopAt: 2 });
  const before = serve(store, first.answerer);
  await ask({ store, answers: before }, REQUEST);
  await first.stopped;
  await store.wait(ANSWER, { position: 3 });
  await before.close();
  expect(await contents(store)).toMatchObject({ text: 'one two ', end: null });

  const second = wordByWord('one two three four');
  const after = serve(store, second.answerer);
  expect(await after.recover()).toEqual({ runIds: [RUN] });
  expect((await after.handle(RUN).result).ok).toBe(true);
  // begun, sources and four words: nothing was written twice, and nothing had to be taken back.
  expect(await contents(store)).toMatchObject({ raw: 6, text: 'one two three four', end: { outcome: 'completed' } });
  expect(second.tasks).toMatchObject([{ written: { text: 'one two ' }, findings: FOUND }]);
  expect((await readChat({ store }, CHAT))?.position).toBe(1);
  expect(await after.recover()).toEqual({ runIds: [] });
});

test('an answer that cannot be continued is taken back and made anew', async () => {
  const store = createMemoryStreamStore();
  const first = wordByWord('one two three four', { stopAt: 2, continues: false });
  const before = serve(store, first.answerer);
  await ask({ store, answers: before }, REQUEST);
  await first.stopped;
  await store.wait(ANSWER, { position: 3 });
  await before.close();

  const after = serve(store, wordByWord('a different sample', { continues: false, name: 'Other' }).answerer);
  await after.recover();
  await after.handle(RUN).result;
  const chat = await readChat({ store }, CHAT);
  expect(chat?.ended[ANSWER]).toEqual({
    answer: { answerer: { kind: 'offline', name: 'Other' }, sources: [], text: 'a different sample' },
    end: { outcome: 'completed' },
  });
});

test('a question whose server died before it was noted is noted by the next one, once', async () => {
  const store = createMemoryStreamStore();
  const reached = Promise.withResolvers<void>();
  const create: StreamStore['create'] = (id, options) => {
    if (!id.startsWith('chats/')) return store.create(id, options);
    reached.resolve();
    return new Promise(() => {});
  };
  // Of a server that dies before the conversation exists.
  const dying = new Proxy(store, {
    get(target, name) {
      if (name === 'create') return create;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const before = serve(dying, wordByWord('one').answerer);
  void ask({ store: dying, answers: before }, REQUEST).catch(() => undefined);
  await reached.promise;
  await before.close();
  expect(await readChat({ store }, CHAT)).toBeNull();

  const after = serve(store, wordByWord('one').answerer);
  await after.recover();
  await after.handle(RUN).result;
  expect(await readChat({ store }, CHAT)).toMatchObject({
    chat: [{ id: REQUEST.id, text: 'One?', answer: ANSWER }],
    position: 1,
  });
});

test('a run that finds its documents gone fails, and says so to the reader', async () => {
  const store = createMemoryStreamStore();
  const asking = Promise.withResolvers<void>();
  const { answerer: unasked } = wordByWord('one');
  const find: Answerer['find'] = () => {
    asking.resolve();
    return new Promise(() => {});
  };
  const before = serve(store, { ...unasked, find });
  await ask({ store, answers: before }, REQUEST);
  await asking.promise;
  await before.close();

  const base = `${await temporaryFolder()}/orchard`;
  const corpus = createCorpus({ base, paths: [''] });
  const answerer = createOfflineAnswerer({ corpus, wordsPerSecond: 0 });
  const after = serve(store, answerer, () =>
    checkDocuments({ documents: { base, paths: [''] }, documentsLabel: 'orchard' }),
  );
  await after.recover();
  await after.handle(RUN).result;
  expect((await readChat({ store }, CHAT))?.ended[ANSWER]?.end).toMatchObject({
    outcome: 'failed',
    error: {
      code: 'DOCUMENTS_GONE',
      message: 'The folder of the documents (orchard) cannot be found any more. Put it back and try again.',
    },
  });
});

test('an answer that was begun by another answerer fails, keeps what it has, and says why', async () => {
  const store = createMemoryStreamStore();
  const first = wordByWord('one two three', { stopAt: 1, name: 'tiny' });
  const before = serve(store, first.answerer);
  await ask({ store, answers: before }, REQUEST);
  await first.stopped;
  await store.wait(ANSWER, { position: 2 });
  await before.close();

  const corpus = createCorpus({ base: await temporaryFolder(), paths: [''] });
  const after = serve(store, createOfflineAnswerer({ corpus, wordsPerSecond: 0 }));
  await after.recover();
  await after.handle(RUN).result;
  expect((await readChat({ store }, CHAT))?.ended[ANSWER]).toMatchObject({
    answer: { text: 'one ' },
    end: { outcome: 'failed', error: { code: 'CANNOT_CONTINUE', message: expect.stringContaining('“tiny”') } },
  });
});

test('an answer that was stopped while no server wrote it stays stopped', async () => {
  const store = createMemoryStreamStore();
  const first = wordByWord('one two three', { stopAt: 1 });
  const before = serve(store, first.answerer);
  await ask({ store, answers: before }, REQUEST);
  await first.stopped;
  await before.close();
  await store.mark(runJournalId(RUN), { type: 'cancel', reason: 'enough' });

  const second = wordByWord('one two three');
  const after = serve(store, second.answerer);
  await after.recover();
  await after.handle(RUN).result;
  expect(await contents(store)).toMatchObject({ text: 'one ', end: { outcome: 'cancelled', reason: 'enough' } });
  expect(second.tasks).toEqual([]);
  const late = getStreamWriter<AnswerEvent>({ store, streamId: ANSWER, create: false });
  await late.write({ type: 'text', delta: 'late' });
  expect((await late.flush()).ok).toBe(false);
});
