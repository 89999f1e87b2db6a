import { Tooltip } from '@base-ui/react/tooltip';
import type { ComponentProps, ReactElement, ReactNode } from 'react';

import { type ButtonVariant, buttonClass } from './button.tsx';

/** Props of {@link IconButton}. */
export interface IconButtonProps extends Omit<ComponentProps<'button'>, 'children' | 'ref'> {
  /** Accessible name, also shown as a tooltip. */
  readonly label: string;
  readonly children: ReactNode;
  readonly variant?: ButtonVariant;
  /** Renders another trigger, such as a dialog's, with the button's looks. */
  readonly render?: ReactElement<Record<string, unknown>>;
}

/** A 44 px button with an icon and a tooltip. */
export function IconButton({ label, children, variant = 'ghost', className = '', render, ...props }: IconButtonProps) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger
        aria-label={label}
        className={buttonClass(variant, `size-11 shrink-0 !px-0 ${className}`)}
        {...(render && { render })}
        {...props}
      >
        {children}
      </Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Positioner sideOffset={6}>
          <Tooltip.Popup className="rounded-lg bg-foreground px-2.5 py-1.5 text-xs text-background shadow-sm transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0">
            {label}
          </Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
