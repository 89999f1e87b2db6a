import { createMemoryStreamStore } from '@perennial/core';
import { describe, it } from 'vitest';

import { describeStore } from '../src/index.ts';

describeStore(
  {
    name: 'memory store',
    open: async ({ clock }) => ({ store: createMemoryStreamStore({ now: clock.now }) }),
    without: ['reopen'],
  },
  { describe, it },
);
