import type { Metadata } from 'next';
import { notFound } from 'next/navigation';
import { cache } from 'react';

import { ChatView } from '../../../components/chat-view.tsx';
import { chatTitle } from '../../../lib/chat.ts';
import { idSchema } from '../../../lib/ids.ts';
import { readChat } from '../../../server/chats/snapshot.ts';
import { corpusInfo } from '../../../server/corpus-info.ts';
import { demo } from '../../../server/demo.ts';

/** Once for the page and its title. */
const loadChat = cache(async (chatId: string) =>
  idSchema.safeParse(chatId).success ? readChat(demo(), chatId) : null,
);

export async function generateMetadata({ params }: PageProps<'/c/[chatId]'>): Promise<Metadata> {
  const snapshot = await loadChat((await params).chatId);
  const question = snapshot?.chat[0]?.text;
  return { title: question === undefined ? 'Not found' : chatTitle(question) };
}

export default async function ChatPage({ params }: PageProps<'/c/[chatId]'>) {
  const snapshot = await loadChat((await params).chatId);
  if (!snapshot) notFound();
  const { answerer } = demo();
  return (
    <ChatView key={snapshot.chatId} snapshot={snapshot} corpus={await corpusInfo(demo())} answerer={answerer.info} />
  );
}
