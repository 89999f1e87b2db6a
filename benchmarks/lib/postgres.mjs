/** A PostgreSQL server of our own, for peers that keep their state in one. */
import { execFile, spawn } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const READY_MS = 60_000;

/**
 * Starts a server with default settings, which sync each commit, on a free loopback port.
 *
 * @returns {Promise<{ url: string, version: string, stop: () => Promise<void> } | null>} Null when `initdb` and `postgres` are not on PATH.
 */
export async function startPostgres() {
  const version = await run('postgres', ['--version']).then(
    ({ stdout }) => stdout.trim(),
    () => null,
  );
  if (!version) return null;
  const folder = await mkdtemp(join(tmpdir(), 'postgres-'));
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? await idOf('nobody') : {};
  if (user.uid !== undefined) await chown(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  await run('initdb', ['--pgdata', data, '--auth', 'trust', '--username', 'bench', '--encoding', 'UTF8'], {
    ...user,
    cwd: folder,
  });
  const port = await freePort();
  const args = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder];
  const child = spawn('postgres', args, { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  await new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(() => reject(new Error(`PostgreSQL is not ready in time:\n${output}`)), READY_MS);
    child.once('exit', (code) => reject(new Error(`PostgreSQL ended with ${code}:\n${output}`)));
    child.stderr.on('data', (chunk) => {
      output += chunk;
      if (!output.includes('ready to accept connections')) return;
      clearTimeout(timer);
      resolve();
    });
  });
  return {
    url: `postgresql://bench@127.0.0.1:${port}/postgres`,
    version,
    async stop() {
      const gone = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGINT');
      await gone;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function idOf(name) {
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, name])));
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
