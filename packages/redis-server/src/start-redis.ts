import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { findRedis } from './find-redis.ts';

/** Options of {@link startRedis}. */
export interface StartRedisOptions {
  /** Configuration, such as `{ appendonly: 'yes' }`. @default no persistence */
  readonly config?: Readonly<Record<string, string>>;
}

/** A server process of our own, on a loopback port. */
export interface RedisServer {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** Ends the process as a crash does. Its data stay for `restart`. */
  kill(): Promise<void>;
  /** Starts the process again on the same port with the same data; resolves once it answers. */
  restart(): Promise<void>;
  /** Ends the process and removes its data. Idempotent. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
/**
 * Below the ports that systems hand to outgoing connections, one of which could have the port while a test has its server down. A Cluster node
 * also takes the port 10,000 above.
 */
const PORTS = { first: 12_000, count: 10_000 };
const BUS_OFFSET = 10_000;
const ATTEMPTS = 20;
const READY_TIMEOUT_MS = 30_000;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a server with an empty data folder on a free port; resolves once it answers. */
export async function startRedis({ config = {} }: StartRedisOptions = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  let failure: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    if (!((await isFree(port)) && (await isFree(port + BUS_OFFSET)))) continue;
    try {
      return serverOn(port, folder, config, await launch(port, folder, config));
    } catch (error) {
      failure = error;
    }
  }
  await rm(folder, { recursive: true, force: true });
  throw new Error('No Redis server could be started.', { cause: failure });
}

function serverOn(
  port: number,
  folder: string,
  config: Readonly<Record<string, string>>,
  first: ChildProcess,
): RedisServer {
  let child: ChildProcess | null = first;
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    const ending = child;
    child = null;
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
    const exited = once(ending, 'exit');
    ending.kill(signal);
    await exited;
  };
  return {
    host: HOST,
    port,
    url: `redis://${HOST}:${port}`,
    get pid() {
      return child?.pid ?? 0;
    },
    kill: () => end('SIGKILL'),
    async restart() {
      await end('SIGKILL');
      child = await launch(port, folder, config);
    },
    async stop() {
      await end('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Starts the process and waits for the line by which it says that it takes connections. */
async function launch(port: number, folder: string, config: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const { path, env } = await findRedis();
  const settings = { port: String(port), bind: HOST, dir: folder, save: '', daemonize: 'no', ...config };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn(path, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => fail('is not ready in time'), READY_TIMEOUT_MS);
    const fail = (what: string): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`The Redis server on port ${port} ${what}:\n${output}`));
    };
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (!output.includes('Ready to accept connections')) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', (error) => fail(`cannot be started (${error.message})`));
    child.once('exit', (code) => fail(`ended with ${code}`));
  });
  // From here on nobody reads the log, and a full pipe would stop the server.
  child.removeAllListeners('exit');
  child.once('exit', () => running.delete(child));
  child.stdout.removeAllListeners('data').resume();
  child.stderr.removeAllListeners('data').resume();
  return child;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, HOST);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    await new Promise((resolve) => {
      server.close(resolve);
    });
  }
}
