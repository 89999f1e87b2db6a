import * as nodeFs from 'node:fs/promises';
import { resolve } from 'node:path';

import { InvalidArgumentError, quote } from '@perennial/core';

import type { FileSystem } from './file-system.ts';

/** When an acknowledged write is safe: on the disk, or with the operating system, which survives this process but not a power cut. */
export type Durability = 'disk' | 'os';

/** What the store cut off when it took over a log that its last owner did not close. */
export interface RecoveryEvent {
  readonly streamId: string;
  readonly file: string;
  /** Byte from which the log was cut. */
  readonly offset: number;
  /** Bytes cut off. */
  readonly bytes: number;
  /**
   * True when bytes that had been reported durable are missing: the disk, or whoever restored the file, did not keep its word. False is
   * the normal case: a write that was never acknowledged.
   */
  readonly acknowledged: boolean;
}

/** Options of {@link createFileStreamStore}. */
export interface FileStreamStoreOptions {
  /** Where the logs are kept. Made by the first write; must be on a local file system. */
  readonly directory: string;
  /** `node:fs/promises`, or a wrapper of it. @default node:fs/promises */
  readonly fs?: FileSystem;
  /** `os` acknowledges without a sync: about ten times faster, and a power cut may take the last seconds. @default 'disk' */
  readonly durability?: Durability;
  /** Log files kept open at a time. A stream being written takes two. @default 64 */
  readonly maxOpenFiles?: number;
  /** Streams whose state stays in memory while nobody uses them. @default 1024 */
  readonly maxLoadedStreams?: number;
  /** Memory for records, over all streams: three quarters for recent ones, one for pages that several readers have read. @default 64 MiB */
  readonly cacheBytes?: number;
  /** Memory for recent records of one stream. @default 1 MiB */
  readonly streamCacheBytes?: number;
  /** Payload bytes of one append or creation; a larger one rejects with `LIMIT_EXCEEDED`. @default 64 MiB */
  readonly maxAppendBytes?: number;
  /** Payload bytes waiting to be stored, over all streams; beyond, appends reject with `LIMIT_EXCEEDED`. @default 256 MiB */
  readonly maxPendingBytes?: number;
  /** How often a process that only reads looks for news by itself, should a notification be lost, in ms. @default 1000 */
  readonly pollIntervalMs?: number;
  /** A lock whose owner cannot be seen from here (another container) counts as abandoned after this time without a sign of life. @default 30000 */
  readonly lockStaleAfterMs?: number;
  /** Milliseconds since the Unix epoch. @default Date.now */
  readonly now?: () => number;
  /** A fresh unguessable string. @default crypto.randomUUID */
  readonly randomId?: () => string;
  /** Told what recovery cut off. @default a process warning when anything acknowledged is missing, else nothing */
  readonly onRecovery?: (event: RecoveryEvent) => void;
}

/** {@link FileStreamStoreOptions} with every default filled in. */
export type ResolvedOptions = Required<FileStreamStoreOptions>;

const MIB = 1_048_576;

/** @throws {@link InvalidArgumentError} naming the first option that cannot be honoured. */
export function resolveOptions(options: FileStreamStoreOptions): ResolvedOptions {
  const { directory, durability = 'disk', fs = nodeFs } = options;
  if (typeof directory !== 'string' || directory === '' || directory.includes('\0')) {
    throw new InvalidArgumentError('directory', `\`directory\` must be the path of a folder; got ${quote(directory)}.`);
  }
  if (durability !== 'disk' && durability !== 'os') {
    throw new InvalidArgumentError('durability', `\`durability\` is 'disk' or 'os'; got ${quote(durability)}.`);
  }
  if (typeof fs?.open !== 'function') {
    throw new InvalidArgumentError('fs', `\`fs\` must have the functions of node:fs/promises; got ${quote(fs)}.`);
  }
  return {
    directory: resolve(directory),
    durability,
    fs,
    maxOpenFiles: count('maxOpenFiles', options.maxOpenFiles, 64, 1),
    maxLoadedStreams: count('maxLoadedStreams', options.maxLoadedStreams, 1_024, 1),
    cacheBytes: count('cacheBytes', options.cacheBytes, 64 * MIB, 0),
    streamCacheBytes: count('streamCacheBytes', options.streamCacheBytes, MIB, 0),
    maxAppendBytes: count('maxAppendBytes', options.maxAppendBytes, 64 * MIB, 1),
    maxPendingBytes: count('maxPendingBytes', options.maxPendingBytes, 256 * MIB, 1),
    pollIntervalMs: count('pollIntervalMs', options.pollIntervalMs, 1_000, 1),
    lockStaleAfterMs: count('lockStaleAfterMs', options.lockStaleAfterMs, 30_000, 1),
    now: options.now ?? Date.now,
    randomId: options.randomId ?? (() => crypto.randomUUID()),
    onRecovery: options.onRecovery ?? warnOfLoss,
  };
}

function count(name: string, value: number | undefined, fallback: number, minimum: number): number {
  if (value === undefined) return fallback;
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw new InvalidArgumentError(
      name,
      `\`${name}\` must be a whole number from ${minimum}; got ${typeof value === 'number' ? value : quote(value)}.`,
    );
  }
  return value;
}

function warnOfLoss({ streamId, file, offset, bytes, acknowledged }: RecoveryEvent): void {
  if (!acknowledged) return;
  process.emitWarning(
    `Stream ${quote(streamId)} lost acknowledged records: ${file} ends inside a record that had been reported durable, and was cut at byte ${offset} (${bytes} bytes).`,
    { code: 'PERENNIAL_LOST_RECORDS' },
  );
}
