'use client';

import { Progress } from '@base-ui/react/progress';
import { CircleStop } from 'lucide-react';
import { type ReactNode, useState } from 'react';

import {
  countText,
  percentOf,
  plural,
  rateText,
  remainingText,
  type RunProgressShown,
} from '../../lib/import-progress.ts';
import type { ImportPhase, ImportState } from '../../lib/knowledge.ts';
import { isOpen } from '../../lib/status.ts';
import { useImportRun } from '../../lib/use-knowledge.ts';
import { Button } from '../button.tsx';
import { FailureNotice } from '../failure-notice.tsx';
import { StatusPill } from '../status-pill.tsx';
import { SkippedList } from './skipped-list.tsx';
import { SourceCard } from './source-card.tsx';
import { StepTable } from './step-table.tsx';

/** Props of {@link ImportRun}. */
export interface ImportRunProps {
  readonly state: ImportState;
  readonly run: { readonly phase: ImportPhase; readonly stream: string };
  readonly icon: ReactNode;
}

/** A running import, live. */
export function ImportRun({ state: { label, resumed }, run: { phase, stream }, icon }: ImportRunProps) {
  const { progress, problems, status, stop } = useImportRun(stream);
  const [notStopped, setNotStopped] = useState(false);
  return (
    <SourceCard
      icon={icon}
      title={label}
      summary={summaryOf(phase, progress)}
      state={<StatusPill status={status} end={null} />}
      actions={
        <Button disabled={!isOpen(status)} onClick={() => void stop().then((taken) => setNotStopped(!taken))}>
          <CircleStop aria-hidden className="size-4" />
          Stop
        </Button>
      }
    >
      <div className="px-4 pb-4">
        {notStopped && (
          <div className="mb-3">
            <FailureNotice urgent>Not stopped. The server did not take the request; press Stop again.</FailureNotice>
          </div>
        )}
        <ImportBar label={label} phase={phase} progress={progress} />
        <StepTable phase={phase} progress={progress} />
        {resumed && (
          <p className="mt-3 text-xs text-muted-foreground">
            Went on after an interruption; the table counts from there.
          </p>
        )}
      </div>
      <SkippedList count={problems.length} reasons={problems} />
      <output className="sr-only">The import of {label} is running.</output>
    </SourceCard>
  );
}

function summaryOf(phase: ImportPhase, progress: RunProgressShown | null): string {
  if (!progress) return 'Starting …';
  if (phase === 'discover') return `Looking for documents: ${countText(found(progress))} so far.`;
  const { inputCount, total = 0, perSecond } = progress;
  const parts = [
    `${countText(Math.min(inputCount, total))} of ${plural(total, 'file')}`,
    rateText(perSecond),
    remainingText(progress),
  ];
  return parts.filter((part) => part !== null && part !== '–').join(' · ');
}

function found({ steps }: RunProgressShown): number {
  return steps.find(({ key }) => key === 'discover')?.emittedCount ?? 0;
}

function ImportBar({
  label,
  phase,
  progress,
}: {
  label: string;
  phase: ImportPhase;
  progress: RunProgressShown | null;
}) {
  const value = phase === 'index' && progress ? percentOf(progress) : null;
  return (
    <Progress.Root value={value} aria-label={`Import of ${label}`} className="flex items-center gap-3">
      <Progress.Track className="h-2 flex-1 overflow-hidden rounded-full bg-muted">
        <Progress.Indicator className="h-full rounded-full bg-primary transition-[width] duration-200 data-indeterminate:w-1/4 data-indeterminate:animate-pulse" />
      </Progress.Track>
      {value !== null && (
        <Progress.Value className="w-10 text-right text-xs text-muted-foreground tabular-nums">
          {(_, number) => `${number} %`}
        </Progress.Value>
      )}
    </Progress.Root>
  );
}
