/** What is published for the open protocol, against the handler on this store. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  describePublishedClient,
  describePublishedSuite,
  type ServedStreams,
  serveStore,
} from '@perennial/protocol-suite';

import { createFileStreamStore } from '../src/index.ts';

async function serveDirectory(): Promise<ServedStreams> {
  const directory = await mkdtemp(join(tmpdir(), 'perennial-protocol-'));
  const served = await serveStore(createFileStreamStore({ directory }));
  return {
    url: served.url,
    async close() {
      await served.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

describePublishedSuite('a directory', serveDirectory);
describePublishedClient('a directory', serveDirectory);
