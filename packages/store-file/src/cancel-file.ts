import { dirname, join } from 'node:path';

import type { CancelRequest } from '@perennial/core';

import { sealJson, unsealJson } from './checksum.ts';
import {
  type FileSystem,
  hasErrno,
  readIfPresent,
  replaceFile,
  syncDirectory,
  temporaryName,
  writeNewFile,
} from './file-system.ts';
import { CANCEL_FILE } from './layout.ts';

interface StoredCancel {
  readonly incarnation: string;
  readonly requestedAt: number;
  readonly reason?: string;
}

/** Reads the cancel request of a stream of this incarnation; null when there is none. */
export async function readCancel(fs: FileSystem, folder: string, incarnation: string): Promise<CancelRequest | null> {
  const bytes = await readIfPresent(fs, join(folder, CANCEL_FILE));
  const value = bytes && unsealJson(bytes);
  if (typeof value !== 'object' || value === null) return null;
  // The checksum has vouched for the content.
  const { incarnation: written, requestedAt, reason } = value as StoredCancel;
  if (written !== incarnation) return null;
  return reason === undefined ? { requestedAt } : { requestedAt, reason };
}

/**
 * Makes a cancel request, from any process, without the lock: a file next to the log, durable when this resolves. The first request
 * stands; linking a complete file into place fails for every later one.
 *
 * @returns The request that stands.
 */
export async function requestCancel(
  fs: FileSystem,
  folder: string,
  incarnation: string,
  request: CancelRequest,
): Promise<CancelRequest> {
  const path = join(folder, CANCEL_FILE);
  const stored: StoredCancel = { incarnation, ...request };
  const bytes = sealJson(stored);
  const temporary = temporaryName(path);
  try {
    await writeNewFile(fs, temporary, bytes, { sync: true });
    await fs.link(temporary, path);
    await syncOrUndo(fs, path);
    return request;
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) {
      const standing = await readCancel(fs, folder, incarnation);
      if (standing) {
        // Its maker may not have come to this yet, and what is answered has to last.
        await syncDirectory(fs, dirname(path));
        return standing;
      }
    } else if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].some((code) => hasErrno(error, code))) throw error;
  } finally {
    await fs.rm(temporary, { force: true }).catch(() => undefined);
  }
  // A damaged request, one of an earlier stream, or a file system without links: replace it.
  await replaceFile(fs, path, bytes, { sync: true });
  return request;
}

/** A request that is refused must not be found later. */
async function syncOrUndo(fs: FileSystem, path: string): Promise<void> {
  try {
    await syncDirectory(fs, dirname(path));
  } catch (error) {
    await fs.rm(path, { force: true }).catch(() => undefined);
    throw error;
  }
}
