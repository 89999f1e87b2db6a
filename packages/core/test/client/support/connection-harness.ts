import {
  type ConnectionOptions,
  type ConnectionState,
  connectStream,
  type ReceivedRecord,
  type StreamConnection,
  type WakeReason,
} from '@perennial/core/client';
import { onTestFinished } from 'vitest';

import { createManualClock, type ManualClock } from './manual-clock.ts';
import { createScriptedServer, type ScriptedServer } from './scripted-server.ts';

export interface Harness {
  readonly server: ScriptedServer;
  readonly clock: ManualClock;
  readonly connection: StreamConnection;
  /** Values of the data records that arrived. */
  values(): unknown[];
  readonly records: ReceivedRecord[];
  /** Every state the connection told of. */
  readonly states: ConnectionState[];
  /** Phases, without repetitions. */
  phases(): string[];
  wake(reason: WakeReason): void;
  /** Registered for wake-ups. */
  listening(): number;
}

/** A connection to a scripted server, on a clock that stands still. Jitter is always one half. */
export function connect(
  options: ConnectionOptions & {
    onRecords?: (records: readonly ReceivedRecord[]) => void | Promise<void>;
    headers?: () => Record<string, string>;
    onState?: (state: ConnectionState) => void;
  } = {},
): Harness {
  const server = createScriptedServer();
  const clock = createManualClock();
  const records: ReceivedRecord[] = [];
  const states: ConnectionState[] = [];
  const listeners = new Set<(reason: WakeReason) => void>();
  const connection = connectStream({
    url: '/streams/s',
    fetch: server.fetch,
    clock,
    random: () => 0.5,
    wakeSignals: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onState: (state) => states.push(state),
    ...options,
    onRecords: (received) => {
      records.push(...received);
      return options.onRecords?.(received);
    },
  });
  onTestFinished(() => connection.close());
  return {
    server,
    clock,
    connection,
    records,
    states,
    values: () => records.flatMap((record) => (record.kind === 'data' ? [record.value] : [])),
    phases: () => states.map(({ phase }) => phase).filter((phase, i, all) => phase !== all[i - 1]),
    wake: (reason) => {
      for (const listener of listeners) listener(reason);
    },
    listening: () => listeners.size,
  };
}
