import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

import { onTestFinished } from 'vitest';

import { cleanEnv, type CliOptions, NODE_ARGS } from './cli.ts';

/** A command on a terminal of its own, which mixes standard output and standard error as terminals do. */
export interface TerminalCli {
  readonly child: ChildProcess;
  /** Everything that was shown, escape codes included. */
  readonly shown: () => string;
  /** Resolves once the text was shown. */
  sees(text: string): Promise<void>;
  /** Types. */
  type(keys: string): void;
  readonly done: Promise<number | null>;
}

/**
 * Starts the command on a pseudo-terminal, through `script`, which every Linux (util-linux) and macOS has.
 *
 * @throws When it is missing: what terminals show would be untested otherwise.
 */
export function startOnTerminal(args: readonly string[], { cwd, env = {} }: CliOptions = {}): TerminalCli {
  const quoted = [process.execPath, ...NODE_ARGS, ...args].map((arg) => `'${arg.replaceAll("'", "'\\''")}'`).join(' ');
  // A terminal that nobody sits at has no size.
  const command = `stty cols 80 rows 24; exec ${quoted}`;
  const words =
    process.platform === 'darwin' ? ['-q', '/dev/null', 'sh', '-c', command] : ['-qefc', command, '/dev/null'];
  const child = spawn('script', words, { ...(cwd !== undefined && { cwd }), env: cleanEnv(env), stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  let shown = '';
  const watchers = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    for (const watch of watchers) watch();
  });
  child.stdin.on('error', () => undefined);
  const done = once(child, 'close').then(
    ([code]) => code as number | null,
    (cause: unknown) => {
      throw new Error('`script` cannot be started. Install util-linux.', { cause });
    },
  );
  return {
    child,
    shown: () => shown,
    sees: (text) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          if (shown.includes(text)) resolve();
        };
        watchers.add(watch);
        void done.then(
          () => reject(new Error(`It ended without ${JSON.stringify(text)}: ${JSON.stringify(shown)}`)),
          reject,
        );
        watch();
      }),
    type: (keys) => void child.stdin.write(keys),
    done,
  };
}
