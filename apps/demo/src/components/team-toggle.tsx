import { Users } from 'lucide-react';

import { buttonClass } from './button.tsx';

/** Props of {@link TeamToggle}. */
export interface TeamToggleProps {
  readonly pressed: boolean;
  readonly onChange: (pressed: boolean) => void;
}

/** Chooses whether the next question is answered by a team. */
export function TeamToggle({ pressed, onChange }: TeamToggleProps) {
  return (
    <button
      type="button"
      aria-pressed={pressed}
      title="Let a researcher, an analyst and a writer answer"
      onClick={() => onChange(!pressed)}
      className={buttonClass(
        'ghost',
        `shrink-0 !rounded-full !gap-1.5 !px-3 ${pressed ? 'bg-primary-soft !text-primary ring-1 ring-primary/40 ring-inset hover:!bg-primary-soft' : ''}`,
      )}
    >
      <Users aria-hidden className="size-4" />
      Team
    </button>
  );
}
