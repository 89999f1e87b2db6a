/** Starts a plain Node server with the endpoints of actors, from source: the other end of the browser's own `EventSource` and `WebSocket`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A running server. */
export interface RunningEndpoints {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

const file = join(import.meta.dirname, '..', '..', 'packages', 'actor', 'test', 'processes', 'endpoint-server.ts');

/** Resolves once the server listens; rejects when it stops before that. */
export async function startEndpoints(): Promise<RunningEndpoints> {
  // Over the IPC channel the server notices that the test runner is gone, and stops too.
  const child = spawn(process.execPath, ['--conditions=perennial-source', file], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  if (!child.stdout) throw new Error('The server has no output.');
  const stopped = exited.then(([code]: unknown[]) => {
    throw new Error(`The server stopped with exit code ${String(code)}.`);
  });
  const line = once(createInterface({ input: child.stdout }), 'line');
  const [url] = (await Promise.race([line, stopped])) as [string];
  stopped.catch(() => {});
  return {
    url,
    stop: async () => {
      child.kill();
      await exited;
    },
  };
}
