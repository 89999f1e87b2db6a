import { readCancel } from './cancel-file.ts';
import { hasErrno, listIfPresent } from './file-system.ts';
import { newestLog } from './layout.ts';
import type { LogFiles } from './log-files.ts';
import { damageLog, lastTouch, type LoadedLog, loadLog, scanLog } from './log-loader.ts';
import type { StoreContext } from './store-context.ts';
import { readTailMark, type TailMark } from './tail-mark.ts';

/** A log opened for reading only. */
export interface FollowedLog extends LoadedLog {
  /** Bytes of the file that were looked at; behind the log's end, they are the trace of an unfinished write. */
  readonly seenBytes: number;
  /** The last tail mark that was acted upon. One from a writer that is gone may claim more than there is. */
  mark: TailMark | null;
}

/**
 * Opens a log for reading while another process may write it. Null when there is no such stream. Writes nothing.
 *
 * What the writer has published counts. Where no writer has opened the stream yet (none runs, or it has not come to this one since it
 * took the lock), all complete frames count, after a sync: they are exactly what the next writer will keep.
 */
export async function openFollowed(
  context: StoreContext,
  { id, folder }: { readonly id: string; readonly folder: string },
): Promise<FollowedLog | null> {
  for (;;) {
    const { inUse, generation: owner } = await context.lock.inspect();
    let trusted: { readonly files: LogFiles; readonly mark: TailMark | null } | null = null;
    const loaded = await loadLog(context, {
      id,
      folder,
      writable: false,
      async limit({ files, tail }) {
        trusted = null;
        if (inUse && tail?.generation === owner) return tail.visibleBytes;
        if (!(await canSync(files))) return tail?.visibleBytes ?? 0;
        trusted = { files, mark: tail };
        return Infinity;
      },
    });
    if (!loaded) return null;
    if (!trusted) return { ...loaded, seenBytes: loaded.log.bytes, mark: loaded.tail };
    const isUnmarked = await isUntouched(context, owner, trusted);
    // Last: the mark goes away with the log.
    if (isUnmarked && newestLog(await listIfPresent(context.fs, folder)) === loaded.generation)
      return { ...loaded, seenBytes: loaded.size, mark: loaded.tail };
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

/** What {@link refreshFollowed} found. `replaced`: open the stream anew. */
export interface FollowNews {
  readonly news: 'none' | 'some' | 'replaced';
  readonly touchedAt: number;
}

/** How carefully to look: at what a notification names, at everything, or also for what is being published at this moment. */
export type FollowCare = 'notified' | 'polled' | 'asked';

const CARE: readonly FollowCare[] = ['notified', 'polled', 'asked'];

/** The more careful of two. */
export function moreCareful(a: FollowCare, b: FollowCare): FollowCare {
  return CARE.indexOf(a) > CARE.indexOf(b) ? a : b;
}

const REPLACED: FollowNews = { news: 'replaced', touchedAt: 0 };
/** How long a publication may take to follow its acknowledgement before a reader goes on without it. */
const PUBLICATION_MS = 20;

/** Brings a followed log up to date with what its writer has published. */
export async function refreshFollowed(
  context: StoreContext,
  followed: FollowedLog,
  care: FollowCare,
): Promise<FollowNews> {
  const { log, files } = followed;
  const before = log.state.head;
  const tail = await currentMark(context, followed, care);
  if (tail === 'replaced') return REPLACED;
  const isNews =
    tail && (tail.generation !== followed.mark?.generation || tail.visibleBytes !== followed.mark.visibleBytes);
  followed.mark = tail ?? followed.mark;
  if (isNews && tail.visibleBytes > log.bytes && !log.damage) {
    const read = (target: Buffer, at: number): Promise<number> => files.read(target, at);
    const scan = await scanLog(log, read, { end: tail.visibleBytes, caching: true });
    if (scan.kind !== 'end') damageLog(log);
  }
  await takeMarks(context, followed, tail);
  const touchedAt = await lastTouch(context, files.paths, { head: log.state.head, tail });
  return { news: log.state.head === before && !log.damage ? 'none' : 'some', touchedAt };
}

/** The tail mark, with everything in it that was acknowledged before this call. */
async function currentMark(
  context: StoreContext,
  { log, files, seenBytes }: FollowedLog,
  care: FollowCare,
): Promise<TailMark | null | 'replaced'> {
  const read = async (): Promise<TailMark | null | 'replaced'> => {
    const mark = await readTailMark(context.fs, files.paths.tail);
    return mark === 'absent' || (mark && mark.salt !== log.salt) ? 'replaced' : mark;
  };
  const size = care === 'notified' ? 0 : await files.size();
  let mark = await read();
  const isBehind = (): boolean => mark !== 'replaced' && size > Math.max(mark?.visibleBytes ?? 0, log.bytes, seenBytes);
  if (log.damage || !isBehind()) return mark;
  // There is more in the file: a commit under way, one that is being published, or what a writer left when it died.
  const { inUse, generation } = await context.lock.inspect();
  if (!inUse || (mark !== 'replaced' && mark?.generation !== generation)) return 'replaced';
  const deadline = performance.now() + (care === 'asked' ? PUBLICATION_MS : 0);
  while (isBehind() && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    mark = await read();
  }
  return mark;
}

/** Takes in what is kept outside the log: the cancel request of an open stream, and the beats of its lease. */
async function takeMarks({ fs }: StoreContext, { log, files }: FollowedLog, tail: TailMark | null): Promise<void> {
  const { head } = log.state;
  const cancel = head.end || head.cancel ? head.cancel : await readCancel(fs, files.paths.folder, head.incarnation);
  const lease = head.lease && tail && tail.beat > head.lease.beat ? { ...head.lease, beat: tail.beat } : head.lease;
  if (cancel !== head.cancel || lease !== head.lease) log.state.head = { ...head, cancel, lease };
}
