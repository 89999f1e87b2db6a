'use client';

import { Check, Copy, X } from 'lucide-react';
import { useEffect, useState } from 'react';

import { IconButton } from './icon-button.tsx';

const SHOWN_MS = 2_000;
const STATES = {
  ready: { label: 'Copy answer', Icon: Copy },
  copied: { label: 'Copied', Icon: Check },
  failed: { label: 'Could not copy', Icon: X },
} as const;

/** Copies a text and says whether that worked. */
export function CopyButton({ text }: { readonly text: string }) {
  const [state, setState] = useState<keyof typeof STATES>('ready');
  useEffect(() => {
    if (state === 'ready') return undefined;
    const timeout = setTimeout(() => setState('ready'), SHOWN_MS);
    return () => clearTimeout(timeout);
  }, [state]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setState('copied');
    } catch {
      // Also where there is no clipboard, as on plain HTTP from another machine.
      setState('failed');
    }
  };
  const { label, Icon } = STATES[state];
  return (
    <IconButton label={label} onClick={() => void copy()}>
      <Icon aria-hidden className="size-4" />
    </IconButton>
  );
}
