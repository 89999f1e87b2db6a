import { z } from 'zod';

import { answerStreamId } from './ids.ts';
import type { AskRequest } from './requests.ts';

/** One value of a conversation's stream `chats/<id>/messages`. */
export const chatEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('question'),
    id: z.string(),
    text: z.string(),
    answer: z.string(),
    team: z.literal(true).optional(),
  }),
  z.object({ type: z.literal('regenerate'), question: z.string(), answer: z.string() }),
]);

/** See {@link chatEventSchema}. */
export type ChatEvent = z.infer<typeof chatEventSchema>;

/** A question and the stream that answers it. */
export interface Turn {
  /** Id of the question, chosen by the browser that asked. */
  readonly id: string;
  readonly text: string;
  /** Stream id of the latest answer. */
  readonly answer: string;
  /** True when it was asked of the team. */
  readonly team?: true;
}

/** What the events of a conversation add up to: its turns, oldest first. */
export type Chat = readonly Turn[];

/** Adds one event to a conversation. A question that is there already and a new answer to an unknown one change nothing. */
export function foldChat(chat: Chat, event: ChatEvent): Chat {
  switch (event.type) {
    case 'question':
      if (chat.some((turn) => turn.id === event.id)) return chat;
      return [...chat, { id: event.id, text: event.text, answer: event.answer, ...(event.team && { team: true }) }];
    case 'regenerate':
      return chat.map((turn) => (turn.id === event.question ? { ...turn, answer: event.answer } : turn));
  }
}

/** A request of this page that the conversation's stream has not shown yet. */
export interface PendingRequest {
  readonly request: AskRequest;
  /** False until the server has taken it. */
  readonly accepted: boolean;
  /** For `regenerate` the answer that was shown when it was asked for. */
  readonly replaces: string | null;
}

/** A turn as the page shows it. */
export interface ShownTurn extends Turn {
  /** True while the server has not taken it: its answer's stream may not exist yet. */
  readonly pending: boolean;
}

/** The turns to show: the conversation's, and what this page has asked for since. */
export function shownTurns(chat: Chat, pending: readonly PendingRequest[]): ShownTurn[] {
  return pending.reduce(
    addPending,
    chat.map((turn): ShownTurn => ({ ...turn, pending: false })),
  );
}

function addPending(turns: ShownTurn[], { request, accepted, replaces }: PendingRequest): ShownTurn[] {
  const shown = { answer: answerStreamId(request.chatId, request.id), pending: !accepted };
  if (request.type === 'regenerate') {
    // Only while it is the answer it was to replace: another tab may have asked again since.
    return turns.map((turn) =>
      turn.id === request.question && turn.answer === replaces ? { ...turn, ...shown } : turn,
    );
  }
  if (turns.some(({ id }) => id === request.id)) return turns;
  return [...turns, { id: request.id, text: request.text, ...shown }];
}

const TITLE_LENGTH = 60;

/** A conversation's title: the first line of its first question, cut at a word. */
export function chatTitle(question: string): string {
  const line = question.trim().split('\n', 1)[0]?.replaceAll(/\s+/g, ' ').trim() ?? '';
  if (line === '') return 'Untitled';
  if (line.length <= TITLE_LENGTH) return line;
  const cut = line.slice(0, TITLE_LENGTH).toWellFormed();
  const space = cut.lastIndexOf(' ');
  return `${(space > TITLE_LENGTH / 2 ? cut.slice(0, space) : cut).trimEnd()}…`;
}

/** A conversation as the sidebar lists it. */
export interface ChatSummary {
  readonly id: string;
  readonly title: string;
  /** Time of the last question, in ms since the Unix epoch. */
  readonly updatedAt: number;
}
