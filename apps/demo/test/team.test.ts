import { createMemoryStreamStore, decodeData, liveView, type StreamStore } from '@perennial/core';
import { expect, onTestFinished, test, vi } from 'vitest';

import { type Answer, type AnswerEvent, answerEventSchema, EMPTY_ANSWER, foldAnswer } from '../src/lib/answer.ts';
import { answerRunId } from '../src/lib/ids.ts';
import type { AskRequest } from '../src/lib/requests.ts';
import type { Answerer } from '../src/server/answer/answerer.ts';
import { createAnswers } from '../src/server/answer/answers.ts';
import { createModelAnswerer } from '../src/server/answer/model.ts';
import { createOfflineAnswerer } from '../src/server/answer/offline.ts';
import { ask } from '../src/server/chats/ask.ts';
import { readChat } from '../src/server/chats/snapshot.ts';
import { createCorpus } from '../src/server/corpus/corpus.ts';
import { fakeEndpoint, type Script } from './fake-endpoint.ts';
import { temporaryFolder } from './folder.ts';

const CHAT = 'chat-0001';
const REQUEST = { type: 'question', id: 'message-1', chatId: CHAT, text: 'What is a lease?', team: true } as const;
const DOCUMENTS = {
  'leases.md': `# Leases

## What is a lease?

A lease is a promise to give a sign of life. It lapses after a while. Bananas are yellow.

## How do I renew a lease?

Call renew in time. A lease that is renewed goes on.
`,
};

async function openCorpus(documents: Readonly<Record<string, string>> = DOCUMENTS) {
  return createCorpus({ base: await temporaryFolder(documents), paths: [''] });
}

interface ServerOptions {
  readonly store: StreamStore;
  readonly answerer: Answerer;
  readonly wordsPerSecond?: number;
}

function serve({ store, answerer, wordsPerSecond = 0 }: ServerOptions) {
  const answers = createAnswers({ store, answerer, wordsPerSecond, leaseMs: 5_000, checkDocuments: async () => {} });
  onTestFinished(() => answers.close());
  return { store, answers };
}

/** Asks and waits for the end. */
async function answered(server: ReturnType<typeof serve>, request: AskRequest = REQUEST) {
  const { answer } = await ask(server, request);
  await server.store.wait(answer, { position: Infinity });
  return ended(server.store, answer);
}

/** The events of an answer that stand. */
async function contents(store: StreamStore, streamId: string): Promise<AnswerEvent[]> {
  const { records } = await store.read(streamId, { from: 0, limit: 1_000 });
  return liveView(records).map(({ data }) => answerEventSchema.parse(decodeData(data)));
}

async function ended(store: StreamStore, streamId: string) {
  const found = (await readChat({ store }, CHAT))?.ended[streamId];
  if (!found) throw new Error('The answer has not ended.');
  return found;
}

const whole = (text: string): Script => {
  return (reply) => {
    reply.delta(text);
    reply.finish('stop');
    reply.done();
  };
};

test('three actors contribute, attributed and in order, and the text of the writer is the answer', async () => {
  const corpus = await openCorpus();
  const answerer = createOfflineAnswerer({ corpus, wordsPerSecond: 0 });
  const { answer, end } = await answered(serve({ store: createMemoryStreamStore(), answerer }));
  expect(end).toEqual({ outcome: 'completed' });
  expect(answer).toMatchObject({
    answerer: { kind: 'offline', name: 'Team · Extracts' },
    sources: [{ file: 'leases.md', line: 3 }, { file: 'leases.md' }],
    team: {
      researcher: { state: 'done', text: expect.stringMatching(/^Found 2 passages/) },
      analyst: { state: 'done', text: expect.stringMatching(/^2 of 5 sentences/) },
      writer: { state: 'done', text: '' },
    },
  });
  const alone = await answered(serve({ store: createMemoryStreamStore(), answerer }), {
    type: 'question',
    id: REQUEST.id,
    chatId: CHAT,
    text: REQUEST.text,
  });
  expect(answer.text).toBe(alone.answer.text);
  expect(alone.answer.team).toBeUndefined();
});

test('a new answer to a question asked of the team is made by the team', async () => {
  const answerer = createOfflineAnswerer({ corpus: await openCorpus(), wordsPerSecond: 0 });
  const server = serve({ store: createMemoryStreamStore(), answerer });
  const first = await answered(server);
  const again = await answered(server, { type: 'regenerate', id: 'again-001', chatId: CHAT, question: REQUEST.id });
  expect(again).toEqual(first);
  expect((await readChat(server, CHAT))?.chat).toMatchObject([{ team: true }]);
});

// Its events are: begun, sources, then of each actor its progress, its words and its end. The writer has about a hundred words, so that the
// answer is far from its end at each of these, also where the machine is busy.
test.each([3, 12, 40, 80])('cut short at event %i, an answer goes on at the next server, whole', async (at) => {
  const prose = 'A lease lapses without a sign of life from whoever has it. '.repeat(8);
  const corpus = await openCorpus({ 'leases.md': `# Leases\n\n## What is a lease?\n\n${prose}\n` });
  const fast = createOfflineAnswerer({ corpus, wordsPerSecond: 0 });
  const expected = await answered(serve({ store: createMemoryStreamStore(), answerer: fast }));

  const store = createMemoryStreamStore();
  const slow = createOfflineAnswerer({ corpus, wordsPerSecond: 20 });
  const before = serve({ store, answerer: slow, wordsPerSecond: 20 });
  const { answer } = await ask(before, REQUEST);
  await store.wait(answer, { position: at });
  await before.answers.close();
  const cut = await contents(store, answer);
  expect((await store.head(answer))?.end).toBeNull();

  const after = serve({ store, answerer: fast });
  await after.answers.recover();
  await after.answers.handle(answerRunId(CHAT, REQUEST.id)).result;
  expect(await ended(store, answer)).toEqual(expected);
  // What had been written stands, and was not written again.
  expect((await contents(store, answer)).slice(0, cut.length)).toEqual(cut);
});

test('an actor that fails is shown as failed, and the answer says why', async () => {
  const { baseUrl } = await fakeEndpoint(whole('- It lapses [1]'), (reply) => reply.fail(401, 'no'));
  const answerer = createModelAnswerer({
    corpus: await openCorpus(),
    baseUrl,
    apiKey: 'none',
    model: 'tiny',
    maxRetries: 0,
  });
  const { answer, end } = await answered(serve({ store: createMemoryStreamStore(), answerer }));
  expect(answer.team).toMatchObject({
    researcher: { state: 'done' },
    analyst: { state: 'done', text: '- It lapses [1]' },
    writer: { state: 'failed' },
  });
  expect(end).toMatchObject({ outcome: 'failed', error: { code: 'MODEL_UNAUTHORISED' } });
});

test('what went wrong inside of an actor is told to the operator only', async () => {
  const log = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const answerer: Answerer = {
    ...createOfflineAnswerer({ corpus: await openCorpus(), wordsPerSecond: 0 }),
    async *answer() {
      yield { type: 'sources', answerer: this.info, sources: [] };
      throw new Error('secret path /etc');
    },
  };
  const failed = await answered(serve({ store: createMemoryStreamStore(), answerer }));
  expect(failed.end).toMatchObject({ outcome: 'failed', error: { code: 'INTERNAL' } });
  expect(JSON.stringify(failed)).not.toContain('secret');
  await vi.waitFor(() => expect(log.mock.calls.join('\n')).toContain('secret path /etc'), { timeout: 10_000 });
});

test('Stop ends what the team says, and keeps it', async () => {
  const answerer = createOfflineAnswerer({ corpus: await openCorpus(), wordsPerSecond: 50 });
  const store = createMemoryStreamStore();
  const server = serve({ store, answerer, wordsPerSecond: 50 });
  const { answer } = await ask(server, REQUEST);
  await store.wait(answer, { position: 6 });
  await server.answers.handle(answerRunId(CHAT, REQUEST.id)).cancel('enough');
  await store.wait(answer, { position: Infinity });
  const { answer: kept, end } = await ended(store, answer);
  expect(end).toMatchObject({ outcome: 'cancelled', reason: 'enough' });
  expect(kept.team).toMatchObject({ researcher: { state: 'working', text: expect.stringMatching(/^Found/) } });
  expect(kept.team?.writer).toBeUndefined();
});

test('contributions add up by actor', () => {
  const say = (actor: 'analyst' | 'writer', output: string) =>
    ({ type: 'contribution', actor, output, state: 'working' }) as const;
  const events = [say('analyst', 'a'), say('writer', 'b'), say('analyst', 'c'), say('writer', 'd')];
  expect(events.reduce<Answer>(foldAnswer, EMPTY_ANSWER)).toMatchObject({
    text: 'bd',
    team: { analyst: { text: 'ac', state: 'working' }, writer: { text: '' } },
  });
});
