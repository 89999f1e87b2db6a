import { InvalidArgumentError } from '@perennial/core';
import type { StreamStore } from '@perennial/core';

import type { ConformanceCase, TestRunner } from '../conformance/store-conformance.ts';
import { plantStreams } from './bystanders.ts';
import { harmlessCases } from './harmless-cases.ts';
import type { HostileCase } from './hostile-case.ts';
import { refusalCases } from './refusal-cases.ts';

/** A handler over an empty store, behind a real socket. */
export interface ServedStreams {
  /** Base URL of the streams, such as `http://127.0.0.1:3000/api/streams`. The host has to be an IPv4 address or a name. */
  readonly url: string;
  /** The store behind the handler. */
  readonly store: StreamStore;
  /** Texts that may not be in any answer: paths, addresses, passwords. @default [] */
  readonly secrets?: readonly string[];
  close(): Promise<void>;
}

/** A handler under test. */
export interface HostileInputTarget {
  /** Names the handler and its store in reports. */
  readonly name: string;
  /** Serves the handler with {@link HOSTILE_LIMITS}, allowing everything. Called once. */
  open(): Promise<ServedStreams>;
}

/** A {@link TestRunner} that also runs something at the end. */
export interface HostileTestRunner extends TestRunner {
  readonly afterAll: (body: () => Promise<void>) => unknown;
}

const ALL: readonly HostileCase[] = [...refusalCases, ...harmlessCases];

/**
 * Lists the cases that a served handler has to pass, for any test runner: what has to be refused with a typed 4xx that shows nothing and
 * changes nothing, and what has to be kept unaltered. Cases share the store, so they run one after the other.
 *
 * @throws `INVALID_ARGUMENT` for a URL that is none.
 */
export function hostileInput({ url, store, secrets = [] }: Omit<ServedStreams, 'close'>): readonly ConformanceCase[] {
  if (!URL.canParse(url)) throw new InvalidArgumentError('url', `\`url\` must be an absolute URL; got ${url}.`);
  let planted: Promise<void> | undefined;
  const context = { url: url.endsWith('/') ? url.slice(0, -1) : url, store, secrets };
  return ALL.map(({ group, name, check }) => ({
    group,
    name,
    async run() {
      await (planted ??= plantStreams(store));
      await check(context);
    },
  }));
}

/**
 * Registers every case of {@link hostileInput} with a test runner.
 *
 * @example
 * import { afterAll, describe, it } from 'vitest';
 * describeHostileInput({ name: 'memory', open: async () => { const store = createMemoryStreamStore(); … } }, { afterAll, describe, it });
 */
export function describeHostileInput(
  { name, open }: HostileInputTarget,
  { describe, it, afterAll }: HostileTestRunner,
): void {
  let opened: Promise<{ readonly served: ServedStreams; readonly cases: readonly ConformanceCase[] }> | undefined;
  const start = async (): Promise<{ readonly served: ServedStreams; readonly cases: readonly ConformanceCase[] }> => {
    const served = await open();
    return { served, cases: hostileInput(served) };
  };
  describe(`${name}: hostile input`, () => {
    afterAll(async () => (await opened)?.served.close());
    const groups = Map.groupBy(
      ALL.map(({ group, name: title }, index) => ({ group, title, index })),
      ({ group }) => group,
    );
    for (const [group, cases] of groups) {
      describe(group, () => {
        for (const { title, index } of cases) it(title, async () => (await (opened ??= start())).cases[index]?.run());
      });
    }
  });
}
