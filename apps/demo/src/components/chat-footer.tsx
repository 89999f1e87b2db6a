'use client';

import { type RefObject, useState } from 'react';

import type { AnswererInfo } from '../lib/answer.ts';
import type { ShownTurn } from '../lib/chat.ts';
import type { EndedAnswer } from '../lib/snapshot.ts';
import { isOpen } from '../lib/status.ts';
import { useAnswerState } from '../lib/use-answer.ts';
import { useShortcuts } from '../lib/use-shortcuts.ts';
import { Announcer } from './announcer.tsx';
import { AnswererNote } from './answerer-note.tsx';
import { Composer } from './composer.tsx';
import { ConnectionNotice } from './connection-notice.tsx';
import { FailureNotice } from './failure-notice.tsx';

/** Props of {@link ChatFooter}. */
export interface ChatFooterProps {
  readonly draft: string;
  readonly onDraft: (text: string) => void;
  readonly onSend: () => void;
  readonly sending: boolean;
  /** True: a team will answer. */
  readonly team: boolean;
  readonly onTeam: (team: boolean) => void;
  /** True while the server does not answer. */
  readonly unreachable: boolean;
  /** Why the last message was not taken, or the conversation cannot be followed. */
  readonly problem: string | null;
  readonly latest: ShownTurn | undefined;
  readonly ended: EndedAnswer | undefined;
  readonly answerer: AnswererInfo;
  readonly fieldRef: RefObject<HTMLTextAreaElement | null>;
}

/** Where a message is written, and what concerns the conversation as a whole. */
export function ChatFooter({
  draft,
  onDraft,
  onSend,
  sending,
  team,
  onTeam,
  unreachable,
  problem,
  latest,
  ended,
  answerer,
  fieldRef,
}: ChatFooterProps) {
  const { status, stop } = useAnswerState(latest?.answer ?? 'none', {
    ended,
    enabled: latest !== undefined && !latest.pending,
  });
  const stoppable = latest !== undefined && !latest.pending && isOpen(status);
  const [notStopped, setNotStopped] = useState(false);
  const onStop = async (): Promise<void> => {
    const { ok } = await stop();
    setNotStopped(!ok);
  };
  useShortcuts({
    onSlash: () => fieldRef.current?.focus(),
    onEscape: () => {
      if (stoppable) void onStop();
    },
  });
  return (
    <div className="space-y-2.5">
      <ConnectionNotice unreachable={unreachable} />
      {stoppable && notStopped && (
        <FailureNotice urgent>Not stopped. The server did not take the request; press Stop again.</FailureNotice>
      )}
      {problem !== null && <FailureNotice urgent>{problem}</FailureNotice>}
      <Composer
        ref={fieldRef}
        text={draft}
        onChange={onDraft}
        onSend={onSend}
        onStop={stoppable ? () => void onStop() : undefined}
        sending={sending}
        team={team}
        onTeam={onTeam}
      />
      <AnswererNote answerer={answerer} />
      <Announcer status={latest ? status : null} />
    </div>
  );
}
