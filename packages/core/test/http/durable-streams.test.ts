/** The published conformance suite of the Durable Streams protocol, over a socket, against the handler on the memory store. */
import { runConformanceTests } from '@durable-streams/server-conformance-tests';
import { createMemoryStreamStore } from '@perennial/core';
import { createStreamHandler } from '@perennial/core/http';
import { afterAll, beforeAll, expect, it, TestRunner } from 'vitest';

import { serve, type Served } from './support/serve.ts';

/** What the handler does not offer (PROTOCOL.md, "What is not offered"): the groups of the suite that are left out, by name. */
const NOT_OFFERED = ['Reserved subscription APIs'];

const config = { baseUrl: '', longPollTimeoutMs: 500 };
let served: Served;

beforeAll(async () => {
  const handler = createStreamHandler({
    store: createMemoryStreamStore(),
    basePath: '/v1/stream',
    authorize: () => true,
    cors: '*',
    longPollMs: 500,
  });
  served = await serve(handler);
  config.baseUrl = served.url;
});

afterAll(() => served.close());

const { tasks } = TestRunner.getCurrentSuite();
runConformanceTests(config);
const groups = [...tasks];
// The collector holds on to its array, so the groups have to leave that one.
tasks.splice(0, tasks.length, ...groups.filter(({ name }) => !NOT_OFFERED.includes(name)));

it('leaves out exactly the groups that are not offered', () => {
  const leftOut = groups.filter(({ name }) => NOT_OFFERED.includes(name));
  expect(leftOut.map(({ name }) => name)).toEqual(NOT_OFFERED);
});
