import { BookOpenText } from 'lucide-react';

import { plural } from '../../lib/import-progress.ts';
import type { FolderInfo } from '../../lib/knowledge-snapshot.ts';
import { SkippedList } from './skipped-list.tsx';
import { SourceCard } from './source-card.tsx';

/** The documents' folder, which the server reads by itself. */
export function FolderCard({ folder: { label, documents, passages, problems } }: { readonly folder: FolderInfo }) {
  return (
    <SourceCard
      icon={<BookOpenText aria-hidden className="size-4.5" />}
      title={label}
      summary={
        documents === 0
          ? 'This folder has no Markdown files yet. They are taken in as soon as they are there.'
          : `${plural(documents, 'document')}, ${plural(passages, 'passage')}. Edits count from the next question on.`
      }
    >
      <SkippedList count={problems.length} reasons={problems} />
    </SourceCard>
  );
}
