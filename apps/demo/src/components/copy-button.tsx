'use client';

import { Check, Copy, X } from 'lucide-react';
import { useEffect, useState } from 'react';

import { IconButton } from './icon-button.tsx';

const SHOWN_MS = 2_000;

/** Props of {@link CopyButton}. */
export interface CopyButtonProps {
  readonly text: string;
  /** What pressing it does. */
  readonly label: string;
}

/** Copies a text and says whether that worked. */
export function CopyButton({ text, label }: CopyButtonProps) {
  const [state, setState] = useState<'ready' | 'copied' | 'failed'>('ready');
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
  const Icon = { ready: Copy, copied: Check, failed: X }[state];
  const shown = { ready: label, copied: 'Copied', failed: 'Could not copy' }[state];
  return (
    <IconButton label={shown} onClick={() => void copy()}>
      <Icon aria-hidden className="size-4" />
    </IconButton>
  );
}
