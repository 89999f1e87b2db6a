import { ConversationsDrawer } from './conversations-drawer.tsx';
import { ThemeMenu } from './theme-menu.tsx';

/** The bar above a conversation. */
export function ChatHeader({ title }: { readonly title: string }) {
  return (
    <header className="flex h-14 shrink-0 items-center gap-1 border-b border-transparent px-2 lg:h-16 lg:px-4">
      <ConversationsDrawer />
      <h1 className="min-w-0 flex-1 truncate px-1 text-sm font-medium lg:px-2 lg:text-base">{title}</h1>
      <ThemeMenu />
    </header>
  );
}
