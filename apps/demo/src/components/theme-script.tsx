'use client';

import { THEME_SCRIPT } from '../lib/theme.ts';

/** Sets the theme before the first paint. Only the server's HTML can run it; where the browser renders the page, it is inert text. */
export function ThemeScript() {
  return (
    <script
      type={typeof window === 'undefined' ? 'text/javascript' : 'text/plain'}
      suppressHydrationWarning
      dangerouslySetInnerHTML={{ __html: THEME_SCRIPT }}
    />
  );
}
