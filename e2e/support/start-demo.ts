/**
 * Starts the built demo as its users do, in a process group of its own, so that
 * a test can kill launcher and server together as a crash would. Several demos
 * can run at once; each needs its own data folder.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';

/** Options of {@link startDemo}. */
export interface StartDemoOptions {
  /** Folder for the streams. Pass the same one again to restart on the same data. */
  readonly data: string;
  /** @default any free port */
  readonly port?: number;
  /** Added to the environment of the demo. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A running demo. */
export interface RunningDemo {
  readonly url: string;
  readonly port: number;
  /** Everything the demo has printed so far. */
  readonly output: () => string;
  /** Ends it as Ctrl-C does and waits until it is gone. */
  readonly stop: () => Promise<void>;
  /** Ends it as `kill -9` does and waits until it is gone. */
  readonly crash: () => Promise<void>;
}

const launcher = join(import.meta.dirname, '..', '..', 'scripts', 'demo.mjs');
const readyLine = /Demo ready: (http:\/\/localhost:(\d+))/;

/**
 * Not one that the system chooses: it chooses them for outgoing connections too, one of which could have the port while a test has its demo
 * down. And above those that browsers, and Next with them, refuse.
 */
const PORTS = { first: 20_000, count: 10_000 };

/** Resolves once the demo answers; rejects with its output when it stops before that. */
export async function startDemo({ data, port: wanted, env = {} }: StartDemoOptions): Promise<RunningDemo> {
  const port = wanted ?? randomInt(PORTS.first, PORTS.first + PORTS.count);
  const child = spawn(process.execPath, [launcher, '--no-build', '--port', String(port), '--data', data], {
    detached: true,
    env: { ...process.env, ...env },
    // Over the IPC channel the demo notices that the test runner is gone, and stops too.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  const ready = await new Promise<RegExpExecArray>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const match = readyLine.exec(output);
      if (match) resolve(match);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`The demo stopped with exit code ${code}.\n${output}`)));
  });
  return {
    url: String(ready[1]),
    port: Number(ready[2]),
    output: () => output,
    stop: () => end(child, 'SIGTERM'),
    crash: () => end(child, 'SIGKILL'),
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  process.kill(signal === 'SIGKILL' ? -child.pid : child.pid, signal);
  await gone;
}
