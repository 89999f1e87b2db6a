import type { ReactNode } from 'react';

/** Props of {@link SourceCard}. */
export interface SourceCardProps {
  readonly icon: ReactNode;
  readonly title: string;
  /** One line below the title. */
  readonly summary: ReactNode;
  /** State and buttons. */
  readonly aside?: ReactNode;
  readonly children?: ReactNode;
}

/** One place that documents come from. */
export function SourceCard({ icon, title, summary, aside, children }: SourceCardProps) {
  return (
    <li className="rounded-2xl border bg-card" aria-label={title}>
      <div className="flex items-start gap-3 p-4">
        <span className="mt-0.5 inline-flex size-9 shrink-0 items-center justify-center rounded-xl bg-muted text-muted-foreground">
          {icon}
        </span>
        <div className="min-w-0 flex-1">
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <h3 className="min-w-0 text-sm leading-snug font-medium wrap-anywhere">{title}</h3>
            {aside}
          </div>
          <p className="mt-1 text-sm text-muted-foreground">{summary}</p>
        </div>
      </div>
      {children}
    </li>
  );
}
