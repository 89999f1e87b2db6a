'use client';

import { useLayoutEffect } from 'react';

import { THEME_SCRIPT, themeStore } from '../lib/theme.ts';

/**
 * Sets the theme before the first paint. Only the server's HTML can run a script: where the browser renders the page alone, as after an
 * error on the server, the effect does it.
 */
export function ThemeScript() {
  useLayoutEffect(() => themeStore.apply(), []);
  return (
    <script
      type={typeof window === 'undefined' ? 'text/javascript' : 'text/plain'}
      suppressHydrationWarning
      dangerouslySetInnerHTML={{ __html: THEME_SCRIPT }}
    />
  );
}
