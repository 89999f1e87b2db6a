import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import type { StoreSpec } from './store-spec.ts';
import type { CrashPoint } from './trapped-store.ts';

/** A run that a worker process is to bring to its end. */
export interface WorkerJob {
  readonly store: StoreSpec;
  readonly program: string;
  readonly runId: string;
  /** Where the process stops. @default nowhere */
  readonly point?: CrashPoint | undefined;
  /** How. @default 'SIGKILL' */
  readonly signal?: 'SIGKILL' | 'SIGSTOP';
}

/** What a worker process is given. */
export interface WorkerTask {
  readonly jobs: readonly WorkerJob[];
  readonly leaseMs: number;
}

/** What a worker process tells. */
export type WorkerLine =
  | { readonly type: 'point' | 'started' | 'run_resumed' | 'run_lost'; readonly runId: string }
  | { readonly type: 'recovered'; readonly runId: string; readonly runIds: readonly string[] }
  | {
      readonly type: 'result';
      readonly runId: string;
      readonly ok: boolean;
      readonly value?: unknown;
      readonly code?: string;
      readonly counts: Readonly<Record<string, number>>;
    };

/** A worker process. */
export interface WorkerProcess {
  readonly lines: readonly WorkerLine[];
  /** Resolves with the first line of a type about a run, told already or later; null when the process ends without it. */
  told(type: WorkerLine['type'], runId: string): Promise<WorkerLine | null>;
  signal(signal: 'SIGKILL' | 'SIGCONT'): void;
  /** Resolves once it is gone: true when it was killed. Rejects when it failed by itself. */
  readonly gone: Promise<boolean>;
}

const FILE = fileURLToPath(new URL('../../processes/crash-worker.ts', import.meta.url));

/** Starts a process. It has to be waited for. */
export function spawnWorker(task: WorkerTask, { cache }: { readonly cache: string }): WorkerProcess {
  const args = ['--conditions=perennial-source', FILE, JSON.stringify(task)];
  // Compiled code is shared between the processes: there are hundreds of them.
  const env = { ...process.env, NODE_COMPILE_CACHE: cache };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: WorkerLine[] = [];
  const watchers = new Set<() => void>();
  const wake = (): void => {
    for (const watcher of watchers) watcher();
    watchers.clear();
  };
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => {
    lines.push(JSON.parse(line) as WorkerLine);
    wake();
  });
  let isGone = false;
  const gone = Promise.all([once(child, 'close'), once(reader, 'close')]).then(([[code, signal]]) => {
    isGone = true;
    wake();
    if (signal !== 'SIGKILL' && code !== 0)
      throw new Error(`A worker process failed with ${code ?? signal}:\n${errors}`);
    return signal === 'SIGKILL';
  });
  gone.catch(() => undefined);
  return {
    lines,
    gone,
    async told(type, runId) {
      for (;;) {
        const line = lines.find((line) => line.type === type && line.runId === runId);
        if (line || isGone) return line ?? null;
        await new Promise<void>((resolve) => watchers.add(resolve));
      }
    },
    signal: (signal) => void child.kill(signal),
  };
}
