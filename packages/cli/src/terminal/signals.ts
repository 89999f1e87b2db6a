import process from 'node:process';

import { EXIT } from '../exit-codes.ts';

/** Signals of the process as one `AbortSignal`. */
export interface CaughtSignals {
  /** Fires with the first signal; the reason is its name. */
  readonly signal: AbortSignal;
  release(): void;
}

/** Lets a command finish in good order on Ctrl-C or SIGTERM. The second signal ends the process at once. */
export function catchSignals(): CaughtSignals {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(name === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted);
    stop.abort(name);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: stop.signal,
    release: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
