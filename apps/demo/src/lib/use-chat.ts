'use client';

import { isStreamNotFound } from '@perennial/core';
import { useStream } from '@perennial/react';
import { useCallback, useRef } from 'react';

import type { ApiError } from './api.ts';
import { chatEventSchema, foldChat, type ShownTurn, shownTurns } from './chat.ts';
import { messagesStreamId, newId, streamUrl } from './ids.ts';
import type { AskRequest } from './requests.ts';
import type { ChatSnapshot } from './snapshot.ts';
import { useRequests } from './use-requests.ts';
import { useVisible } from './use-visible.ts';

/** A conversation and what can be done in it. */
export interface ChatNow {
  readonly turns: readonly ShownTurn[];
  /** True while the server has not answered the last request. */
  readonly sending: boolean;
  /** Why the last request was not taken. */
  readonly sendError: ApiError | null;
  /** Why the conversation itself cannot be followed. */
  readonly chatError: Error | null;
  /** True once somebody deleted it. */
  readonly deleted: boolean;
  /** True while the server does not answer, and is tried again. */
  readonly unreachable: boolean;
  /** Asks a question, of the team if `team` is true. Resolves with false when the server did not take it; the same text can then be sent again without doubling it. */
  readonly send: (text: string, team: boolean) => Promise<boolean>;
  /** Asks for a new answer. Keeps its identity. */
  readonly regenerate: (turn: ShownTurn) => Promise<boolean>;
}

type Question = Extract<AskRequest, { type: 'question' }>;

/** Follows a conversation from where the server's page left off. `snapshot` is null for one that has no question yet. */
export function useChat(chatId: string, snapshot: ChatSnapshot | null): ChatNow {
  const visible = useVisible();
  const stream = useStream(streamUrl(messagesStreamId(chatId)), {
    schema: chatEventSchema,
    initial: snapshot?.chat ?? [],
    reduce: foldChat,
    from: snapshot?.position ?? 0,
    // A stream that never ends holds a connection, and browsers have few: hidden pages catch up when they are shown.
    enabled: snapshot !== null && visible,
  });
  const { pending, ask, sending, error } = useRequests();
  const failed = useRef<Question | null>(null);

  const send = async (text: string, team: boolean): Promise<boolean> => {
    // Under the id of the request that failed, which the server may have taken all the same.
    const again = failed.current?.text === text && (failed.current.team ?? false) === team;
    const id = again && failed.current ? failed.current.id : newId();
    const request: Question = { type: 'question', id, chatId, text, ...(team && { team: true }) };
    const taken = await ask(request);
    failed.current = taken ? null : request;
    return taken;
  };
  const regenerate = useCallback(
    ({ id, answer }: ShownTurn) => ask({ type: 'regenerate', id: newId(), chatId, question: id }, answer),
    [ask, chatId],
  );
  return {
    turns: shownTurns(stream.data, pending),
    sending,
    sendError: error,
    chatError: stream.error,
    // A conversation ends for no other reason.
    deleted: stream.end !== null || (stream.error !== null && isStreamNotFound(stream.error)),
    unreachable: stream.status === 'reconnecting',
    send,
    regenerate,
  };
}
