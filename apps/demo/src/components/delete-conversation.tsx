'use client';

import { AlertDialog } from '@base-ui/react/alert-dialog';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Trash2 } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useState } from 'react';

import { deleteChat } from '../lib/api.ts';
import type { ChatSummary } from '../lib/chat.ts';
import { Button, buttonClass } from './button.tsx';
import { FailureNotice } from './failure-notice.tsx';

/** Props of {@link DeleteConversation}. */
export interface DeleteConversationProps {
  readonly chat: ChatSummary;
  readonly current: boolean;
}

/** Deletes a conversation, after asking. */
export function DeleteConversation({ chat, current }: DeleteConversationProps) {
  const [open, setOpen] = useState(false);
  const router = useRouter();
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteChat(chat.id),
    networkMode: 'always',
    onSuccess: async () => {
      setOpen(false);
      if (current) router.push('/');
      await queryClient.invalidateQueries({ queryKey: ['chats'] });
    },
  });
  return (
    <AlertDialog.Root open={open} onOpenChange={setOpen}>
      <AlertDialog.Trigger
        aria-label={`Delete “${chat.title}”`}
        title="Delete"
        className={buttonClass(
          'ghost',
          'size-11 shrink-0 !px-0 opacity-0 group-focus-within/item:opacity-100 group-hover/item:opacity-100 focus-visible:opacity-100 data-popup-open:opacity-100 pointer-coarse:opacity-100',
        )}
      >
        <Trash2 aria-hidden className="size-4" />
      </AlertDialog.Trigger>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop
          forceRender
          className="fixed inset-0 bg-black/40 transition-opacity duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0 dark:bg-black/60"
        />
        <AlertDialog.Popup className="fixed top-1/2 left-1/2 w-96 max-w-[calc(100vw-2rem)] -translate-x-1/2 -translate-y-1/2 rounded-3xl border bg-popover p-6 text-popover-foreground shadow-2xl outline-hidden transition-opacity duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0">
          <AlertDialog.Title className="text-lg font-semibold">Delete this conversation?</AlertDialog.Title>
          <AlertDialog.Description className="mt-2 text-sm leading-relaxed wrap-anywhere text-muted-foreground">
            “{chat.title}” and its answers will be gone for good.
          </AlertDialog.Description>
          {remove.error && (
            <div className="mt-4">
              <FailureNotice urgent>Not deleted. {remove.error.message}</FailureNotice>
            </div>
          )}
          <div className="mt-6 flex justify-end gap-2">
            <AlertDialog.Close className={buttonClass('outline')}>Keep it</AlertDialog.Close>
            <Button variant="danger" disabled={remove.isPending} onClick={() => remove.mutate()}>
              Delete
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
