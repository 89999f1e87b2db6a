'use client';

import { AlertDialog } from '@base-ui/react/alert-dialog';
import { useMutation } from '@tanstack/react-query';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';

import { deleteImport } from '../../lib/api.ts';
import { Button, buttonClass } from '../button.tsx';
import { FailureNotice } from '../failure-notice.tsx';

/** Removes an import, after asking. */
export function RemoveImport({ id, label }: { readonly id: string; readonly label: string }) {
  const [open, setOpen] = useState(false);
  const remove = useMutation({ mutationFn: () => deleteImport(id), networkMode: 'always' });
  return (
    <AlertDialog.Root open={open} onOpenChange={setOpen}>
      <AlertDialog.Trigger
        aria-label={`Remove “${label}”`}
        title="Remove"
        className={buttonClass('ghost', 'size-11 shrink-0 !px-0')}
      >
        <Trash2 aria-hidden className="size-4" />
      </AlertDialog.Trigger>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="fixed inset-0 bg-black/40 transition-opacity duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0 dark:bg-black/60" />
        <AlertDialog.Popup className="fixed top-1/2 left-1/2 w-96 max-w-[calc(100vw-2rem)] -translate-x-1/2 -translate-y-1/2 rounded-3xl border bg-popover p-6 text-popover-foreground shadow-2xl outline-hidden transition-opacity duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0">
          <AlertDialog.Title className="text-lg font-semibold">Remove these documents?</AlertDialog.Title>
          <AlertDialog.Description className="mt-2 text-sm leading-relaxed wrap-anywhere text-muted-foreground">
            Answers will not come from “{label}” any more. Answers that were given keep their sources, and your own
            files stay where they are.
          </AlertDialog.Description>
          {remove.error && (
            <div className="mt-4">
              <FailureNotice urgent>Not removed. {remove.error.message}</FailureNotice>
            </div>
          )}
          <div className="mt-6 flex justify-end gap-2">
            <AlertDialog.Close className={buttonClass('outline')}>Keep them</AlertDialog.Close>
            <Button variant="danger" disabled={remove.isPending} onClick={() => remove.mutate()}>
              Remove
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
