'use client';

import { useQuery } from '@tanstack/react-query';
import { Library, SquarePen } from 'lucide-react';
import Link from 'next/link';
import { usePathname } from 'next/navigation';

import { fetchChats } from '../lib/api.ts';
import { buttonClass } from './button.tsx';
import { ConversationItem } from './conversation-item.tsx';
import { Sprout } from './sprout.tsx';

/** Props of {@link ConversationNav}. */
export interface ConversationNavProps {
  /** Called when the reader goes somewhere. */
  readonly onNavigate?: () => void;
}

/** The list of conversations, newest first, and the way to a new one. */
export function ConversationNav({ onNavigate = () => undefined }: ConversationNavProps) {
  const pathname = usePathname();
  const { data: chats = [], error } = useQuery({
    queryKey: ['chats'],
    queryFn: ({ signal }) => fetchChats(signal),
    staleTime: 10_000,
  });
  return (
    <nav aria-label="Conversations" className="flex h-full min-h-0 flex-col">
      <div className="flex h-16 shrink-0 items-center gap-2.5 px-4">
        <Sprout className="size-8" />
        <span className="text-base font-semibold tracking-tight">Perennial</span>
      </div>
      <div className="px-3 pb-3">
        <Link href="/" onClick={onNavigate} className={buttonClass('outline', 'w-full !justify-start !px-3')}>
          <SquarePen aria-hidden className="size-4" />
          New chat
        </Link>
        <Link
          href="/knowledge"
          onClick={onNavigate}
          {...(pathname === '/knowledge' && { 'aria-current': 'page' })}
          className={buttonClass(
            'ghost',
            `mt-1 w-full !justify-start !px-3 ${pathname === '/knowledge' ? 'bg-accent !text-foreground' : ''}`,
          )}
        >
          <Library aria-hidden className="size-4" />
          Knowledge
        </Link>
      </div>
      {chats.length === 0 ? (
        <p className="px-6 pt-2 text-sm leading-relaxed text-muted-foreground">
          Your conversations will be listed here. They are kept on this computer.
        </p>
      ) : (
        <ul className="min-h-0 flex-1 space-y-0.5 overflow-y-auto overscroll-contain px-3 pb-3">
          {chats.map((chat) => (
            <ConversationItem
              key={chat.id}
              chat={chat}
              current={pathname === `/c/${chat.id}`}
              onNavigate={onNavigate}
            />
          ))}
        </ul>
      )}
      {error && (
        <p role="alert" className="px-6 py-3 text-sm text-danger">
          The list is not up to date. {error.message}
        </p>
      )}
    </nav>
  );
}
