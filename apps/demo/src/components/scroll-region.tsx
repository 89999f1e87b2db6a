import type { ReactNode } from 'react';

/** Props of {@link ScrollRegion}. */
export interface ScrollRegionProps {
  /** Says what scrolls, to those who reach it by keyboard. */
  readonly label: string;
  readonly className: string;
  readonly children: ReactNode;
}

/** Something that may scroll and holds nothing to focus: it takes the focus itself, so that the keyboard can scroll it. */
export function ScrollRegion({ label, className, children }: ScrollRegionProps) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex, jsx-a11y/prefer-tag-over-role -- a fieldset is for forms, and without a tab stop only a mouse could scroll
    <div role="group" tabIndex={0} aria-label={label} className={`focus-visible:-outline-offset-2 ${className}`}>
      {children}
    </div>
  );
}
