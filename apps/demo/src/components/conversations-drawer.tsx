'use client';

import { Drawer } from '@base-ui/react/drawer';
import { Menu } from 'lucide-react';
import { useState } from 'react';

import { buttonClass } from './button.tsx';
import { ConversationNav } from './conversation-nav.tsx';

/** The conversations on narrow screens: a button and the drawer it opens. */
export function ConversationsDrawer() {
  const [open, setOpen] = useState(false);
  return (
    <Drawer.Root open={open} onOpenChange={setOpen} swipeDirection="left">
      <Drawer.Trigger
        aria-label="Open conversations"
        className={buttonClass('ghost', 'size-11 shrink-0 !px-0 lg:hidden')}
      >
        <Menu aria-hidden className="size-5" />
      </Drawer.Trigger>
      <Drawer.Portal>
        <Drawer.Backdrop className="fixed inset-0 bg-black/40 opacity-[calc(1-var(--drawer-swipe-progress,0))] transition-opacity duration-200 data-ending-style:opacity-0 data-starting-style:opacity-0 data-swiping:duration-0 dark:bg-black/60" />
        <Drawer.Viewport className="fixed inset-0 flex justify-start">
          <Drawer.Popup className="h-full w-80 max-w-[calc(100vw-3.5rem)] [transform:translateX(var(--drawer-swipe-movement-x,0px))] border-r bg-sidebar text-foreground shadow-2xl outline-hidden transition-transform duration-200 ease-out data-ending-style:[transform:translateX(-100%)] data-starting-style:[transform:translateX(-100%)] data-swiping:duration-0">
            <Drawer.Content className="h-full">
              <Drawer.Title className="sr-only">Conversations</Drawer.Title>
              <ConversationNav onNavigate={() => setOpen(false)} />
            </Drawer.Content>
          </Drawer.Popup>
        </Drawer.Viewport>
      </Drawer.Portal>
    </Drawer.Root>
  );
}
