'use client';

import { Tooltip } from '@base-ui/react/tooltip';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';

import type { ChatSummary } from '../lib/chat.ts';

/** Props of {@link Providers}. */
export interface ProvidersProps {
  /** The conversations when the page was rendered. */
  readonly chats: readonly ChatSummary[];
  readonly children: ReactNode;
}

/** What every component may rely on. One query client lasts as long as the tab, and with it the streams' state. */
export function Providers({ chats, children }: ProvidersProps) {
  const [queryClient] = useState(() => {
    const client = new QueryClient();
    client.setQueryData(['chats'], chats);
    return client;
  });
  return (
    <QueryClientProvider client={queryClient}>
      <Tooltip.Provider delay={500}>{children}</Tooltip.Provider>
    </QueryClientProvider>
  );
}
