import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * How other commands of the same user reach the process that serves a folder. It is a file in the folder that only its owner may read,
 * because it holds a token made for this purpose.
 */
export interface ServedEndpoint {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
}

const NAME = 'endpoint.json';
const PROBE_TIMEOUT_MS = 3_000;

/** Tells other commands of this user where the folder is served. Resolves with the function that takes it back. */
export async function publishEndpoint(directory: string, endpoint: ServedEndpoint): Promise<() => Promise<void>> {
  const path = join(directory, NAME);
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, JSON.stringify(endpoint), { mode: 0o600 });
  await rename(temporary, path);
  return async () => {
    const present = await readEndpoint(directory);
    if (present?.token === endpoint.token) await rm(path, { force: true });
  };
}

/** The endpoint of the process that serves the folder; null when there is none that answers. */
export async function findEndpoint(directory: string): Promise<ServedEndpoint | null> {
  const endpoint = await readEndpoint(directory);
  return endpoint && isRunning(endpoint.pid) && (await answers(endpoint)) ? endpoint : null;
}

async function readEndpoint(directory: string): Promise<ServedEndpoint | null> {
  try {
    const value: unknown = JSON.parse(await readFile(join(directory, NAME), 'utf8'));
    return isEndpoint(value) ? value : null;
  } catch {
    // No file, one of another user, or one that was cut off: the folder is not served as far as this process can tell.
    return null;
  }
}

function isEndpoint(value: unknown): value is ServedEndpoint {
  return (
    typeof value === 'object' &&
    value !== null &&
    'url' in value &&
    typeof value.url === 'string' &&
    URL.canParse(value.url) &&
    'token' in value &&
    typeof value.token === 'string' &&
    'pid' in value &&
    Number.isSafeInteger(value.pid) &&
    Number(value.pid) > 0
  );
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user is there, too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** A port may belong to another program by now; only the process that made the token accepts it. */
async function answers({ url, token }: ServedEndpoint): Promise<boolean> {
  try {
    const response = await fetch(`${url}?perennial-list&perennial-limit=1`, {
      headers: { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
