import './globals.css';
import type { Metadata, Viewport } from 'next';
import { connection } from 'next/server';

import { ConversationNav } from '../components/conversation-nav.tsx';
import { Providers } from '../components/providers.tsx';
import { SkipLink } from '../components/skip-link.tsx';
import { ThemeScript } from '../components/theme-script.tsx';
import { listChats } from '../server/chats/list.ts';
import { demo } from '../server/demo.ts';

export const metadata: Metadata = {
  title: { default: 'Perennial', template: '%s · Perennial' },
  description: 'A chat about your documents whose answers survive reload and restart.',
};

export const viewport: Viewport = { width: 'device-width', initialScale: 1, interactiveWidget: 'resizes-content' };

export default async function RootLayout({ children }: LayoutProps<'/'>) {
  // Every page shows what is stored now; nothing is stored while the app is built.
  await connection();
  const chats = await listChats(demo());
  return (
    <html lang="en" suppressHydrationWarning>
      <head>
        <ThemeScript />
      </head>
      <body>
        <Providers chats={chats}>
          <div className="isolate flex h-dvh overflow-hidden">
            <SkipLink />
            <div className="hidden w-72 shrink-0 border-r bg-sidebar lg:block">
              <ConversationNav />
            </div>
            <main id="main" tabIndex={-1} className="flex min-w-0 flex-1 flex-col outline-hidden">
              {children}
            </main>
          </div>
        </Providers>
      </body>
    </html>
  );
}
