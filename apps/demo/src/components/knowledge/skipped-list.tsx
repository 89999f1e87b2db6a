import { ChevronRight } from 'lucide-react';

import { plural } from '../../lib/import-progress.ts';

/** Props of {@link SkippedList}. */
export interface SkippedListProps {
  /** Number of files left out, which may be more than there are reasons. */
  readonly count: number;
  readonly reasons: readonly string[];
}

/** The files that were left out, and why. Closed at first: most of the time it is nothing to worry about. */
export function SkippedList({ count, reasons }: SkippedListProps) {
  if (count === 0) return null;
  const more = count - reasons.length;
  return (
    <details className="group border-t">
      <summary className="flex min-h-11 cursor-pointer list-none items-center gap-2 px-4 text-sm text-warning [&::-webkit-details-marker]:hidden">
        <ChevronRight aria-hidden className="size-4 transition-transform group-open:rotate-90" />
        {plural(count, 'file')} skipped
      </summary>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- without a tab stop only a mouse could scroll */}
      <ul tabIndex={0} aria-label="Skipped files" className="max-h-64 space-y-1.5 overflow-y-auto px-4 pb-4 text-sm">
        {reasons.map((reason, index) => (
          <li key={index} className="leading-relaxed wrap-anywhere text-muted-foreground">
            {reason}
          </li>
        ))}
        {more > 0 && <li className="text-muted-foreground">… and {plural(more, 'file')} more.</li>}
      </ul>
    </details>
  );
}
