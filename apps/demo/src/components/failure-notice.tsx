import { TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';

/** Props of {@link FailureNotice}. */
export interface FailureNoticeProps {
  /** What happened and what to do. */
  readonly children: ReactNode;
  /** A button. */
  readonly action?: ReactNode;
  /** Read out at once. @default false */
  readonly urgent?: boolean;
}

/** Says that something went wrong, next to where it did. */
export function FailureNotice({ children, action, urgent = false }: FailureNoticeProps) {
  return (
    <div
      {...(urgent && { role: 'alert' })}
      className="flex flex-wrap items-center gap-x-3 gap-y-2 rounded-2xl border border-danger-border bg-danger-soft py-2 pr-2 pl-4 text-sm text-foreground"
    >
      <TriangleAlert aria-hidden className="size-4 shrink-0 text-danger" />
      <p className="min-w-40 flex-1 py-1.5 leading-relaxed wrap-anywhere">{children}</p>
      {action}
    </div>
  );
}
