import { connection } from 'next/server';

import { ChatView } from '../components/chat-view.tsx';
import { corpusInfo } from '../server/corpus-info.ts';
import { demo } from '../server/demo.ts';

export default async function NewChatPage() {
  await connection();
  const { answerer } = demo();
  return <ChatView snapshot={null} corpus={await corpusInfo(demo())} answerer={answerer.info} />;
}
