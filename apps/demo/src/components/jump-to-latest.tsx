import { ArrowDown } from 'lucide-react';

import { Button } from './button.tsx';

/** Leads back to the newest text, while the reader is elsewhere. */
export function JumpToLatest({ onClick }: { readonly onClick: () => void }) {
  return (
    <Button onClick={onClick} className="!rounded-full bg-popover shadow-md">
      <ArrowDown aria-hidden className="size-4" />
      Jump to latest
    </Button>
  );
}
