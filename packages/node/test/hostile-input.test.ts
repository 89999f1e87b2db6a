/** The table of hostile input over the listener. */
import { createMemoryStreamStore } from '@perennial/core';
import { describeHostileInput, HOSTILE_LIMITS } from '@perennial/testing';
import { afterAll, describe, it } from 'vitest';

import { createStreamListener } from '../src/index.ts';
import { serve } from './support/serve.ts';

describeHostileInput(
  {
    name: 'the listener of node:http',
    async open() {
      const store = createMemoryStreamStore();
      return { store, ...(await serve(createStreamListener({ store, authorize: () => true, ...HOSTILE_LIMITS }))) };
    },
  },
  { afterAll, describe, it },
);
