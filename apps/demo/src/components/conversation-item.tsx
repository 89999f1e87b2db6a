'use client';

import Link from 'next/link';

import type { ChatSummary } from '../lib/chat.ts';
import { DeleteConversation } from './delete-conversation.tsx';

/** Props of {@link ConversationItem}. */
export interface ConversationItemProps {
  readonly chat: ChatSummary;
  readonly current: boolean;
  readonly onNavigate: () => void;
}

/** One conversation in the list. */
export function ConversationItem({ chat, current, onNavigate }: ConversationItemProps) {
  return (
    <li
      className={`group/item flex items-center rounded-xl transition-colors ${current ? 'bg-accent' : 'hover:bg-accent/60'}`}
    >
      <Link
        href={`/c/${chat.id}`}
        prefetch={false}
        onClick={onNavigate}
        {...(current && { 'aria-current': 'page' })}
        className={`flex min-h-11 min-w-0 flex-1 items-center rounded-xl py-2 pl-3 text-sm ${current ? 'font-medium' : ''}`}
      >
        <span className="truncate">{chat.title}</span>
      </Link>
      <DeleteConversation chat={chat} current={current} />
    </li>
  );
}
