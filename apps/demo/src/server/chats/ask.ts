import { getStreamWriter, PublicError, produceStream, type ProducedStream, type Result } from '@perennial/core';

import type { AnswerEvent } from '../../lib/answer.ts';
import type { ChatEvent } from '../../lib/chat.ts';
import { answerStreamId, messagesStreamId } from '../../lib/ids.ts';
import type { AskRequest } from '../../lib/requests.ts';
import type { ChatSnapshot } from '../../lib/snapshot.ts';
import type { Question } from '../answer/answerer.ts';
import type { Demo } from '../demo.ts';
import { logError } from '../log-error.ts';
import { readChat } from './snapshot.ts';

/** What became of a request. */
export interface Asked {
  readonly chatId: string;
  /** Stream id of the answer. */
  readonly answer: string;
}

/**
 * Starts an answer and notes the request in the conversation. Repeating a request, also after a restart, starts nothing a second time: the
 * answer's stream is named after the request's id, and the note is written by a producer of that id.
 *
 * @throws `PublicError` `NOT_FOUND` when a question to answer again does not exist.
 */
export async function ask(demo: Demo, request: AskRequest): Promise<Asked> {
  const { chatId, id } = request;
  const answer = answerStreamId(chatId, id);
  const before = await readChat(demo, chatId);
  const question = toQuestion(request, before);
  await startOnce(demo, answer, question);
  await note(demo, chatId, {
    id,
    event:
      request.type === 'question'
        ? { type: 'question', id, text: request.text, answer }
        : { type: 'regenerate', question: request.question, answer },
  });
  return { chatId, answer };
}

function toQuestion(request: AskRequest, before: ChatSnapshot | null): Question {
  const chat = before?.chat ?? [];
  const asked = request.type === 'question' ? request.id : request.question;
  const index = chat.findIndex(({ id }) => id === asked);
  const text = request.type === 'question' ? request.text : chat[index]?.text;
  if (text === undefined) throw new PublicError('NOT_FOUND', 'The question to answer again does not exist any more.');
  const earlier = index === -1 ? chat : chat.slice(0, index);
  const history = earlier.flatMap(({ text: question, answer }) => {
    const ended = before?.ended[answer];
    return ended?.end.outcome === 'completed' ? [{ question, answer: ended.answer.text }] : [];
  });
  return { text, history };
}

/** Several requests for one answer at the same time share one start. */
async function startOnce(demo: Demo, streamId: string, question: Question): Promise<void> {
  const { running } = demo;
  let starting = running.get(streamId);
  if (!starting) {
    starting = start(demo, streamId, question);
    running.set(streamId, starting);
    const forget = (): void => void running.delete(streamId);
    starting.then((produced) => produced?.done.then(forget) ?? forget(), forget);
  }
  await starting;
}

/** Resolves once the answer's stream exists; null when it did before. */
async function start(
  { store, answerer, config: { leaseMs } }: Demo,
  streamId: string,
  question: Question,
): Promise<ProducedStream | null> {
  if (await store.head(streamId)) return null;
  const produced = produceStream<AnswerEvent>({ store, streamId, leaseMs }, async (writer) => {
    for await (const event of answerer.answer(question, writer.signal)) orThrow(await writer.write(event));
  });
  orThrow(await produced.opened);
  void produced.done.then(({ error }) => {
    if (error && !error.public) logError(`The answer ${streamId} failed`, error.stack ?? error.message);
  });
  return produced;
}

async function note(
  { store }: Demo,
  chatId: string,
  { id, event }: { readonly id: string; readonly event: ChatEvent },
): Promise<void> {
  const writer = getStreamWriter<ChatEvent>({
    store,
    streamId: messagesStreamId(chatId),
    producer: { id, epoch: 0, seq: 0 },
  });
  orThrow(await writer.write(event));
  orThrow(await writer.flush());
}

function orThrow(result: Result<void, Error>): void {
  if (!result.ok) throw result.error;
}
