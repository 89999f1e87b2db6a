import type { FileHandle } from 'node:fs/promises';

/** Files that are opened and closed together. */
export interface OpenFiles {
  readonly log: FileHandle;
  /** Only where the stream is written. */
  readonly tail: FileHandle | null;
}

interface Entry extends OpenFiles {
  users: number;
  /** No longer handed out; closed when its last user is done. */
  retired: boolean;
  readonly owner: PooledFiles;
}

/** A place in the pool: the files of one stream, open or not. */
export interface PooledFiles {
  /** Opens the files, waiting for room in the pool if need be; at once when they are open. Pair with {@link release}. */
  acquire(): OpenFiles | Promise<OpenFiles>;
  release(files: OpenFiles): void;
  /** Closes the files once they are idle; the next `acquire` opens them anew. */
  retire(): Promise<void>;
}

/** Keeps at most so many files open and closes those that were idle longest. */
export interface HandlePool {
  /** Files open at present. */
  readonly size: number;
  /** `weight`: how many files `open` opens. */
  add(open: () => Promise<OpenFiles>, weight: 1 | 2): PooledFiles;
}

/** Creates a pool. Whoever needs a file while all are in use waits for its turn. */
export function createHandlePool(maxOpenFiles: number): HandlePool {
  /** Entries without users, the one idle longest first. */
  const idle = new Set<Entry>();
  const waiting: (() => void)[] = [];
  let size = 0;

  async function close(entry: Entry, weight: number): Promise<void> {
    try {
      await Promise.all([entry.log.close(), entry.tail?.close()]);
    } finally {
      size -= weight;
      waiting.shift()?.();
    }
  }

  async function reserve(weight: number): Promise<void> {
    // One stream may always be open, or a tiny limit would block for ever.
    while (size > 0 && size + weight > maxOpenFiles) {
      const [oldest] = idle;
      if (oldest) await oldest.owner.retire();
      else await new Promise<void>((resolve) => waiting.push(resolve));
    }
    size += weight;
  }

  function add(open: () => Promise<OpenFiles>, weight: 1 | 2): PooledFiles {
    let current: Entry | null = null;
    let opening: Promise<Entry> | null = null;

    async function openEntry(): Promise<Entry> {
      await reserve(weight);
      try {
        const files = await open();
        current = { ...files, users: 0, retired: false, owner: place };
        return current;
      } catch (error) {
        size -= weight;
        waiting.shift()?.();
        throw error;
      } finally {
        opening = null;
      }
    }

    async function acquireSlowly(): Promise<Entry> {
      for (;;) {
        const entry = current ?? (await (opening ??= openEntry()));
        if (!entry.retired) return use(entry);
      }
    }

    function use(entry: Entry): Entry {
      entry.users++;
      idle.delete(entry);
      return entry;
    }

    const place: PooledFiles = {
      acquire: () => (current ? use(current) : acquireSlowly()),
      release(files) {
        // Only entries are handed out as `OpenFiles`.
        const entry = files as Entry;
        if (--entry.users > 0) return;
        if (entry.retired) {
          void close(entry, weight).catch(() => undefined);
          return;
        }
        idle.add(entry);
        waiting.shift()?.();
      },
      async retire() {
        const entry = current;
        if (!entry) return;
        current = null;
        entry.retired = true;
        idle.delete(entry);
        if (entry.users === 0) await close(entry, weight);
      },
    };
    return place;
  }

  return {
    get size() {
      return size;
    },
    add,
  };
}
