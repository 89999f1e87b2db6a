export { type LockOwner, StoreLockedError, StreamCorruptError } from './file-errors.ts';
export { createFileStreamStore } from './file-stream-store.ts';
export type { FileSystem } from './file-system.ts';
export type { Durability, FileStreamStoreOptions, RecoveryEvent } from './options.ts';
