import { Dialog } from '@base-ui/react/dialog';
import { FileText, X } from 'lucide-react';

import type { Source } from '../lib/source.ts';
import { sourceHeading } from '../lib/source.ts';
import { buttonClass } from './button.tsx';
import { Markdown } from './markdown.tsx';
import { ScrollRegion } from './scroll-region.tsx';

/** Props of {@link PassageDialog}. */
export interface PassageDialogProps {
  /** Null when closed. */
  readonly source: Source | null;
  /** The source's number in the answer. */
  readonly n: number;
  readonly onClose: () => void;
}

/** Shows a cited passage as it was when the answer was written. */
export function PassageDialog({ source, n, onClose }: PassageDialogProps) {
  return (
    <Dialog.Root open={source !== null} onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 bg-black/40 transition-opacity duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0 dark:bg-black/60" />
        <Dialog.Popup className="fixed inset-x-3 bottom-3 flex max-h-[85dvh] flex-col overflow-hidden rounded-3xl border bg-popover text-popover-foreground shadow-2xl outline-hidden transition-[opacity,translate] duration-150 data-ending-style:translate-y-2 data-ending-style:opacity-0 data-starting-style:translate-y-2 data-starting-style:opacity-0 sm:inset-x-auto sm:top-1/2 sm:bottom-auto sm:left-1/2 sm:w-[min(44rem,calc(100vw-3rem))] sm:-translate-x-1/2 sm:-translate-y-1/2">
          {source && (
            <>
              <header className="flex items-start gap-3 border-b px-5 py-4 sm:px-6">
                <div className="min-w-0 flex-1">
                  <Dialog.Title className="text-base leading-snug font-semibold text-balance">
                    {sourceHeading(source)}
                  </Dialog.Title>
                  <Dialog.Description className="mt-1.5 flex items-center gap-1.5 text-xs text-muted-foreground">
                    <FileText aria-hidden className="size-3.5 shrink-0" />
                    <span className="truncate">
                      Source {n} · {source.title} · {source.file}, line {source.line}
                    </span>
                  </Dialog.Description>
                </div>
                <Dialog.Close aria-label="Close" className={buttonClass('ghost', '-mt-1.5 -mr-2 size-11 !px-0')}>
                  <X aria-hidden className="size-5" />
                </Dialog.Close>
              </header>
              <ScrollRegion label="Passage" className="min-h-0 overflow-y-auto overscroll-contain px-5 py-5 sm:px-6">
                <Markdown text={source.markdown} />
              </ScrollRegion>
            </>
          )}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
