import { runConformanceTests } from '@durable-streams/server-conformance-tests';
import type { StreamStore } from '@perennial/core';
import { createStreamHandler, type StreamHandlerOptions } from '@perennial/core/http';
import { serveHandler } from '@perennial/testing';
import { afterAll, beforeAll, describe, expect, it, TestRunner } from 'vitest';

/** A server under test. */
export interface ServedStreams {
  /** Its URL, below which `/v1/stream` leads to the streams. */
  readonly url: string;
  close(): Promise<void>;
}

/** What the suite is told about a server: it waits for long-polls to end. */
const LONG_POLL_MS = 500;

/** How a handler under test is set up, whatever it is mounted in. */
export const SUITE_HANDLER: Omit<StreamHandlerOptions, 'store'> = {
  basePath: '/v1/stream',
  authorize: () => true,
  cors: '*',
  longPollMs: LONG_POLL_MS,
};

/** What the handler does not offer (PROTOCOL.md, "What is not offered"): the groups of the suite that are left out, by name. */
const NOT_OFFERED = ['Reserved subscription APIs'];

/** Tests of the version of the suite that is installed: if it has others, they have to be looked at. */
const SUITE_TESTS = 332;

let registered = false;

/**
 * Registers the published test suite of the protocol, `@durable-streams/server-conformance-tests`, with vitest. Call it once per file, at the
 * top level. Nothing is left out but {@link NOT_OFFERED}, which a test of its own asserts.
 *
 * @param start Starts the server; called once.
 */
export function describePublishedSuite(name: string, start: () => Promise<ServedStreams>): void {
  if (registered) throw new Error('The suite can be registered once per file.');
  registered = true;
  const config = { baseUrl: '', longPollTimeoutMs: LONG_POLL_MS };
  let served: ServedStreams | undefined;
  beforeAll(async () => {
    served = await start();
    config.baseUrl = served.url;
  }, 240_000);
  afterAll(() => served?.close(), 60_000);

  const { tasks } = TestRunner.getCurrentSuite();
  const before = tasks.length;
  runConformanceTests(config);
  const groups = tasks.slice(before);
  const kept = groups.filter((group) => !NOT_OFFERED.includes(group.name));
  // The collector holds on to its array, so the groups have to leave that one.
  tasks.splice(before, groups.length, ...kept);

  describe(`the published suite on ${name}`, () => {
    it('runs whole, save for the groups that are not offered', () => {
      const leftOut = groups.filter((group) => !kept.includes(group));
      expect(leftOut.map((group) => group.name)).toEqual(NOT_OFFERED);
    });
    it('skips no test', () => {
      const tests = testsOf(kept);
      expect(tests.filter(({ mode }) => mode === 'skip' || mode === 'todo').map((test) => test.name)).toEqual([]);
      expect(tests).toHaveLength(SUITE_TESTS);
    });
  });
}

interface Task {
  readonly name: string;
  readonly mode: string;
  readonly tasks?: readonly Task[];
}

function testsOf(tasks: readonly Task[]): readonly Task[] {
  return tasks.flatMap((task) => (task.tasks ? testsOf(task.tasks) : [task]));
}

/** Serves a store with a plain Node server. */
export async function serveStore(
  store: StreamStore,
  options: Omit<StreamHandlerOptions, 'store'> = SUITE_HANDLER,
): Promise<ServedStreams> {
  const { url, close } = await serveHandler(createStreamHandler({ ...options, store }));
  return {
    url,
    async close() {
      await close();
      await store.close();
    },
  };
}
