import { readCancel } from './cancel-file.ts';
import { hasErrno } from './file-system.ts';
import type { LogFiles } from './log-files.ts';
import { damageLog, lastTouch, type LoadedLog, loadLog, scanLog } from './log-loader.ts';
import type { StoreContext } from './store-context.ts';
import { readTailMark, type TailMark } from './tail-mark.ts';

/**
 * Opens a log for reading while another process may write it. Null when there is no such stream. Writes nothing.
 *
 * What the writer has published counts. Where no writer has opened the stream yet (none runs, or it has not come to this one since it
 * took the lock), all complete frames count, after a sync: they are exactly what the next writer will keep.
 */
export async function openFollowed(
  context: StoreContext,
  { id, folder }: { readonly id: string; readonly folder: string },
): Promise<LoadedLog | null> {
  for (;;) {
    const { inUse, generation: owner } = await context.lock.inspect();
    let trusted: { readonly files: LogFiles; readonly mark: TailMark | null } | null = null;
    const loaded = await loadLog(context, {
      id,
      folder,
      writable: false,
      async limit({ files, tail }) {
        if (inUse && tail?.generation === owner) return tail.visibleBytes;
        if (!(await canSync(files))) return tail?.visibleBytes ?? 0;
        trusted = { files, mark: tail };
        return Infinity;
      },
    });
    if (!loaded || !trusted || (await isUntouched(context, owner, trusted))) return loaded;
    // A writer came in between, so some of the frames may be neither durable nor final.
    await loaded.files.close();
  }
}

async function canSync(files: LogFiles): Promise<boolean> {
  try {
    await files.sync();
    return true;
  } catch (error) {
    // A file system mounted for reading only cannot sync, and nobody can be writing to it.
    return hasErrno(error, 'EROFS') || hasErrno(error, 'EINVAL');
  }
}

async function isUntouched(
  { fs, lock }: StoreContext,
  owner: number,
  { files, mark }: { readonly files: LogFiles; readonly mark: TailMark | null },
): Promise<boolean> {
  const now = await readTailMark(fs, files.paths.tail);
  const same = now === 'absent' || now === null ? mark === null : now.generation === mark?.generation;
  return same && (await lock.inspect()).generation === owner;
}

/** What {@link refreshFollowed} found. `replaced`: the files are gone or belong to another stream; open anew. */
export type FollowNews = 'none' | 'some' | 'replaced';

/** Brings a followed log up to date with what its writer has published. */
export async function refreshFollowed(
  context: StoreContext,
  loaded: LoadedLog,
): Promise<{ readonly news: FollowNews; readonly touchedAt: number }> {
  const { log, files } = loaded;
  const { fs } = context;
  const tail = await readTailMark(fs, files.paths.tail);
  if (tail === 'absent' || (tail && tail.salt !== log.salt)) return { news: 'replaced', touchedAt: 0 };
  const before = log.state.head;
  if (tail && tail.visibleBytes > log.bytes && !log.damage) {
    const scan = await scanLog(log, (target, at) => files.read(target, at), { end: tail.visibleBytes, caching: true });
    if (scan.kind !== 'end') damageLog(log);
  }
  const { head } = log.state;
  const cancel = head.end || head.cancel ? head.cancel : await readCancel(fs, files.paths.folder, head.incarnation);
  const lease = head.lease && tail && tail.beat > head.lease.beat ? { ...head.lease, beat: tail.beat } : head.lease;
  if (cancel !== head.cancel || lease !== head.lease) log.state.head = { ...head, cancel, lease };
  const touchedAt = await lastTouch(context, files.paths, { head, tail });
  return { news: log.state.head === before && !log.damage ? 'none' : 'some', touchedAt };
}
