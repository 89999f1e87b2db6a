import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

/** The command, from source. */
const BIN = fileURLToPath(new URL('../../src/bin.ts', import.meta.url));
/** What runs it. */
export const NODE_ARGS: readonly string[] = ['--conditions=perennial-source', BIN];

/** How a command is called. */
export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input; without it there is none, and null leaves it open for the test to write to. */
  readonly input?: string | Uint8Array | null;
}

/** How a command ended. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface RunningCli {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves once standard output or standard error has the text; rejects when the command ends without. */
  sees(text: string | RegExp, where?: 'stdout' | 'stderr'): Promise<void>;
  readonly done: Promise<CliResult>;
}

/** The environment of this process without what would change how a command behaves. */
export function cleanEnv(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (
      value === undefined ||
      /^(PERENNIAL_|NO_COLOR$|FORCE_COLOR$|NODE_(?!COMPILE_CACHE$)|CI$|VITEST|TERM$|COLUMNS$)/.test(name)
    )
      continue;
    env[name] = value;
  }
  return { ...env, TERM: 'xterm-256color', ...extra };
}

/** Starts a command; it is killed when the test ends. */
export function startCli(args: readonly string[], { cwd, env = {}, input }: CliOptions = {}): RunningCli {
  const child = spawn(process.execPath, [...NODE_ARGS, ...args], {
    ...(cwd !== undefined && { cwd }),
    env: cleanEnv(env),
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const text = { stdout: '', stderr: '' };
  const watchers = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
      for (const watch of watchers) watch();
    });
  }
  child.stdin?.on('error', () => undefined);
  if (input !== undefined && input !== null) child.stdin?.end(input);
  const done = once(child, 'close').then(([code]) => ({ code: code as number | null, ...text }));
  return {
    child,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    sees: (wanted, where = 'stdout') =>
      new Promise((resolve, reject) => {
        const found = (): boolean =>
          typeof wanted === 'string' ? text[where].includes(wanted) : wanted.test(text[where]);
        const watch = (): void => {
          if (!found()) return;
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
        void done.then((result) => reject(new Error(`It ended without ${String(wanted)}: ${JSON.stringify(result)}`)));
        watch();
      }),
    done,
  };
}

/** Runs a command to its end. */
export function runCli(args: readonly string[], options?: CliOptions): Promise<CliResult> {
  return startCli(args, options).done;
}
