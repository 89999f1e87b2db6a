import { type FileSystem, syncDirectory, temporaryName } from './file-system.ts';
import { streamPaths } from './layout.ts';
import { LogFiles } from './log-files.ts';
import { type LoadedLog, loadLog, type OwnedLog, type ScannedLog } from './log-loader.ts';
import type { StoreContext } from './store-context.ts';
import type { LockClaim } from './store-lock.ts';
import { encodeTailMark, type TailMark } from './tail-mark.ts';

/** Options of {@link openOwned}. */
export interface OpenOwnedOptions {
  readonly id: string;
  readonly folder: string;
  /** The claim that makes this process the owner. */
  readonly claim: LockClaim;
  /** Last use that is known of, in ms since the Unix epoch. */
  readonly touchedAt: number;
}

/**
 * Opens a log for writing: everything complete in it is made durable and kept, the trace of an unfinished write is cut off, and the tail
 * mark says that this owner writes here now. Null when there is no such stream.
 *
 * A damaged log is opened as far as it is intact and not touched at all.
 *
 * Rejects when the claim is held no more: another owner may have come meanwhile, and gone.
 */
export async function openOwned(
  context: StoreContext,
  { id, folder, claim, touchedAt }: OpenOwnedOptions,
): Promise<OwnedLog | null> {
  const loaded = await loadLog(context, { id, folder, writable: true });
  if (!loaded) return null;
  let opened: LoadedLog = loaded;
  try {
    if (!loaded.log.damage) opened = await takeOver(context, loaded, { id, claim, touchedAt });
    // Looked at last: a claim that is still there has been there all the time, so nobody else has written what this load missed.
    await context.lock.check(claim);
    return { ...opened, claim };
  } catch (error) {
    await opened.files.close();
    throw error;
  }
}

async function takeOver(
  context: StoreContext,
  loaded: ScannedLog,
  { id, claim, touchedAt }: Omit<OpenOwnedOptions, 'folder'>,
): Promise<LoadedLog> {
  await recover(context, id, loaded);
  const mark = tailMark(loaded, claim, Math.max(touchedAt, loaded.touchedAt));
  // Also where the log is about to be copied: readers must not take for stored what comes into the old one from here on.
  if (needsMark(loaded.tail, mark)) await loaded.files.publish(encodeTailMark(mark));
  return loaded.generation < claim.sealBelow ? seal(context, loaded, mark) : loaded;
}

async function recover(context: StoreContext, id: string, { log, files, scan, size, tail }: ScannedLog): Promise<void> {
  const durable = tail?.durableBytes ?? 0;
  if (scan.kind === 'end') {
    // Complete frames that were never acknowledged are kept; they must not be shown before they are on disk.
    if (log.bytes > durable) await files.sync();
    return;
  }
  // A snapshot of what is cut would fit again once the log has grown back.
  await context.fs.rm(files.paths.index, { force: true });
  await syncDirectory(context.fs, files.paths.folder);
  log.snapshotBytes = 0;
  await files.reset(log.bytes);
  context.options.onRecovery({
    streamId: id,
    file: files.paths.log,
    offset: log.bytes,
    bytes: size - log.bytes,
    acknowledged: log.bytes < durable,
  });
}

function tailMark({ log }: LoadedLog, { generation }: LockClaim, touchedAt: number): TailMark {
  const beat = log.state.head.lease?.beat ?? 0;
  return {
    salt: log.salt,
    generation,
    visibleBytes: log.bytes,
    durableBytes: log.bytes,
    beat,
    touchedAt,
  };
}

function needsMark(old: TailMark | null, mark: TailMark): boolean {
  return (
    old?.generation !== mark.generation ||
    old.visibleBytes !== mark.visibleBytes ||
    old.durableBytes !== mark.durableBytes
  );
}

const COPY_CHUNK = 1_048_576;

/**
 * Goes on in a copy of the log, because a writer that this process cannot see may still hold the old file: what it writes from now on
 * goes nowhere.
 */
async function seal(context: StoreContext, old: LoadedLog, mark: TailMark): Promise<LoadedLog> {
  const { fs, handles } = context;
  const { folder } = old.files.paths;
  const paths = streamPaths(folder, mark.generation);
  const temporary = temporaryName(paths.log);
  await copyPrefix(fs, old, temporary);
  // The log comes last: it is its name that makes readers turn to the new files.
  await fs.rm(paths.tail, { force: true });
  await writeMark(fs, paths.tail, mark);
  await fs.rename(temporary, paths.log);
  await syncDirectory(fs, folder);
  await old.files.close();
  for (const path of [old.files.paths.log, old.files.paths.tail, old.files.paths.index])
    await fs.rm(path, { force: true });
  old.log.snapshotBytes = 0;
  return { ...old, files: new LogFiles(fs, handles, paths, true), generation: mark.generation, tail: mark };
}

async function copyPrefix(fs: FileSystem, { log, files }: LoadedLog, path: string): Promise<void> {
  const target = await fs.open(path, 'wx');
  try {
    const chunk = Buffer.allocUnsafe(Math.min(COPY_CHUNK, log.bytes));
    for (let at = 0; at < log.bytes;) {
      const length = await files.read(chunk.subarray(0, Math.min(chunk.length, log.bytes - at)), at);
      if (length === 0) throw new Error(`${files.paths.log} became shorter while it was copied.`);
      // `writeFile` on a handle writes all of it, at the handle's own position.
      await target.writeFile(chunk.subarray(0, length));
      at += length;
    }
    await target.sync();
  } finally {
    await target.close();
  }
}

async function writeMark(fs: FileSystem, path: string, mark: TailMark): Promise<void> {
  const handle = await fs.open(path, 'wx');
  try {
    await handle.writeFile(encodeTailMark(mark));
  } finally {
    await handle.close();
  }
}
