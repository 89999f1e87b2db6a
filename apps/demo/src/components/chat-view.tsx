'use client';

import { useRouter } from 'next/navigation';
import { useEffect, useRef, useState } from 'react';

import type { AnswererInfo } from '../lib/answer.ts';
import { chatTitle } from '../lib/chat.ts';
import type { CorpusInfo } from '../lib/corpus-info.ts';
import { newId } from '../lib/ids.ts';
import type { ChatSnapshot } from '../lib/snapshot.ts';
import { type ChatNow, useChat } from '../lib/use-chat.ts';
import { useStickToBottom } from '../lib/use-stick-to-bottom.ts';
import { ChatFooter } from './chat-footer.tsx';
import { ChatHeader } from './chat-header.tsx';
import { EmptyState } from './empty-state.tsx';
import { MessageArea } from './message-area.tsx';
import { Turn } from './turn.tsx';

/** Props of {@link ChatView}. */
export interface ChatViewProps {
  /** Null for a new conversation. */
  readonly snapshot: ChatSnapshot | null;
  readonly corpus: CorpusInfo;
  readonly answerer: AnswererInfo;
}

/** A conversation. */
export function ChatView({ snapshot, corpus, answerer }: ChatViewProps) {
  const router = useRouter();
  const [chatId] = useState(() => snapshot?.chatId ?? newId());
  const chat = useChat(chatId, snapshot);
  const [draft, setDraft] = useState('');
  // A conversation goes on the way its last question was asked.
  const [team, setTeam] = useState(() => snapshot?.chat.at(-1)?.team ?? false);
  const field = useRef<HTMLTextAreaElement>(null);
  const stick = useStickToBottom();

  const send = async (text: string): Promise<void> => {
    setDraft('');
    stick.jump('instant');
    const taken = await chat.send(text, team);
    if (!taken) setDraft((typed) => (typed === '' ? text : typed));
    else if (!snapshot) router.push(`/c/${chatId}`);
  };
  useEffect(() => {
    // On touch screens the keyboard would cover what the reader came for.
    if (matchMedia('(pointer: fine)').matches) field.current?.focus({ preventScroll: true });
  }, []);

  const { turns } = chat;
  const latest = turns.at(-1);
  const first = turns[0];
  return (
    <>
      <ChatHeader title={first ? chatTitle(first.text) : 'New chat'} />
      <MessageArea stick={stick}>
        {turns.length === 0 ? (
          <div className="my-auto">
            <EmptyState corpus={corpus} onPick={(question) => void send(question)} />
          </div>
        ) : (
          <section aria-label="Messages" className="space-y-8">
            {turns.map((turn) => (
              <Turn key={turn.id} turn={turn} ended={snapshot?.ended[turn.answer]} onRegenerate={chat.regenerate} />
            ))}
          </section>
        )}
      </MessageArea>
      <div className="mx-auto w-full max-w-3xl shrink-0 px-3 pb-3 sm:px-6">
        <ChatFooter
          draft={draft}
          onDraft={setDraft}
          onSend={() => void send(draft.trim())}
          sending={chat.sending || chat.deleted}
          team={team}
          onTeam={setTeam}
          unreachable={chat.unreachable}
          problem={problemOf(chat)}
          latest={latest}
          ended={latest && snapshot?.ended[latest.answer]}
          answerer={answerer}
          fieldRef={field}
        />
      </div>
    </>
  );
}

function problemOf({ sendError, chatError, deleted }: ChatNow): string | null {
  if (deleted) return 'This conversation was deleted. What you see is not stored any more.';
  if (sendError) return `Not sent. ${sendError.message}`;
  if (chatError) return `This conversation cannot be followed any more. ${chatError.message}`;
  return null;
}
