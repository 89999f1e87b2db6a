/** The table of hostile input over HTTP, with the streams on disk. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createStreamHandler } from '@perennial/core/http';
import { describeHostileInput, HOSTILE_LIMITS, serveHandler } from '@perennial/testing';
import { afterAll, describe, it } from 'vitest';

import { createFileStreamStore } from '../src/index.ts';

describeHostileInput(
  {
    name: 'file store',
    async open() {
      const directory = await mkdtemp(join(tmpdir(), 'perennial-hostile-'));
      const store = createFileStreamStore({ directory });
      const served = await serveHandler(createStreamHandler({ store, authorize: () => true, ...HOSTILE_LIMITS }));
      return {
        ...served,
        store,
        secrets: [directory],
        async close() {
          await served.close();
          await store.close();
          await rm(directory, { recursive: true, force: true });
        },
      };
    },
  },
  { afterAll, describe, it },
);
