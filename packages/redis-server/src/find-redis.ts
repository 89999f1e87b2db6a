/**
 * Finds a Redis server that starts on this machine: `REDIS_SERVER_PATH`, then `redis-server` or `valkey-server` on PATH, then a copy
 * fetched earlier, then one fetched now. Fetching needs apt and dpkg, but no rights: the package lists and the unpacked files lie in a
 * folder of our own. Each candidate is asked for its version, because a binary that misses a library fails only when started.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** A server binary and what its process needs in the environment. */
export interface RedisBinary {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  /** As the binary states it. */
  readonly version: string;
}

const run = promisify(execFile);
const START_TIMEOUT_MS = 30_000;
const FETCH_TIMEOUT_MS = 120_000;
const NAMES = ['redis-server', 'valkey-server'];
/** The server and those of its libraries that a slim Debian or Ubuntu lacks. */
const PACKAGES = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1'];

let found: Promise<RedisBinary> | undefined;

/** Returns the first Redis of version 7 or later that starts, looking once per process; rejects with what was tried. */
export function findRedis(): Promise<RedisBinary> {
  found ??= search();
  return found;
}

async function search(): Promise<RedisBinary> {
  const named = process.env['REDIS_SERVER_PATH'];
  if (named) {
    const candidate = await probe(named, {});
    if (typeof candidate !== 'string') return candidate;
    throw new Error(`REDIS_SERVER_PATH names ${named}, which cannot be used: ${candidate}`);
  }
  const tried: string[] = [];
  for (const find of [onPath, fetched]) {
    const binary = await find(tried);
    if (binary) return binary;
  }
  throw new Error(
    `No Redis 7 starts here. Tried:\n${tried.map((line) => `  ${line}`).join('\n')}\n` +
      'Install it (Debian: apt-get install redis-server; macOS: brew install redis), or set REDIS_SERVER_PATH to a redis-server binary.',
  );
}

async function onPath(tried: string[]): Promise<RedisBinary | null> {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const paths = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).filter((path) => existsSync(path));
  if (paths.length === 0) tried.push(`installed server: neither ${NAMES.join(' nor ')} is on PATH`);
  for (const path of paths) {
    const candidate = await probe(path, {});
    if (typeof candidate !== 'string') return candidate;
    tried.push(`${path}: ${candidate}`);
  }
  return null;
}

async function fetched(tried: string[]): Promise<RedisBinary | null> {
  const folder = join(cacheFolder(), 'redis-server');
  if (!existsSync(folder)) {
    const problem = await fetchInto(folder);
    if (problem !== null) {
      tried.push(problem);
      return null;
    }
  }
  const path = join(folder, 'usr', 'bin', 'redis-server');
  const candidate = await probe(path, { LD_LIBRARY_PATH: await libraryPath(folder) });
  if (typeof candidate !== 'string') return candidate;
  tried.push(`fetched server ${path}: ${candidate}`);
  return null;
}

/** Null when done, otherwise the reason why not. The folder gets its name only when it is complete. */
async function fetchInto(folder: string): Promise<string | null> {
  if (!existsSync('/usr/bin/apt-get') || !existsSync('/usr/bin/dpkg')) return 'fetched server: needs apt-get and dpkg';
  await mkdir(dirname(folder), { recursive: true });
  const staging = await mkdtemp(`${folder}-`);
  try {
    await fetchPackages(staging, join(staging, 'root'));
    await rename(join(staging, 'root'), folder);
    return null;
  } catch (error) {
    // Another process may have been faster.
    if (existsSync(folder)) return null;
    return `fetched server: ${error instanceof Error ? error.message.trim() : String(error)}`;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function fetchPackages(staging: string, root: string): Promise<void> {
  const folders = { lists: join(staging, 'lists'), cache: join(staging, 'cache'), state: join(staging, 'state') };
  const debs = join(staging, 'debs');
  for (const path of [
    join(folders.lists, 'partial'),
    join(folders.cache, 'archives', 'partial'),
    folders.state,
    debs,
    root,
  ]) {
    await mkdir(path, { recursive: true });
  }
  const options = [
    `Dir::State=${folders.state}`,
    `Dir::State::lists=${folders.lists}`,
    'Dir::State::status=/var/lib/dpkg/status',
    `Dir::Cache=${folders.cache}`,
    'Debug::NoLocking=1',
  ].flatMap((option) => ['-o', option]);
  const limits = { cwd: debs, timeout: FETCH_TIMEOUT_MS };
  await run('apt-get', [...options, '-qq', 'update'], limits);
  await run('apt-get', [...options, '-qq', 'download', ...PACKAGES], limits);
  for (const deb of await readdir(debs)) await run('dpkg', ['-x', join(debs, deb), root]);
}

/** Beside the installed packages, so that it goes where they go. */
function cacheFolder(): string {
  const ioredis = dirname(createRequire(import.meta.url).resolve('ioredis/package.json'));
  return join(dirname(ioredis), '.cache');
}

async function libraryPath(folder: string): Promise<string> {
  const lib = join(folder, 'usr', 'lib');
  const inherited = process.env['LD_LIBRARY_PATH'];
  const triplets = (await readdir(lib)).map((name) => join(lib, name));
  return [...triplets, ...(inherited ? [inherited] : [])].join(delimiter);
}

/** The binary when it starts and is new enough, otherwise its first complaint. */
async function probe(path: string, env: Readonly<Record<string, string>>): Promise<RedisBinary | string> {
  try {
    const { stdout } = await run(path, ['--version'], { env: { ...process.env, ...env }, timeout: START_TIMEOUT_MS });
    const version = /\bv=(\S+)/.exec(stdout)?.[1] ?? '';
    if (Number.parseInt(version, 10) < 7) return `version ${version} is too old; 7 or later is needed`;
    return { path, env, version };
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[1] ?? error.message) : String(error);
  }
}
