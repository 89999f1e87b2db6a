/** What is published for the open protocol, against a route in a production build of Next. */
import { describePublishedClient, describePublishedSuite, type ServedStreams } from '@perennial/protocol-suite';
import { afterAll } from 'vitest';

import { serveNextProduction } from './support/next-production.ts';

let building: Promise<ServedStreams> | undefined;

/** One build and one server for both. */
const start = async (): Promise<ServedStreams> => {
  const { url } = await (building ??= serveNextProduction());
  return { url, close: async () => {} };
};

afterAll(async () => (await building?.catch(() => undefined))?.close(), 60_000);

describePublishedSuite('a production build of Next', start);
describePublishedClient('a production build of Next', start);
