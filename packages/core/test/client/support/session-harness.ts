import {
  createStreamSession,
  type ItemsSessionOptions,
  type StreamSession,
  type WakeReason,
} from '@perennial/core/client';
import { onTestFinished } from 'vitest';

import { createManualClock, type ManualClock } from './manual-clock.ts';
import { createScriptedServer, type ScriptedServer } from './scripted-server.ts';

export interface OpenedSession {
  readonly server: ScriptedServer;
  readonly clock: ManualClock;
  readonly session: StreamSession<unknown, readonly unknown[]>;
  /** Statuses that subscribers saw, without repetitions. */
  readonly statuses: string[];
  readonly notified: () => number;
  wake(reason: WakeReason): void;
}

/** A session on a scripted server, notifying at once. */
export function openSession(options: ItemsSessionOptions<unknown> = {}): OpenedSession {
  const server = createScriptedServer();
  const clock = createManualClock();
  const listeners = new Set<(reason: WakeReason) => void>();
  const session = createStreamSession(
    { url: '/s', fetch: server.fetch },
    {
      batch: 'none',
      clock,
      random: () => 0.5,
      wakeSignals: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      ...options,
    },
  );
  const statuses: string[] = [];
  let notified = 0;
  session.subscribe(() => {
    notified++;
    const { status } = session.getState();
    if (statuses.at(-1) !== status) statuses.push(status);
  });
  onTestFinished(() => session.close());
  return {
    server,
    clock,
    session,
    statuses,
    notified: () => notified,
    wake: (reason) => listeners.forEach((listener) => listener(reason)),
  };
}
