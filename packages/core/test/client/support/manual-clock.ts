import type { ClientClock } from '@perennial/core/client';

/** A clock that only moves when told. */
export interface ManualClock extends ClientClock {
  /** Moves the time on and fires what is due, in order, letting promises settle in between. */
  advance(ms: number): Promise<void>;
  /** Timers that are set. */
  readonly pending: number;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Lets everything that is ready run: promise callbacks, and the stream machinery behind them. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

export function createManualClock(start = 1_000_000): ManualClock {
  const timers = new Set<Timer>();
  let time = start;
  let order = 0;
  const nextDue = (until: number): Timer | undefined =>
    [...timers].filter((timer) => timer.at <= until).toSorted((a, b) => a.at - b.at || a.order - b.order)[0];
  return {
    now: () => time,
    schedule(callback, delayMs) {
      const timer: Timer = { at: time + Math.max(0, delayMs), order: order++, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const until = time + ms;
      await settle();
      for (let timer = nextDue(until); timer; timer = nextDue(until)) {
        timers.delete(timer);
        time = Math.max(time, timer.at);
        timer.callback();
        await settle();
      }
      time = until;
      await settle();
    },
    get pending() {
      return timers.size;
    },
  };
}
