import { realpath } from 'node:fs/promises';

import { onTestFinished } from 'vitest';

import { Engine } from '../src/engine.ts';
import type { FileStreamStoreOptions } from '../src/index.ts';
import { resolveOptions } from '../src/options.ts';
import { currentProcess, type ProcessIdentity } from '../src/process-identity.ts';

/**
 * An engine of its own on a directory, past the registry: what another process would have, with nothing shared but the disk. Tests with
 * real processes prove the same end to end; this one can stop at any point.
 */
export async function openEngine(
  directory: string,
  { identity, ...options }: Partial<FileStreamStoreOptions> & { readonly identity?: Partial<ProcessIdentity> } = {},
): Promise<Engine> {
  const root = await realpath(directory);
  const engine = new Engine(root, resolveOptions({ directory, ...options }), { ...currentProcess(), ...identity });
  onTestFinished(() => engine.close());
  return engine;
}

/** A page of everything. */
export const PAGE = { from: 0, limit: 1_000, maxBytes: 1_048_576 } as const;
