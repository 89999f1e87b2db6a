import type { ReactNode } from 'react';

import type { StickToBottom } from '../lib/use-stick-to-bottom.ts';
import { JumpToLatest } from './jump-to-latest.tsx';

/** Props of {@link MessageArea}. */
export interface MessageAreaProps {
  readonly stick: StickToBottom;
  readonly children: ReactNode;
}

/** The part of the page that scrolls. */
export function MessageArea({ stick: { scrollRef, contentRef, atBottom, jump }, children }: MessageAreaProps) {
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <div ref={scrollRef} className="min-h-0 flex-1 overflow-y-auto overscroll-contain">
        <div ref={contentRef} className="mx-auto flex min-h-full w-full max-w-3xl flex-col px-4 pt-2 pb-6 sm:px-6">
          {children}
        </div>
      </div>
      {!atBottom && (
        <div className="pointer-events-none absolute inset-x-0 bottom-3 flex justify-center *:pointer-events-auto">
          <JumpToLatest onClick={() => jump()} />
        </div>
      )}
    </div>
  );
}
