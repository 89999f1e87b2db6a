import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import type { ServedStreams } from '@perennial/protocol-suite';

const fixture = join(import.meta.dirname, '..', 'fixture');
const next = createRequire(import.meta.url).resolve('next/dist/bin/next');
const READY = /(http:\/\/(?:localhost|127\.0\.0\.1):\d+)/;

/** Builds the fixture app for production and starts it on a free port. */
export async function serveNextProduction(): Promise<ServedStreams> {
  const build = run('build', fixture);
  const [code] = (await once(build.child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`next build ended with ${code}.\n${build.output()}`);
  const server = run('start', fixture, '--hostname', '127.0.0.1', '--port', '0');
  const gone = once(server.child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    server.child.stdout?.on('data', () => {
      const match = READY.exec(server.output());
      if (match?.[1] && /Ready in/.test(server.output())) resolve(match[1]);
    });
    server.child.once('exit', () => reject(new Error(`next start ended.\n${server.output()}`)));
  });
  return {
    url,
    async close() {
      server.child.kill('SIGKILL');
      await gone;
    },
  };
}

function run(...args: readonly string[]): { readonly child: ChildProcess; readonly output: () => string } {
  const child = spawn(process.execPath, [next, ...args], {
    // The runner's own `NODE_ENV` is not for a production build.
    env: { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output };
}
