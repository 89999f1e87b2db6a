import { createMemoryStreamStore } from '@perennial/core';
import { describe, it } from 'vitest';

import { describeStore } from '../src/index.ts';

describeStore(
  {
    name: 'memory store',
    // Memory does not survive a restart; the same store stands in, so that the cases about one are known to be right.
    open: async ({ clock }) => {
      const store = createMemoryStreamStore({ now: clock.now });
      return { store, reopen: async () => store };
    },
  },
  { describe, it },
);
