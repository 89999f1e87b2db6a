import { describe, expect, it } from 'vitest';

import * as entry from '../src/index.ts';
import { createFileStreamStore, type FileStreamStoreOptions } from '../src/index.ts';

describe('createFileStreamStore', () => {
  it.each<[string, unknown, string]>([
    ['directory', '', '""'],
    ['directory', undefined, 'undefined'],
    ['directory', 5, '5'],
    ['directory', 'a\0b', '"a\\u0000b"'],
    ['durability', 'maybe', '"maybe"'],
    ['fs', {}, '{}'],
    ['fs', null, 'null'],
    ['maxOpenFiles', 0, '0'],
    ['maxLoadedStreams', 1.5, '1.5'],
    ['cacheBytes', -1, '-1'],
    ['streamCacheBytes', Number.NaN, 'NaN'],
    ['maxAppendBytes', '1', '"1"'],
    ['maxPendingBytes', Infinity, 'Infinity'],
    ['pollIntervalMs', 0, '0'],
    ['lockStaleAfterMs', null, 'null'],
  ])('refuses a wrong `%s` and names the value: %j', (argument, value, text) => {
    const options: FileStreamStoreOptions = { directory: 'd', [argument]: value };
    const create = (): unknown => createFileStreamStore(options);
    expect(create).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', argument }));
    expect(create).toThrow(text);
  });

  it('says what the store can do', () => {
    expect(createFileStreamStore({ directory: 'd' }).capabilities).toEqual({ durable: true, shared: false });
  });

  it('is exported with its errors, and nothing else', () => {
    expect(Object.keys(entry).toSorted()).toEqual(['StoreLockedError', 'StreamCorruptError', 'createFileStreamStore']);
  });
});
