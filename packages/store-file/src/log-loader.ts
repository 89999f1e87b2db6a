import { join } from 'node:path';

import { createLogState, type StreamHead, type StreamRecord } from '@perennial/core';

import { readCancel } from './cancel-file.ts';
import { StreamCorruptError } from './file-errors.ts';
import { isMissing, listIfPresent } from './file-system.ts';
import { type CursorStep, FrameCursor, hasLaterCommit, type ReadBytes } from './frame-cursor.ts';
import { decodeMeta, decodeRecords, type Page } from './frame-payload.ts';
import type { FrameHeader } from './frame.ts';
import { newestLog, type StreamPaths, streamPaths, TOUCH_FILE } from './layout.ts';
import { LogFiles } from './log-files.ts';
import { readSnapshot } from './log-snapshot.ts';
import { type DurableLog, foldFrame, headOfCreation, isTextStream, saltOf } from './log-state.ts';
import { PageCache } from './page-cache.ts';
import { PositionIndex } from './position-index.ts';
import { RecordCache } from './record-cache.ts';
import type { StoreContext } from './store-context.ts';
import type { LockClaim } from './store-lock.ts';
import { readTailMark, type TailMark } from './tail-mark.ts';

/** A log brought into memory. */
export interface LoadedLog {
  readonly log: DurableLog;
  readonly files: LogFiles;
  /** Generation of the owner that made the log. */
  readonly generation: number;
  /** Null when it is missing or damaged. */
  readonly tail: TailMark | null;
  /** Last read or write that is known of, in ms since the Unix epoch. */
  readonly touchedAt: number;
}

/** A log that this process may write. */
export interface OwnedLog extends LoadedLog {
  /** The claim under which it was loaded; worth nothing under a later one. */
  readonly claim: LockClaim;
}

/** {@link LoadedLog}, and what its scan met. */
export interface ScannedLog extends LoadedLog {
  readonly scan: ScanEnd;
  /** Bytes of the file. */
  readonly size: number;
}

/** How a scan ended. */
export type ScanEnd = Extract<CursorStep, { kind: 'end' | 'cut' | 'damaged' }>;

/** Options of {@link loadLog}. */
export interface LoadOptions {
  readonly id: string;
  readonly folder: string;
  readonly writable: boolean;
  /** Decides how many bytes of the log to look at. @default all */
  readonly limit?: (found: {
    readonly generation: number;
    readonly files: LogFiles;
    readonly tail: TailMark | null;
  }) => Promise<number>;
}

/** Reads the newest log in a stream's folder; null when there is no such stream. */
export async function loadLog(context: StoreContext, options: LoadOptions): Promise<ScannedLog | null> {
  const { folder, writable } = options;
  for (;;) {
    const generation = newestLog(await listIfPresent(context.fs, folder));
    if (generation === null) return null;
    const paths = streamPaths(folder, generation);
    const files = new LogFiles(context.fs, context.handles, paths, writable);
    try {
      return { ...(await loadFiles(context, { ...options, generation, files })), files, generation };
    } catch (error) {
      await files.close();
      if (!isMissing(error)) throw error;
      // Deleted, or replaced by a newer log, since the folder was read.
      if (newestLog(await listIfPresent(context.fs, folder)) === generation) throw error;
    }
  }
}

type LoadFilesOptions = LoadOptions & { readonly generation: number; readonly files: LogFiles };

async function loadFiles(
  context: StoreContext,
  options: LoadFilesOptions,
): Promise<Omit<ScannedLog, 'files' | 'generation'>> {
  const { id, generation, files, limit } = options;
  const { fs } = context;
  const read: ReadBytes = (target, at) => files.read(target, at);
  const { head, origin } = await readCreation(read, { id, file: files.paths.log });
  const salt = saltOf(head.incarnation);
  const mark = await readTailMark(fs, files.paths.tail);
  const tail = mark !== 'absent' && mark?.salt === salt ? mark : null;
  const wanted = limit ? await limit({ generation, files, tail }) : Infinity;
  const size = await files.size();
  const end = Math.max(origin, Math.min(size, wanted));
  const snapshot = await readSnapshot(fs, files.paths.index, { incarnation: head.incarnation, size: end });
  const log: DurableLog = {
    salt,
    isText: isTextStream(head),
    origin,
    index: snapshot?.index ?? new PositionIndex(),
    cache: new RecordCache(context.cache),
    pages: new PageCache(context.pages),
    state: snapshot?.state ?? createLogState(head),
    bytes: snapshot?.bytes ?? origin,
    damage: null,
    snapshotBytes: snapshot?.bytes ?? 0,
  };
  const scan = await scanLog(log, read, { end, caching: false });
  if (await isDamage(log, read, { scan, size, tail })) damageLog(log);
  await readMarks(context, log, { paths: files.paths, tail });
  return { log, tail, scan, size, touchedAt: await lastTouch(context, files.paths, { head: log.state.head, tail }) };
}

/** A creation is far smaller; what is larger holds an id of 2,048 characters and long options. */
const CREATION_CHUNK = 4_096;

/** Reads the head a stream was created with, and where the rest of the log begins. The creation was synced before it got its name. */
export async function readCreation(
  read: ReadBytes,
  { id, file }: { readonly id: string | null; readonly file: string },
): Promise<{ readonly head: StreamHead; readonly origin: number }> {
  const cursor = new FrameCursor({ read, salt: 0, start: 0, end: Infinity, chunkBytes: CREATION_CHUNK });
  await cursor.fill();
  const step = await cursor.next(() => true);
  const creation = step.kind === 'frame' && step.payload ? decodeMeta(step.payload, 0).create : undefined;
  if (step.kind !== 'frame' || !creation || (id !== null && creation.id !== id)) {
    throw new StreamCorruptError(id ?? file, { position: 0, offset: 0, file });
  }
  return { head: headOfCreation(creation), origin: step.next };
}

/** Options of {@link scanLog}. */
export interface ScanOptions {
  /** Byte to stop at. */
  readonly end: number;
  /** Keep the records for readers. */
  readonly caching: boolean;
}

/** Folds the frames from the log's present end up to `end` into it. Returns where and why it stopped. */
export async function scanLog(log: DurableLog, read: ReadBytes, { end, caching }: ScanOptions): Promise<ScanEnd> {
  const cursor = new FrameCursor({ read, salt: log.salt, start: log.bytes, end });
  for (;;) {
    const step = cursor.step(() => true);
    if (step === null) {
      await cursor.fill();
      continue;
    }
    if (step.kind !== 'frame') return step;
    const { header, payload, offset, next } = step;
    if (!payload) continue;
    if (caching && header.count > 0) {
      log.cache.push(recordsOf(log, payload, header));
      log.cache.trim();
    }
    foldFrame(log.state, header, decodeMeta(payload, header.count));
    if (header.count > 0) log.index.add(header.firstPosition, offset);
    log.bytes = next;
  }
}

function recordsOf(log: DurableLog, payload: Buffer, { firstPosition, count }: FrameHeader): readonly StreamRecord[] {
  const page: Page = { limit: count, maxBytes: Infinity, records: [], bytes: 0 };
  decodeRecords(payload, { firstPosition, count, isText: log.isText, from: firstPosition }, page);
  return page.records;
}

/** Marks a log as damaged from its present end on. */
export function damageLog(log: DurableLog): void {
  log.damage = { position: log.state.head.nextPosition, offset: log.bytes };
}

/** What those are told who ask for what a damaged log cannot say. */
export function corruptError({ log: { damage, state }, files }: Pick<LoadedLog, 'log' | 'files'>): StreamCorruptError {
  const { id, nextPosition } = state.head;
  return new StreamCorruptError(id, { ...(damage ?? { position: nextPosition, offset: 0 }), file: files.paths.log });
}

/**
 * Tells damage from a torn tail: the trace of a write that never finished and was never acknowledged. A frame that was durable has
 * either a commit behind it that was written after that, or a tail mark that covers it.
 */
async function isDamage(
  log: DurableLog,
  read: ReadBytes,
  { scan, size, tail }: { readonly scan: ScanEnd; readonly size: number; readonly tail: TailMark | null },
): Promise<boolean> {
  if (scan.kind === 'end') return false;
  // What the file does not hold cannot be told from a torn write, wherever the mark stands; recovery reports the loss.
  if (scan.kind === 'damaged' && scan.offset < (tail?.durableBytes ?? 0)) return true;
  return hasLaterCommit({ read, salt: log.salt, offset: scan.offset, end: size });
}

/** Adds what is kept outside the log: the cancel request of an open stream, and the beats of its lease. */
async function readMarks(
  context: StoreContext,
  log: DurableLog,
  { paths, tail }: { readonly paths: StreamPaths; readonly tail: TailMark | null },
): Promise<void> {
  const { head } = log.state;
  const cancel = head.end ? head.cancel : await readCancel(context.fs, paths.folder, head.incarnation);
  const lease = head.lease && { ...head.lease, beat: Math.max(head.lease.beat, tail?.beat ?? 0) };
  log.state.head = { ...head, cancel, lease };
}

/** Last read or write of a stream with a sliding ttl, as far as the disk knows. */
export async function lastTouch(
  { fs }: StoreContext,
  paths: StreamPaths,
  { head, tail }: { readonly head: StreamHead; readonly tail: TailMark | null },
): Promise<number> {
  const written = Math.max(head.createdAt, tail?.touchedAt ?? 0);
  if (head.ttlMs === null) return written;
  const read = await fs.stat(join(paths.folder, TOUCH_FILE)).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  return Math.max(written, read);
}
