/** The store over HTTP, against the handler on the memory store, is one more store. */
import { createMemoryStreamStore } from '@perennial/core';
import { createHttpStore } from '@perennial/core/client';
import { createStreamHandler } from '@perennial/core/http';
import { describe, it } from 'vitest';

import { describeStore, type OpenedStore } from '../src/index.ts';

describeStore(
  {
    name: 'HTTP store',
    without: ['reopen'],
    open({ clock }): Promise<OpenedStore> {
      const memory = createMemoryStreamStore({ now: clock.now });
      const handler = createStreamHandler({
        store: memory,
        basePath: '/streams',
        authorize: () => true,
        // The kit writes longer and deeper values than the handler lets strangers write.
        maxRecordBytes: 4_194_304,
        maxJsonDepth: 1_000_000,
      });
      const store = createHttpStore({
        url: 'http://streams.test/streams',
        fetch: (input, init) => handler(new Request(input, init)),
      });
      return Promise.resolve({ store, close: () => store.close().then(() => memory.close()) });
    },
  },
  { describe, it },
);
