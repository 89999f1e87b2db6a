import { describe, expect, it } from 'vitest';

import * as entry from '../src/index.ts';
import { createFileStreamStore, type FileStreamStoreOptions } from '../src/index.ts';

describe('createFileStreamStore', () => {
  it.each<[string, Record<string, unknown>]>([
    ['directory', { directory: '' }],
    ['directory', { directory: undefined }],
    ['directory', { directory: 5 }],
    ['directory', { directory: 'a\0b' }],
    ['durability', { durability: 'maybe' }],
    ['fs', { fs: {} }],
    ['fs', { fs: null }],
    ['maxOpenFiles', { maxOpenFiles: 0 }],
    ['maxLoadedStreams', { maxLoadedStreams: 1.5 }],
    ['cacheBytes', { cacheBytes: -1 }],
    ['streamCacheBytes', { streamCacheBytes: Number.NaN }],
    ['maxAppendBytes', { maxAppendBytes: '1' }],
    ['maxPendingBytes', { maxPendingBytes: Infinity }],
    ['pollIntervalMs', { pollIntervalMs: 0 }],
    ['lockStaleAfterMs', { lockStaleAfterMs: null }],
  ])('refuses a wrong `%s` and names the value: %j', (argument, options) => {
    const create = (): unknown =>
      createFileStreamStore({ directory: 'd', ...options } as unknown as FileStreamStoreOptions);
    expect(create).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', argument }));
    const [value] = Object.values(options);
    expect(create).toThrow(
      typeof value === 'string'
        ? JSON.stringify(value)
        : String(value === null || typeof value === 'object' ? JSON.stringify(value) : value),
    );
  });

  it('says what the store can do', () => {
    expect(createFileStreamStore({ directory: 'd' }).capabilities).toEqual({ durable: true, shared: false });
  });

  it('is exported with its errors, and nothing else', () => {
    expect(Object.keys(entry).toSorted()).toEqual(['StoreLockedError', 'StreamCorruptError', 'createFileStreamStore']);
  });
});
