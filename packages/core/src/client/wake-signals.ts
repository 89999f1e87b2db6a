/**
 * Why a connection should be looked at now: the page became visible, came back from the back/forward cache, or the network changed.
 */
export type WakeReason = 'visible' | 'pageshow' | 'online' | 'offline';

/** Registers for wake-ups; returns the function that unregisters. */
export type WakeSignals = (listener: (reason: WakeReason) => void) => () => void;

/** Wake-ups of a browser page or worker; silent where there are no such events, as in Node. */
export const platformWakeSignals: WakeSignals = (listener) => {
  const cleanups: (() => void)[] = [];
  const on = (target: EventTarget, type: string, handle: (event: Event) => void): void => {
    target.addEventListener(type, handle);
    cleanups.push(() => target.removeEventListener(type, handle));
  };
  if (typeof document !== 'undefined') {
    on(document, 'visibilitychange', () => {
      if (document.visibilityState === 'visible') listener('visible');
    });
  }
  if (typeof globalThis.addEventListener === 'function') {
    on(globalThis, 'online', () => listener('online'));
    on(globalThis, 'offline', () => listener('offline'));
    on(globalThis, 'pageshow', (event) => {
      // Only a page that was frozen lost its connections; the first load fires this event too.
      if ('persisted' in event && event.persisted === true) listener('pageshow');
    });
  }
  return () => {
    for (const cleanup of cleanups.splice(0)) cleanup();
  };
};
