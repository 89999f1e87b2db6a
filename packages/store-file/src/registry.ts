import { basename, dirname, join } from 'node:path';

import { InvalidArgumentError } from '@perennial/core';

import { Engine } from './engine.ts';
import { type FileSystem, isMissing } from './file-system.ts';
import type { ResolvedOptions } from './options.ts';

/** An engine and how many stores use it. */
interface Shared {
  readonly engine: Engine;
  users: number;
  /** Set while the last user closes it. */
  closing: Promise<void> | null;
}

/**
 * Engines by real path, on `globalThis`: frameworks load this module several times into one process, and two engines on one directory
 * would lock each other out. The number goes up whenever engines of two versions of this file could not share one.
 */
const REGISTRY_KEY = '@perennial/store-file/engines/1';

type Registry = Map<string, Shared>;

function registry(): Registry {
  // `globalThis` cannot be declared to have it without declaring it for everybody.
  const holder = globalThis as { [REGISTRY_KEY]?: Registry };
  return (holder[REGISTRY_KEY] ??= new Map());
}

/** An engine in use by one store. */
export interface EngineLease {
  readonly engine: Engine;
  /** Closes the engine when this was its last user. */
  release(): Promise<void>;
}

/** Finds or starts the engine of a directory. Settings of memory and files are those of whoever came first. */
export async function leaseEngine(options: ResolvedOptions): Promise<EngineLease> {
  const path = await realPath(options.fs, options.directory);
  const engines = registry();
  let shared = engines.get(path);
  while (shared?.closing) {
    await shared.closing.catch(() => undefined);
    shared = engines.get(path);
  }
  if (!shared) {
    shared = { engine: new Engine(path, options), users: 0, closing: null };
    engines.set(path, shared);
  }
  const inUse = shared.engine.options.durability;
  if (inUse !== options.durability) {
    // Sharing it all the same would acknowledge with less than one of the two was promised.
    throw new InvalidArgumentError(
      'durability',
      `${path} is open with durability '${inUse}' in this process; got '${options.durability}'. Open it with one of them everywhere.`,
    );
  }
  shared.users++;
  return { engine: shared.engine, release: () => release(engines, path, shared) };
}

async function release(engines: Registry, path: string, shared: Shared): Promise<void> {
  if (--shared.users > 0) return;
  shared.closing = shared.engine.close();
  try {
    await shared.closing;
  } finally {
    engines.delete(path);
  }
}

/** The path without symbolic links, also of a folder that does not exist yet: two ways to it must meet in one engine. */
async function realPath(fs: FileSystem, path: string): Promise<string> {
  try {
    return await fs.realpath(path);
  } catch (error) {
    const parent = dirname(path);
    if (!isMissing(error) || parent === path) throw error;
    // A path that bundlers cannot know: without the comment Next traces the whole project into the output of every route.
    return join(/* turbopackIgnore: true */ await realPath(fs, parent), basename(path));
  }
}
