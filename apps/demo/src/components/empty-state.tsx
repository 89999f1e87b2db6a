import { FolderOpen } from 'lucide-react';
import Link from 'next/link';

import type { CorpusInfo } from '../lib/corpus-info.ts';
import { buttonClass } from './button.tsx';
import { Sprout } from './sprout.tsx';

/** Props of {@link EmptyState}. */
export interface EmptyStateProps {
  readonly corpus: CorpusInfo;
  readonly onPick: (question: string) => void;
}

/** A conversation before its first question. */
export function EmptyState({ corpus, onPick }: EmptyStateProps) {
  if (corpus.documents === 0) return <NoDocuments label={corpus.label} />;
  return (
    <div className="mx-auto flex max-w-2xl flex-col items-center px-1 py-6 text-center">
      <Sprout className="size-14" />
      <h2 className="mt-5 text-2xl font-semibold tracking-tight text-balance">Ask your documents</h2>
      <p className="mt-2 max-w-md leading-relaxed text-balance text-muted-foreground">
        Answers come from {corpus.documents} {corpus.documents === 1 ? 'document' : 'documents'}
        {corpus.imported === 0 && <> in “{corpus.label}”</>}, with their sources. Reload, close the tab or lose the
        network: an answer goes on, and continues here where you left it.
      </p>
      {corpus.suggestions.length > 0 && (
        <ul aria-label="Suggested questions" className="mt-8 grid w-full gap-2.5 text-left sm:grid-cols-2">
          {corpus.suggestions.map(({ question, title }) => (
            <li key={question}>
              <button
                type="button"
                onClick={() => onPick(question)}
                className="flex h-full min-h-16 w-full flex-col items-start justify-center rounded-2xl border bg-card px-4 py-3 text-left transition-colors hover:border-input hover:bg-accent/60"
              >
                <span className="text-sm leading-snug font-medium">{question}</span>
                <span className="mt-1 text-xs text-muted-foreground">{title}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function NoDocuments({ label }: { readonly label: string }) {
  return (
    <div className="mx-auto flex max-w-md flex-col items-center py-6 text-center">
      <span className="inline-flex size-14 items-center justify-center rounded-[30%] bg-muted text-muted-foreground">
        <FolderOpen aria-hidden className="size-7" />
      </span>
      <h2 className="mt-5 text-2xl font-semibold tracking-tight">No documents yet</h2>
      <p className="mt-2 leading-relaxed text-balance text-muted-foreground">
        There are no Markdown files in “{label}”. Put some there, which are taken in as soon as they are there, or add a
        folder of your own.
      </p>
      <Link href="/knowledge" className={buttonClass('primary', 'mt-6')}>
        Add documents
      </Link>
    </div>
  );
}
