import type { ClientClock } from './clock.ts';

/**
 * When subscribers hear of changes: once per animation frame, at most once in so many ms, or at once.
 */
export type Batch = 'frame' | 'none' | number;

/** Gathers changes into notifications. */
export interface Notifier {
  /** Asks for a notification, unless one is on its way. */
  schedule(batch: Batch): void;
  /** Notifies now, if a notification is on its way. */
  flush(): void;
  /** Calls off what is on its way. */
  cancel(): void;
}

/** About a frame, where there are no frames. */
const FRAME_MS = 16;
/** A frame that does not come: the page is hidden, and hidden pages draw nothing. Callbacks are to run all the same. */
const LATE_FRAME_MS = 250;

/** Creates a notifier that calls `notify`. */
export function createNotifier(clock: ClientClock, notify: () => void): Notifier {
  let callOff: (() => void) | null = null;
  const run = (): void => {
    callOff?.();
    callOff = null;
    notify();
  };
  return {
    schedule(batch) {
      if (callOff) return;
      if (batch === 'none') return notify();
      callOff = batch === 'frame' ? onNextFrame(clock, run) : clock.schedule(run, batch);
    },
    flush() {
      if (callOff) run();
    },
    cancel() {
      callOff?.();
      callOff = null;
    },
  };
}

function onNextFrame(clock: ClientClock, run: () => void): () => void {
  if (
    typeof requestAnimationFrame !== 'function' ||
    (typeof document !== 'undefined' && document.visibilityState === 'hidden')
  ) {
    return clock.schedule(run, FRAME_MS);
  }
  const frame = requestAnimationFrame(run);
  const unschedule = clock.schedule(run, LATE_FRAME_MS);
  return () => {
    cancelAnimationFrame(frame);
    unschedule();
  };
}
