import { Sprout as SproutIcon } from 'lucide-react';

/** The app's mark. */
export function Sprout({ className = 'size-8' }: { readonly className?: string }) {
  return (
    <span
      className={`inline-flex shrink-0 items-center justify-center rounded-[30%] bg-primary-soft text-primary ${className}`}
    >
      <SproutIcon aria-hidden className="size-[60%]" strokeWidth={1.9} />
    </span>
  );
}
