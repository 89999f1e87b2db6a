import { Button as BaseButton } from '@base-ui/react/button';
import type { ComponentProps } from 'react';

const VARIANTS = {
  primary: 'bg-primary text-primary-foreground hover:bg-primary/90',
  outline: 'border bg-card hover:bg-accent',
  ghost: 'text-muted-foreground hover:bg-accent hover:text-foreground',
  danger: 'bg-danger text-background hover:bg-danger/90',
} as const;

/** Looks of a button. */
export type ButtonVariant = keyof typeof VARIANTS;

const BASE =
  'inline-flex min-h-11 items-center justify-center gap-2 rounded-xl px-4 text-sm font-medium transition-colors select-none disabled:opacity-50 disabled:pointer-events-none';

/** The classes of a button, for links and triggers that look like one. */
export function buttonClass(variant: ButtonVariant, extra = ''): string {
  return `${BASE} ${VARIANTS[variant]} ${extra}`;
}

/** A button at least 44 px high. */
export function Button({
  variant = 'outline',
  className = '',
  ...props
}: Omit<ComponentProps<'button'>, 'ref'> & { readonly variant?: ButtonVariant }) {
  return <BaseButton type="button" className={buttonClass(variant, className)} {...props} />;
}
