/** What is published for the open protocol, against the handler on this store. */
import { describePublishedClient, describePublishedSuite } from '@perennial/protocol-suite';

import { serveRedis } from '../support/served.ts';
import { TARGETS } from '../support/targets.ts';

describePublishedSuite(TARGETS.ioredis.name, () => serveRedis(TARGETS.ioredis));
describePublishedClient(TARGETS.ioredis.name, () => serveRedis(TARGETS.ioredis));
