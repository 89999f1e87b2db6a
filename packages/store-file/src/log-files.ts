import type { FileHandle } from 'node:fs/promises';

import { type FileSystem, isMissing } from './file-system.ts';
import type { HandlePool, OpenFiles, PooledFiles } from './handle-pool.ts';
import type { StreamPaths } from './layout.ts';

/** How {@link LogFiles.commit} writes. */
export interface CommitOptions {
  /** Where the first frame goes. */
  readonly at: number;
  /** Wait until the frames are on disk. */
  readonly sync: boolean;
  /** What to wait for between the write and the sync; when it rejects, so does the commit. Null: nothing. */
  readonly turn: Promise<void> | null;
  /** Called once the frames are in the file. */
  readonly confirm: () => Promise<unknown>;
  /** Called while they are synced. */
  readonly onSyncing: () => void;
}

/** The files of one log, opened on demand through the pool. */
export class LogFiles {
  readonly paths: StreamPaths;
  readonly #place: PooledFiles;
  /** The tail marks that are being written. */
  #publication: Promise<void> | null = null;
  /** The last tail mark, if it could not be written. */
  #unpublished: Buffer | null = null;

  constructor(fs: FileSystem, pool: HandlePool, paths: StreamPaths, writable: boolean) {
    this.paths = paths;
    this.#place = writable
      ? pool.add(() => openBoth(fs, paths), 2)
      : pool.add(async () => ({ log: await fs.open(paths.log, 'r'), tail: null }), 1);
  }

  /** Reads from byte `at` until `target` is full or the file ends; resolves with the number of bytes. */
  async read(target: Buffer, at: number): Promise<number> {
    const files = await this.#place.acquire();
    try {
      return await readFully(files.log, target, at);
    } finally {
      this.#place.release(files);
    }
  }

  /** Size of the log in bytes. */
  async size(): Promise<number> {
    const files = await this.#place.acquire();
    try {
      return (await files.log.stat()).size;
    } finally {
      this.#place.release(files);
    }
  }

  /** Writes frames and syncs them while it confirms. After a rejection the log's end is unknown: {@link reset} it. */
  async commit(
    frames: readonly { readonly frame: Buffer }[],
    { at, sync, turn, confirm, onSyncing }: CommitOptions,
  ): Promise<void> {
    const acquired = this.#place.acquire();
    const files = acquired instanceof Promise ? await acquired : acquired;
    try {
      if (frames.length > 0) await writeFully(files.log, frames, at);
      if (turn) await turn;
      // First, because handing a call to the system's threads takes a while.
      const synced = sync && frames.length > 0 ? files.log.datasync() : null;
      // The lock is looked at once the bytes are in the file, and while they are synced. What counts is this order: a new owner removes
      // the old claim first and reads the log after that, so a claim that is still there now means that it will find these bytes.
      const confirmed = confirm();
      onSyncing();
      // Both are waited for even when one fails: the files may be closed after this.
      for (const outcome of await Promise.allSettled([synced, confirmed])) {
        if (outcome.status === 'rejected') throw outcome.reason;
      }
    } finally {
      this.#place.release(files);
    }
  }

  /**
   * Overwrites the tail mark, after those before it. A mark that could not be written is made good by the next one, or when the files are
   * closed; what it says holds either way.
   */
  publish(mark: Buffer): Promise<void> {
    this.#publication = this.#publishAfter(this.#publication, mark);
    return this.#publication;
  }

  async #publishAfter(before: Promise<void> | null, mark: Buffer): Promise<void> {
    await before;
    this.#unpublished = mark;
    try {
      const files = await this.#place.acquire();
      try {
        await files.tail?.write(mark, 0, mark.length, 0);
        this.#unpublished = null;
      } finally {
        this.#place.release(files);
      }
    } catch {
      // See above.
    }
  }

  /** Waits until what was written is on disk. */
  async sync(): Promise<void> {
    const files = await this.#place.acquire();
    try {
      await files.log.datasync();
    } finally {
      this.#place.release(files);
    }
  }

  /**
   * Cuts the log back to a size that is known to be good, through a fresh handle: after a failed sync the old one has reported its error
   * and would call the next sync a success. Cutting drops the pages that could not be written, and the sync covers the one that is cut.
   */
  async reset(size: number): Promise<void> {
    await this.#publication;
    await this.#place.retire();
    const files = await this.#place.acquire();
    try {
      await files.log.truncate(size);
      await files.log.sync();
    } finally {
      this.#place.release(files);
    }
  }

  /** Closes the files as soon as nobody uses them. */
  async close(): Promise<void> {
    await this.#publication;
    if (this.#unpublished) await this.publish(this.#unpublished);
    await this.#place.retire();
  }
}

async function openBoth(fs: FileSystem, paths: StreamPaths): Promise<OpenFiles> {
  const log = await fs.open(paths.log, 'r+');
  try {
    return { log, tail: await openTail(fs, paths.tail) };
  } catch (error) {
    await log.close();
    throw error;
  }
}

async function openTail(fs: FileSystem, path: string): Promise<FileHandle> {
  try {
    return await fs.open(path, 'r+');
  } catch (error) {
    // It is never synced, so a power cut may take it.
    if (isMissing(error)) return fs.open(path, 'w+');
    throw error;
  }
}

async function readFully(handle: FileHandle, target: Buffer, at: number): Promise<number> {
  let length = 0;
  while (length < target.length) {
    const { bytesRead } = await handle.read(target, length, target.length - length, at + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

/** A write may store a part and report success; what is left is written on until it is stored or refused. */
async function writeFully(
  handle: FileHandle,
  frames: readonly { readonly frame: Buffer }[],
  at: number,
): Promise<void> {
  const buffers = frames.map(({ frame }) => frame);
  const [first] = buffers;
  const { bytesWritten } =
    first && buffers.length === 1 ? await handle.write(first, 0, first.length, at) : await handle.writev(buffers, at);
  let total = 0;
  for (const buffer of buffers) total += buffer.length;
  if (bytesWritten === total) return;
  const all = Buffer.concat(buffers);
  let written = bytesWritten;
  while (written < total) {
    const progress = await handle.write(all, written, total - written, at + written);
    if (progress.bytesWritten === 0) throw new Error(`Only ${written} of ${total} bytes could be written.`);
    written += progress.bytesWritten;
  }
}
