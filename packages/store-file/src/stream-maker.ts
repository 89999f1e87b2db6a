import { join } from 'node:path';

import {
  createHead,
  createLogState,
  type CreateOptions,
  decideAppend,
  applyAppend,
  type LogState,
  type NewFork,
  type NewRecord,
  recordSize,
  StreamError,
  type StreamRecord,
} from '@perennial/core';

import { encodeFrame, encodeRawFrame } from './batch-encoder.ts';
import { NO_CHANGE } from './change.ts';
import { detachEnd } from './detach-end.ts';
import { hasErrno, isMissing, syncDirectory, writeNewFile } from './file-system.ts';
import { streamPaths, TOUCH_FILE } from './layout.ts';
import { LogFiles } from './log-files.ts';
import type { OwnedLog } from './log-loader.ts';
import { creationOf, type DurableLog, isTextStream, saltOf } from './log-state.ts';
import { PageCache } from './page-cache.ts';
import { PositionIndex } from './position-index.ts';
import { RecordCache } from './record-cache.ts';
import type { StoreContext } from './store-context.ts';
import type { LockClaim } from './store-lock.ts';
import { encodeTailMark, type TailMark } from './tail-mark.ts';

/** How systems say that the name is taken; that of an empty folder is not. */
const IN_THE_WAY = ['ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EPERM', 'EACCES'] as const;

interface NewLog {
  readonly state: LogState;
  readonly salt: number;
  readonly isText: boolean;
  readonly records: readonly StreamRecord[];
  readonly frames: readonly Buffer[];
}

/**
 * Makes a stream: its files are completed and synced in a folder of their own, which then gets its name. A crash leaves all of the
 * stream or nothing.
 *
 * @param syncNames Makes the names in the folder of streams durable.
 */
export async function makeStream(
  context: StoreContext,
  {
    id,
    folder,
    options,
    claim,
    syncNames,
    fork,
  }: {
    readonly id: string;
    readonly folder: string;
    readonly options: CreateOptions;
    readonly claim: LockClaim;
    readonly syncNames: () => Promise<void>;
    readonly fork?: NewFork;
  },
): Promise<OwnedLog> {
  const { fs, layout, lock, handles } = context;
  const { now, durability } = context.options;
  const createdAt = now();
  const made = composeLog(context, { id, options, claim, createdAt, ...(fork && { fork }) });
  const temporary = join(layout.making, crypto.randomUUID());
  const sync = durability === 'disk';
  const bytes = made.frames.reduce((sum, frame) => sum + frame.length, 0);
  const tail: TailMark = {
    salt: made.salt,
    generation: claim.generation,
    visibleBytes: bytes,
    durableBytes: sync ? bytes : 0,
    beat: 0,
    touchedAt: createdAt,
  };
  let hasName = false;
  try {
    await fs.mkdir(temporary, { recursive: true });
    const paths = streamPaths(temporary, claim.generation);
    await writeNewFile(fs, paths.log, Buffer.concat(made.frames), { sync });
    await writeNewFile(fs, paths.tail, encodeTailMark(tail), { sync: false });
    if (made.state.head.ttlMs !== null) await makeTouchFile(context, temporary, createdAt);
    if (sync) await syncDirectory(fs, temporary);
    await giveName(context, temporary, { folder, claim });
    hasName = true;
    if (sync) await syncNames();
    await lock.check(claim);
  } catch (error) {
    // A creation that is refused must not be found later. Without the lock, what is there may be another's.
    if (hasName && lock.claim === claim) await fs.rename(folder, temporary).catch(() => undefined);
    await fs.rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    // Another owner removes what is being made, and makes the stream itself.
    if (isMissing(error)) await lock.check(claim);
    throw error;
  }
  const log: DurableLog = {
    salt: made.salt,
    isText: made.isText,
    origin: made.frames[0]?.length ?? 0,
    index: new PositionIndex(),
    cache: new RecordCache(context.cache),
    pages: new PageCache(context.pages),
    state: made.state,
    bytes,
    damage: null,
    snapshotBytes: 0,
  };
  log.cache.push(made.records);
  log.cache.trim();
  const files = new LogFiles(fs, handles, streamPaths(folder, claim.generation), true);
  return { log, files, generation: claim.generation, tail, touchedAt: createdAt, claim };
}

/** Moves a folder to its name. What is in the way has no log, or it would have been found, unless another owner has made a stream since. */
async function giveName(
  { fs, lock }: StoreContext,
  temporary: string,
  { folder, claim }: { readonly folder: string; readonly claim: LockClaim },
): Promise<void> {
  try {
    await fs.rename(temporary, folder);
  } catch (error) {
    if (!IN_THE_WAY.some((code) => hasErrno(error, code))) throw error;
    await lock.check(claim);
    await fs.rm(folder, { recursive: true, force: true });
    await fs.rename(temporary, folder);
  }
}

function composeLog(
  context: StoreContext,
  {
    id,
    options,
    claim,
    createdAt,
    fork,
  }: {
    readonly id: string;
    readonly options: CreateOptions;
    readonly claim: LockClaim;
    readonly createdAt: number;
    readonly fork?: NewFork;
  },
): NewLog {
  const { randomId, maxAppendBytes } = context.options;
  const { generation } = claim;
  const incarnation = fork?.incarnation ?? randomId();
  const state = createLogState(createHead({ id, incarnation, now: createdAt, ...(fork && { fork }) }, options));
  const position = state.head.nextPosition;
  const salt = saltOf(state.head.incarnation);
  const isText = isTextStream(state.head);
  const origin = { salt: 0, offset: 0, position, syncedBytes: 0, generation };
  const { frame } = encodeRawFrame({ create: creationOf(state.head) }, [], origin);
  const { records = [], end } = options;
  if (records.length === 0 && !end) return { state, salt, isText, records: [], frames: [frame] };

  const bytes = records.reduce((sum, record) => sum + recordSize(record), 0);
  if (bytes > maxAppendBytes) {
    throw new StreamError(
      'LIMIT_EXCEEDED',
      `A creation may carry ${maxAppendBytes} bytes (\`maxAppendBytes\`); this one carries ${bytes}.`,
    );
  }
  // The caller may reuse its buffers.
  const request = {
    segments: [{ records: records.map(copyData), ...(end && { end: detachEnd(end) }) }],
    token: state.head.token,
  };
  const { effect } = decideAppend(state, request, createdAt);
  if (!effect) throw new Error('A new stream refused its first records.');
  applyAppend(state, effect);
  const change = { ...NO_CHANGE, records: effect.records, bytes, end: effect.end };
  const content = encodeFrame([change], { salt, offset: frame.length, position, syncedBytes: 0, generation });
  return { state, salt, isText, records: effect.records, frames: [frame, content.frame] };
}

function copyData(record: NewRecord): NewRecord {
  if (record.kind === 'supersede' || typeof record.data === 'string') return record;
  return { ...record, data: new Uint8Array(record.data) };
}

async function makeTouchFile({ fs }: StoreContext, folder: string, at: number): Promise<void> {
  const path = join(folder, TOUCH_FILE);
  await writeNewFile(fs, path, Buffer.alloc(0), { sync: false });
  const time = new Date(at);
  await fs.utimes(path, time, time);
}
