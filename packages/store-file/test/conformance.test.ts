import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { StreamStore } from '@perennial/core';
import { describeStore, type StoreConformanceTarget } from '@perennial/testing';
import { describe, it } from 'vitest';

import { createFileStreamStore, type FileStreamStoreOptions } from '../src/index.ts';

function target(name: string, options: Omit<FileStreamStoreOptions, 'directory'>): StoreConformanceTarget {
  return {
    name,
    async open({ clock }) {
      const directory = await mkdtemp(join(tmpdir(), 'perennial-kit-'));
      const opened: StreamStore[] = [];
      const open = (): StreamStore => {
        const store = createFileStreamStore({ directory, now: clock.now, ...options });
        opened.push(store);
        return store;
      };
      return {
        store: open(),
        async reopen() {
          await Promise.all(opened.map((store) => store.close()));
          return open();
        },
        async close() {
          await Promise.all(opened.map((store) => store.close()));
          await rm(directory, { recursive: true, force: true });
        },
      };
    },
  };
}

describeStore(target('file', {}), { describe, it });
// Everything that is kept in memory is given up at once: state comes from the disk with nearly every call.
const MEMORYLESS = { maxLoadedStreams: 1, maxOpenFiles: 1, cacheBytes: 0, streamCacheBytes: 0 };
describeStore(target('file without memory or syncs', { ...MEMORYLESS, durability: 'os' }), { describe, it });
