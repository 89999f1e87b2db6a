import { createMemoryStreamStore } from '@perennial/core';

import { describePublishedClient, describePublishedSuite, serveStore } from '../src/index.ts';

describePublishedSuite('memory', () => serveStore(createMemoryStreamStore()));
describePublishedClient('memory', () => serveStore(createMemoryStreamStore()));
