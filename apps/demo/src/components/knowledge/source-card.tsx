import type { ReactNode } from 'react';

/** Props of {@link SourceCard}. */
export interface SourceCardProps {
  readonly icon: ReactNode;
  readonly title: string;
  /** One line below the title. */
  readonly summary: ReactNode;
  /** Next to the title. */
  readonly state?: ReactNode;
  /** Buttons. */
  readonly actions?: ReactNode;
  readonly children?: ReactNode;
}

/** One place that documents come from. */
export function SourceCard({ icon, title, summary, state, actions, children }: SourceCardProps) {
  return (
    <li className="rounded-2xl border bg-card" aria-label={title}>
      <div className="flex items-start gap-3 p-4">
        <span className="mt-0.5 inline-flex size-9 shrink-0 items-center justify-center rounded-xl bg-muted text-muted-foreground">
          {icon}
        </span>
        <div className="min-w-0 flex-1">
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <h3 className="min-w-0 text-sm leading-snug font-medium wrap-anywhere">{title}</h3>
            {state}
          </div>
          <p className="mt-1 text-sm text-muted-foreground tabular-nums">{summary}</p>
        </div>
        {actions && <div className="-mt-1 -mr-1 flex shrink-0 items-center gap-1">{actions}</div>}
      </div>
      {children}
    </li>
  );
}
