'use client';

import { isStreamNotFound } from '@perennial/core';
import { useStream } from '@perennial/react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { type ApiError, postAsk } from './api.ts';
import { chatEventSchema, foldChat, type ShownTurn, shownTurns } from './chat.ts';
import { messagesStreamId, newId, streamUrl } from './ids.ts';
import type { AskRequest } from './requests.ts';
import type { ChatSnapshot } from './snapshot.ts';
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
  /** Asks a question. Resolves with false when the server did not take it; the same text can then be sent again without doubling it. */
  readonly send: (text: string) => Promise<boolean>;
  /** Asks for a new answer. */
  readonly regenerate: (turn: ShownTurn) => Promise<boolean>;
}

/** Follows a conversation from where the server's page left off. `snapshot` is null for one that has no question yet. */
export function useChat(chatId: string, snapshot: ChatSnapshot | null): ChatNow {
  const visible = useVisible();
  const queryClient = useQueryClient();
  const stream = useStream(streamUrl(messagesStreamId(chatId)), {
    schema: chatEventSchema,
    initial: snapshot?.chat ?? [],
    reduce: foldChat,
    from: snapshot?.position ?? 0,
    // A stream that never ends holds a connection, and browsers have few: hidden pages catch up when they are shown.
    enabled: snapshot !== null && visible,
  });
  const ask = useMutation<unknown, ApiError, { readonly request: AskRequest; readonly replaces: string | null }>({
    mutationFn: ({ request }) => postAsk(request),
    // The default would hold a request back while the browser calls itself offline, and say nothing.
    networkMode: 'always',
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['chats'] }),
  });
  const [failed, setFailed] = useState<AskRequest | null>(null);
  const run = async (request: AskRequest, replaces: string | null): Promise<boolean> => {
    try {
      await ask.mutateAsync({ request, replaces });
      setFailed(null);
      return true;
    } catch {
      setFailed(request);
      return false;
    }
  };
  return {
    turns: shownTurns(
      stream.data,
      ask.variables && !ask.isError ? { ...ask.variables, accepted: ask.isSuccess } : null,
    ),
    sending: ask.isPending,
    sendError: ask.error,
    chatError: stream.error,
    // A conversation ends for no other reason.
    deleted: stream.end !== null || (stream.error !== null && isStreamNotFound(stream.error)),
    unreachable: stream.status === 'reconnecting',
    // Under the id of the request that failed, which the server may have taken all the same.
    send: (text) =>
      run(
        {
          type: 'question',
          id: failed?.type === 'question' && failed.text === text ? failed.id : newId(),
          chatId,
          text,
        },
        null,
      ),
    regenerate: ({ id, answer }) => run({ type: 'regenerate', id: newId(), chatId, question: id }, answer),
  };
}
