import { PublicError } from '@perennial/core';

import type { AnswerEvent } from '../../lib/answer.ts';
import type { ChatEvent } from '../../lib/chat.ts';
import { ANSWER_NAMESPACE, answerRunId, answerStreamId } from '../../lib/ids.ts';
import type { AskRequest } from '../../lib/requests.ts';
import type { ChatSnapshot } from '../../lib/snapshot.ts';
import { HISTORY_TURNS, type Question } from '../answer/answerer.ts';
import type { Demo } from '../demo.ts';
import { orThrow } from '../or-throw.ts';
import { note } from './note.ts';
import { readChat } from './snapshot.ts';

/** What became of a request. */
export interface Asked {
  readonly chatId: string;
  /** Stream id of the answer. */
  readonly answer: string;
}

/** Longest wait for an answer to begin, which another server may have to take over first. */
const BEGIN_TIMEOUT_MS = 30_000;

/**
 * Starts the run of an answer, and resolves once the conversation shows the question and the answer can be read. Repeating a request, also
 * after a restart or at another server, starts nothing a second time: the run is named after the request's id.
 *
 * @throws `PublicError` `NOT_FOUND` when a question to answer again does not exist.
 */
export async function ask({ store, answers }: Pick<Demo, 'store' | 'answers'>, request: AskRequest): Promise<Asked> {
  const { chatId, id } = request;
  const before = await readChat({ store }, chatId);
  const question = toQuestion(request, before);
  const noted = { chatId, id, event: toEvent(request) };
  const run = await answers.start({
    id: answerRunId(chatId, id),
    input: { question, note: noted, ...(ofTeam(request, before) && { team: true }) },
  });
  const reader = run.reader<AnswerEvent>({ namespace: ANSWER_NAMESPACE, pollTimeout: BEGIN_TIMEOUT_MS });
  orThrow(await reader.read());
  // The run does so, too: whoever comes first. The page goes to the conversation as soon as it has this answer.
  await note(store, noted);
  return { chatId, answer: answerStreamId(chatId, id) };
}

function toEvent(request: AskRequest): ChatEvent {
  const answer = answerStreamId(request.chatId, request.id);
  return request.type === 'question'
    ? { type: 'question', id: request.id, text: request.text, answer, ...(request.team && { team: true }) }
    : { type: 'regenerate', question: request.question, answer };
}

/** A new answer is made the way the question asked for. */
function ofTeam(request: AskRequest, before: ChatSnapshot | null): boolean {
  if (request.type === 'question') return request.team ?? false;
  return before?.chat.find(({ id }) => id === request.question)?.team ?? false;
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
  return { text, history: history.slice(-HISTORY_TURNS) };
}
