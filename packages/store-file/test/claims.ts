import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { sealJson, unsealJson } from '../src/checksum.ts';
import type { ProcessIdentity } from '../src/process-identity.ts';

/** Names of the claims in a directory. */
export async function claimsOf(directory: string): Promise<string[]> {
  return (await readdir(join(directory, 'lock'))).filter((name) => /^\d+$/.test(name));
}

/** Rewrites the claim of the present owner, as if somebody else had made it. */
export async function forgeClaim(directory: string, changes: Partial<ProcessIdentity>): Promise<string> {
  const [name = ''] = await claimsOf(directory);
  const path = join(directory, 'lock', name);
  const claim = unsealJson(await readFile(path)) as Record<string, unknown>;
  await writeFile(path, sealJson({ ...claim, released: false, ...changes }));
  return path;
}

/** Makes the present claim one of a process in another container that has not been heard of for a minute. */
export async function abandonClaim(directory: string): Promise<void> {
  const path = await forgeClaim(directory, { pidNamespace: 'another container' });
  const aMinuteAgo = new Date(Date.now() - 60_000);
  await utimes(path, aMinuteAgo, aMinuteAgo);
}
