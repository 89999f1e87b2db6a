import { join } from 'node:path';

import { StreamCorruptError } from './file-errors.ts';
import { listIfPresent } from './file-system.ts';
import { newestLog, streamPaths } from './layout.ts';
import { LogFiles } from './log-files.ts';
import { readCreation } from './log-loader.ts';
import type { StoreContext } from './store-context.ts';
import { decodeStreamName, encodeStreamId, isHashedName } from './stream-name.ts';

/** What never changes about the stream of a folder. */
export interface CatalogueEntry {
  readonly id: string;
  /** The stream has a ttl or an expiry. */
  readonly expires: boolean;
}

/** The streams of a directory by their folders. */
export interface Catalogue {
  /** Names of all folders. */
  names(): Promise<readonly string[]>;
  /** Ids in code unit order. */
  ids(filter: { readonly prefix: string; readonly after: string | undefined }): Promise<readonly string[]>;
  /** Reads a log's first frame; null when it is gone or damaged. */
  entry(name: string): Promise<CatalogueEntry | null>;
  /** The stream of this id is another one now. */
  forget(id: string): void;
}

/** Entries remembered; without one, its log is opened to look. */
const MAX_REMEMBERED = 16_384;

/** Creates the catalogue of a directory. */
export function createCatalogue(context: StoreContext): Catalogue {
  const remembered = new Map<string, CatalogueEntry>();

  async function read(name: string): Promise<CatalogueEntry | null> {
    const folder = join(context.layout.streams, name);
    const generation = newestLog(await listIfPresent(context.fs, folder));
    if (generation === null) return null;
    const files = new LogFiles(context.fs, context.handles, streamPaths(folder, generation), false);
    try {
      const { head } = await readCreation((target, at) => files.read(target, at), { id: null, file: files.paths.log });
      return { id: head.id, expires: head.ttlMs !== null || head.expiresAt !== null };
    } catch (error) {
      if (error instanceof StreamCorruptError) return null;
      throw error;
    } finally {
      await files.close();
    }
  }

  async function entry(name: string): Promise<CatalogueEntry | null> {
    const known = remembered.get(name);
    if (known) return known;
    const found = await read(name);
    if (found) {
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      remembered.set(name, found);
    }
    return found;
  }

  const names = (): Promise<readonly string[]> => listIfPresent(context.fs, context.layout.streams);

  return {
    names,
    entry,
    forget: (id) => void remembered.delete(encodeStreamId(id)),
    async ids({ prefix, after }) {
      const ids: string[] = [];
      for (const name of await names()) {
        const id = isHashedName(name) ? (await entry(name))?.id : decodeStreamName(name);
        if (id?.startsWith(prefix) && (after === undefined || id > after)) ids.push(id);
      }
      // The default order compares UTF-16 code units.
      return ids.toSorted();
    },
  };
}
