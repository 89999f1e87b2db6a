import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

/** A process that runs a file of this folder from source. */
export interface Child {
  readonly pid: number;
  /** Lines printed so far. */
  readonly lines: readonly string[];
  /** Resolves with the first line, printed already or later, that fulfils the condition. */
  line(condition: (line: string) => boolean): Promise<string>;
  send(text: string): void;
  /** Kills it without warning and waits until it is gone and its last line is read. */
  kill(): Promise<void>;
}

export function startChild(file: string, ...args: readonly string[]): Child {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child: ChildProcess = spawn(process.execPath, ['--conditions=perennial-source', path, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  const { stdout, stdin } = child;
  if (!stdout || !stdin) throw new Error('The child has no pipes.');
  const reader = createInterface({ input: stdout });
  reader.on('line', (line) => {
    lines.push(line);
    for (const watcher of watchers) watcher();
  });
  const drained = new Promise<void>((resolve) => reader.once('close', resolve));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const gone = Promise.all([drained, exited]).then(() => undefined);

  async function kill(): Promise<void> {
    child.kill('SIGKILL');
    await gone;
  }
  onTestFinished(kill);

  return {
    pid: child.pid ?? 0,
    lines,
    async line(condition) {
      for (let at = 0; ; at++) {
        while (at >= lines.length) {
          const more = new Promise<'line'>((resolve) => {
            watchers.add(function watcher() {
              watchers.delete(watcher);
              resolve('line');
            });
          });
          if ((await Promise.race([more, gone])) !== 'line' && at >= lines.length) {
            throw new Error(`${file} ended after ${JSON.stringify(lines.slice(-3))}.`);
          }
        }
        const line = lines[at];
        if (line !== undefined && condition(line)) return line;
      }
    },
    send: (text) => void stdin.write(text),
    kill,
  };
}
