'use client';

import { useState } from 'react';

import type { FolderInfo, KnowledgeSnapshot } from '../../lib/knowledge-snapshot.ts';
import { useKnowledge } from '../../lib/use-knowledge.ts';
import { ChatHeader } from '../chat-header.tsx';
import { FailureNotice } from '../failure-notice.tsx';
import { FolderCard } from './folder-card.tsx';
import { ImportCard } from './import-card.tsx';
import { ImportForm } from './import-form.tsx';

/** Props of {@link KnowledgeView}. */
export interface KnowledgeViewProps {
  /** Null while nothing was ever imported. */
  readonly snapshot: KnowledgeSnapshot | null;
  readonly folder: FolderInfo;
  /** Folders of the server may be imported by path. */
  readonly byPath: boolean;
}

/** The documents that answers come from, and the way to more of them. */
export function KnowledgeView({ snapshot, folder, byPath }: KnowledgeViewProps) {
  const [begun, setBegun] = useState(false);
  const { imports, error, unreachable } = useKnowledge(snapshot, begun);
  return (
    <>
      <ChatHeader title="Knowledge" />
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain">
        <div className="mx-auto w-full max-w-3xl px-4 pt-2 pb-12 sm:px-6">
          <p className="max-w-prose text-sm leading-relaxed text-muted-foreground">
            Answers come from these documents. An import goes on when you leave this page, and when the server is
            restarted in the middle of it.
          </p>
          <section aria-label="Add documents" className="mt-5">
            <ImportForm byPath={byPath} onBegun={() => setBegun(true)} />
          </section>
          {unreachable && (
            <div className="mt-5">
              <FailureNotice>The server does not answer. Trying again …</FailureNotice>
            </div>
          )}
          {error && (
            <div className="mt-5">
              <FailureNotice urgent>The list of imports is not up to date. {error.message}</FailureNotice>
            </div>
          )}
          <h2 className="mt-8 text-sm font-medium text-muted-foreground">Sources</h2>
          <ul className="mt-3 space-y-3">
            {imports.toReversed().map((state) => (
              <ImportCard key={state.id} state={state} />
            ))}
            <FolderCard folder={folder} />
          </ul>
        </div>
      </div>
    </>
  );
}
