'use client';

import { ChevronRight } from 'lucide-react';
import { useState } from 'react';

import type { RunProgressShown } from '../../lib/import-progress.ts';
import { useImportRun } from '../../lib/use-knowledge.ts';
import { StepTable } from './step-table.tsx';

/** How the last run of an import went, step by step; read when somebody asks for it. */
export function RunDetails({ stream }: { readonly stream: string }) {
  const [open, setOpen] = useState(false);
  return (
    <details className="group border-t" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary className="flex min-h-11 cursor-pointer list-none items-center gap-2 px-4 text-sm text-muted-foreground [&::-webkit-details-marker]:hidden">
        <ChevronRight aria-hidden className="size-4 transition-transform group-open:rotate-90" />
        Steps
      </summary>
      {open && <Details stream={stream} />}
    </details>
  );
}

function Details({ stream }: { readonly stream: string }) {
  const { progress } = useImportRun(stream);
  return (
    <div className="px-4 pb-4">
      <StepTable phase="index" progress={progress} />
      <p className="mt-3 text-xs text-muted-foreground">{progress ? timeText(progress) : 'Reading …'}</p>
    </div>
  );
}

function timeText({ elapsedMs }: RunProgressShown): string {
  return `The last run took ${(elapsedMs / 1_000).toFixed(1)} s.`;
}
