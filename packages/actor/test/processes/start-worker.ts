import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A worker process. */
export interface WorkerProcess {
  readonly pid: number;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** Resolves once the process has printed the line. */
  printed(line: string): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts `worker.ts` from source. */
export function startWorker(url: string, prefix: string, maxAttempts = 20): WorkerProcess {
  const file = fileURLToPath(new URL('worker.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=perennial-source', file, url, prefix, String(maxAttempts)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  const lines = new Set<string>();
  const waiting = new Map<string, () => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.add(line);
    waiting.get(line)?.();
  });
  const exited = once(child, 'exit').then(([code, signal]: unknown[]) => {
    running.delete(child);
    return (code ?? signal) as number | NodeJS.Signals;
  });
  return {
    pid: child.pid ?? 0,
    exited,
    printed: (line) => (lines.has(line) ? Promise.resolve() : new Promise((resolve) => waiting.set(line, resolve))),
    signal: (signal) => void child.kill(signal),
  };
}
