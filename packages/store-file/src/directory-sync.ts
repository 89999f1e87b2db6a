import { coalesce } from './coalesce.ts';
import { type FileSystem, syncDirectory } from './file-system.ts';

/** Makes a sync of one folder that callers share: thousands of creations at a time need few syncs of the names. */
export function createDirectorySync(fs: FileSystem, path: string): () => Promise<void> {
  const sync = coalesce<null>(
    () => syncDirectory(fs, path),
    () => null,
  );
  return () => sync(null);
}
