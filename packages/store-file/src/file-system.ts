import type * as nodeFs from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * The part of `node:fs/promises` that the store uses: pass that module itself, or a wrapper of it (the seam at which tests make a disk
 * fill up or fail). A wrapper must keep the meaning of every call, above all of `datasync`.
 */
export type FileSystem = Pick<
  typeof nodeFs,
  | 'access'
  | 'link'
  | 'mkdir'
  | 'open'
  | 'readFile'
  | 'readdir'
  | 'realpath'
  | 'rename'
  | 'rm'
  | 'stat'
  | 'unlink'
  | 'utimes'
  | 'watch'
>;

/** True for the error of a call that found no file. */
export function isMissing(error: unknown): boolean {
  return hasErrno(error, 'ENOENT') || hasErrno(error, 'ENOTDIR');
}

/** True when `error` carries this `code` of the operating system. */
export function hasErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Reads a file; null when there is none. */
export async function readIfPresent(fs: FileSystem, path: string): Promise<Buffer | null> {
  try {
    return await fs.readFile(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** The entries of a folder; none when there is no such folder. */
export async function listIfPresent(fs: FileSystem, path: string): Promise<readonly string[]> {
  try {
    return await fs.readdir(path);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Makes the names in a folder durable: a file's own sync does not cover its entry in the folder. */
export async function syncDirectory(fs: FileSystem, path: string): Promise<void> {
  // Windows keeps names durable by its own journal and cannot open folders.
  if (process.platform === 'win32') return;
  const handle = await fs.open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Options of {@link writeNewFile}. */
export interface WriteFileOptions {
  /** Wait until the bytes are on disk. The name is durable only after {@link syncDirectory}. */
  readonly sync: boolean;
}

/** Writes a file that must not exist yet. */
export async function writeNewFile(
  fs: FileSystem,
  path: string,
  data: Uint8Array,
  { sync }: WriteFileOptions,
): Promise<void> {
  const handle = await fs.open(path, 'wx');
  try {
    await handle.writeFile(data);
    if (sync) await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Puts a file in place at once: whoever reads it sees the old content or the new, never a mixture. */
export async function replaceFile(
  fs: FileSystem,
  path: string,
  data: Uint8Array,
  options: WriteFileOptions,
): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await writeNewFile(fs, temporary, data, options);
    await fs.rename(temporary, path);
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  if (options.sync) await syncDirectory(fs, dirname(path));
}

let counter = 0;

/** A name next to `path` that no other call, module copy or process uses. */
export function temporaryName(path: string): string {
  return `${path}.${process.pid}-${(counter++).toString(36)}-${crypto.randomUUID().slice(0, 8)}.tmp`;
}
