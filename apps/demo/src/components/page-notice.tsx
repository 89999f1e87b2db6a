import type { ReactNode } from 'react';

import { ChatHeader } from './chat-header.tsx';

/** Props of {@link PageNotice}. */
export interface PageNoticeProps {
  readonly title: string;
  readonly children: ReactNode;
  /** Where to go from here. */
  readonly action: ReactNode;
}

/** A page that has nothing to show but why. */
export function PageNotice({ title, children, action }: PageNoticeProps) {
  return (
    <>
      <ChatHeader title={title} />
      <div className="flex flex-1 flex-col items-center justify-center px-6 pb-24 text-center">
        <p className="max-w-sm leading-relaxed text-balance text-muted-foreground">{children}</p>
        <div className="mt-6">{action}</div>
      </div>
    </>
  );
}
