import { isStreamError, quote, StreamError } from '@perennial/core';

import { hasErrno } from './file-system.ts';

/** A part of a stream cannot be read back as it was written. Records before {@link position} are intact and stay readable. */
export class StreamCorruptError extends StreamError<'CORRUPT'> {
  readonly streamId: string;
  /** Position of the first record that is lost. */
  readonly position: number;
  /** Byte offset of the damaged frame in {@link file}. */
  readonly offset: number;
  readonly file: string;

  constructor(streamId: string, { position, offset, file }: { position: number; offset: number; file: string }) {
    super(
      'CORRUPT',
      `Stream ${quote(streamId)} is damaged at position ${position} (byte ${offset} of ${file}): what is stored there is not what was written. ` +
        'Records before it are intact. Restore the file from a backup, or delete the stream.',
    );
    this.streamId = streamId;
    this.position = position;
    this.offset = offset;
    this.file = file;
  }
}

/** Who holds a store's lock. */
export interface LockOwner {
  readonly pid: number;
  readonly host: string;
  /** Grows with each change of owner. */
  readonly generation: number;
  /** Milliseconds since the Unix epoch. */
  readonly acquiredAt: number;
}

/** Another process writes to the directory. Reads and cancel requests work all the same. */
export class StoreLockedError extends StreamError<'STORE_LOCKED'> {
  readonly directory: string;
  /** Null when the lock was lost to an owner that has left again. */
  readonly owner: LockOwner | null;

  constructor(directory: string, owner: LockOwner | null, hint: string) {
    const holder = owner
      ? `process ${owner.pid} on host ${owner.host} since ${new Date(owner.acquiredAt).toISOString()}`
      : 'another process in the meantime';
    super('STORE_LOCKED', `The file store ${directory} is being written by ${holder}. ${hint}`);
    this.directory = directory;
    this.owner = owner;
  }
}

/** The lock was lost to an owner that nobody knows any more. */
export function lockLost(directory: string): StoreLockedError {
  return new StoreLockedError(directory, null, 'The lock was lost.');
}

/** The store was closed. */
export function closedError(): StreamError<'STORE_CLOSED'> {
  return new StreamError('STORE_CLOSED', 'The store was closed. Open a new one.');
}

/** Translates what the file system threw, in the one place where that happens. */
export function toFileError(error: unknown, doing: string): StreamError {
  if (isStreamError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (hasErrno(error, 'ENOSPC') || hasErrno(error, 'EDQUOT')) {
    return new StreamError(
      'STORE_FULL',
      `No space is left for ${doing} (${message}). Nothing was stored; free some space and try again.`,
      { cause: error },
    );
  }
  return new StreamError('STORE_ERROR', `The file system failed while ${doing}: ${message}`, { cause: error });
}
