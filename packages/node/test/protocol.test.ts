/** The published suite of the protocol, and its client, over the listener. */
import { createMemoryStreamStore } from '@perennial/core';
import {
  describePublishedClient,
  describePublishedSuite,
  type ServedStreams,
  SUITE_HANDLER,
} from '@perennial/protocol-suite';

import { createStreamListener } from '../src/index.ts';
import { serve } from './support/serve.ts';

const start = (): Promise<ServedStreams> =>
  serve(createStreamListener({ ...SUITE_HANDLER, store: createMemoryStreamStore() }));

describePublishedSuite('node:http', start);
describePublishedClient('node:http', start);
