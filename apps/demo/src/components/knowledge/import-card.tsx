'use client';

import { useMutation } from '@tanstack/react-query';
import { Clock, Files, FolderOpen, Play } from 'lucide-react';

import { continueImport } from '../../lib/api.ts';
import { plural } from '../../lib/import-progress.ts';
import type { ImportEnd, ImportState } from '../../lib/knowledge.ts';
import { Button } from '../button.tsx';
import { FailureNotice } from '../failure-notice.tsx';
import { StatusPill } from '../status-pill.tsx';
import { ImportRun } from './import-run.tsx';
import { RemoveImport } from './remove-import.tsx';
import { RunDetails } from './run-details.tsx';
import { SkippedList } from './skipped-list.tsx';
import { SourceCard } from './source-card.tsx';

/** One import: its progress while it runs, and then what came of it. */
export function ImportCard({ state }: { readonly state: ImportState }) {
  const { id, label, folder, run, end } = state;
  const Icon = folder === null ? Files : FolderOpen;
  const goOn = useMutation({ mutationFn: () => continueImport(id), networkMode: 'always' });
  if (end === null && run)
    return <ImportRun key={run.stream} state={state} run={run} icon={<Icon aria-hidden className="size-4.5" />} />;
  return (
    <SourceCard
      icon={<Icon aria-hidden className="size-4.5" />}
      title={label}
      summary={end ? summaryOf(end) : 'Waits for the import before it.'}
      state={end ? <StatusPill status={end.outcome} end={null} /> : <Waiting />}
      actions={
        <>
          {end && end.outcome !== 'completed' && (
            <Button disabled={goOn.isPending} onClick={() => goOn.mutate()}>
              <Play aria-hidden className="size-4" />
              Go on
            </Button>
          )}
          <RemoveImport id={id} label={label} />
        </>
      }
    >
      {end?.problem && (
        <div className="px-4 pb-3">
          <FailureNotice>{end.problem}</FailureNotice>
        </div>
      )}
      {goOn.error && (
        <div className="px-4 pb-3">
          <FailureNotice urgent>{goOn.error.message}</FailureNotice>
        </div>
      )}
      {end && <SkippedList count={end.skippedCount} reasons={end.skipped} />}
      {end && run?.phase === 'index' && <RunDetails stream={run.stream} />}
      <output className="sr-only">{end ? announcementOf(label, end) : ''}</output>
    </SourceCard>
  );
}

function summaryOf({ documents, passages, outcome }: ImportEnd): string {
  const counts = `${plural(documents, 'document')}, ${plural(passages, 'passage')}`;
  switch (outcome) {
    case 'completed':
      return `${counts}.`;
    case 'cancelled':
      return `Stopped. What was taken in before that is kept: ${counts}.`;
    case 'failed':
      return `${counts} before it failed.`;
  }
}

function announcementOf(label: string, end: ImportEnd): string {
  switch (end.outcome) {
    case 'completed':
      return `The import of ${label} is finished: ${plural(end.documents, 'document')}, ${plural(end.skippedCount, 'file')} skipped.`;
    case 'cancelled':
      return `The import of ${label} was stopped.`;
    case 'failed':
      return `The import of ${label} failed.`;
  }
}

function Waiting() {
  return (
    <span className="inline-flex h-6 items-center gap-1.5 rounded-full bg-muted px-2.5 text-xs font-medium text-muted-foreground">
      <Clock aria-hidden className="size-3.5" />
      Waiting
    </span>
  );
}
