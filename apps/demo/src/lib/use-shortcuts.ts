import { useEffect, useEffectEvent } from 'react';

/** What the page's keys do. */
export interface Shortcuts {
  /** On "/", outside of text fields. */
  readonly onSlash: () => void;
  /** On Escape, unless something that is open takes it for itself. */
  readonly onEscape: () => void;
}

const OPEN_POPUP = '[role="dialog"], [role="alertdialog"], [role="menu"]';

/** Listens for the page's keys while the component is shown. */
export function useShortcuts({ onSlash, onEscape }: Shortcuts): void {
  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector(OPEN_POPUP)) return;
    if (event.key === 'Escape') onEscape();
    if (event.key === '/' && !isTextField(event.target)) {
      event.preventDefault();
      onSlash();
    }
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => onKeyDown(event);
    // Before the popups' own listeners, which would have closed what is asked for here.
    document.addEventListener('keydown', listener, { capture: true });
    return () => document.removeEventListener('keydown', listener, { capture: true });
  }, []);
}

function isTextField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(?:input|textarea|select)$/i.test(target.tagName))
  );
}
