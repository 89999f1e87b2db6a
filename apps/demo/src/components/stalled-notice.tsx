import { useAfter } from '../lib/use-after.ts';
import { Button } from './button.tsx';

/** Props of {@link StalledNotice}. */
export interface StalledNoticeProps {
  readonly onRegenerate: () => void;
}

/** Until then another server has usually taken over, and there is nothing to decide. */
const PATIENCE_MS = 15_000;

/** Says that nobody is writing the answer at the moment; after a while it offers not to wait any longer. */
export function StalledNotice({ onRegenerate }: StalledNoticeProps) {
  const long = useAfter(PATIENCE_MS);
  return (
    <div className="mt-3 flex flex-wrap items-center gap-x-3 gap-y-2 rounded-2xl bg-warning-soft py-2 pr-2 pl-4 text-sm text-foreground">
      <p className="min-w-40 flex-1 py-1.5 leading-relaxed text-warning">
        The server that was writing this answer is gone. It goes on here as soon as another one takes over.
      </p>
      {long && <Button onClick={onRegenerate}>Start again</Button>}
    </div>
  );
}
