import assert from 'node:assert/strict';

import { InvalidArgumentError, isStreamError } from '@perennial/core';

import { createManualClock } from '../clock/manual-clock.ts';
import { ALL_STORE_CASES } from './cases/index.ts';
import type { StoreCase, StoreCaseContext, StoreRefusal } from './store-case.ts';
import { type OpenedStore, STORE_FEATURES, type StoreConformanceTarget } from './store-target.ts';

/** One executable case of the kit. */
export interface ConformanceCase {
  /** Part of the contract the case belongs to, such as `append` or `wait`. */
  readonly group: string;
  /** The behaviour, as a sentence. Unique within the group. */
  readonly name: string;
  /** Opens a store, checks the behaviour, closes the store. Rejects with an `AssertionError`, or with what the store threw. */
  readonly run: () => Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 5_000;
const DEFAULT_WAKE_UP_MS = 50;

/**
 * Lists the cases that a store has to pass (PROTOCOL.md, "The store port"), for any test runner.
 *
 * @throws `INVALID_ARGUMENT` for a feature in `without` that does not exist.
 * @example
 * for (const { group, name, run } of storeConformance(target)) test(`${group}: ${name}`, run);
 */
export function storeConformance(target: StoreConformanceTarget): readonly ConformanceCase[] {
  const without = new Set(target.without);
  for (const feature of without) {
    if (!STORE_FEATURES.includes(feature)) {
      throw new InvalidArgumentError(
        'without',
        `There is no store feature '${feature}'; it is one of ${STORE_FEATURES.join(', ')}.`,
      );
    }
  }
  return ALL_STORE_CASES.filter(({ needs }) => !needs.some((feature) => without.has(feature))).map((storeCase) => ({
    group: storeCase.group,
    name: storeCase.name,
    run: () => runCase(target, storeCase),
  }));
}

/** The two functions of a test runner that {@link describeStore} needs: those of vitest, jest, mocha, `node:test` and `bun:test` fit. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}

/**
 * Registers every case of {@link storeConformance} with a test runner.
 *
 * @example
 * import { describe, it } from 'vitest';
 * describeStore({ name: 'my store', open: async () => ({ store: createMyStore() }), without: ['reopen'] }, { describe, it });
 */
export function describeStore(target: StoreConformanceTarget, { describe, it }: TestRunner): void {
  const groups = Map.groupBy(storeConformance(target), ({ group }) => group);
  describe(`${target.name}: store conformance`, () => {
    for (const [group, cases] of groups) {
      describe(group, () => {
        for (const { name, run } of cases) it(name, run);
      });
    }
  });
}

async function runCase(target: StoreConformanceTarget, { check }: StoreCase): Promise<void> {
  const clock = createManualClock();
  const { timeoutMs = DEFAULT_TIMEOUT_MS, wakeUpMs = DEFAULT_WAKE_UP_MS } = target;
  const within = <T>(promise: Promise<T>, what: string): Promise<T> => deadline(promise, timeoutMs, what);
  const opened = await target.open({ clock });
  const context: StoreCaseContext = {
    store: opened.store,
    clock,
    reopen: () => reopen(opened),
    wakeUpMs,
    within,
    refuses: (promise, code) => refusal(within(promise, `a refusal with ${code}`), code),
  };
  try {
    // A case makes many calls, each of which may take its time; ten times the bound of one only stops a store that hangs.
    await deadline(check(context), timeoutMs * 10, 'the case');
  } finally {
    await within(opened.close ? opened.close() : opened.store.close(), 'close');
  }
}

function reopen(opened: OpenedStore): Promise<OpenedStore['store']> {
  assert.ok(opened.reopen, "The target has no `reopen`; give it one, or say `without: ['reopen']`.");
  return opened.reopen();
}

async function refusal(promise: Promise<unknown>, code: string): Promise<StoreRefusal> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    if (!isStreamError(error))
      assert.fail(`The store refused with ${String(error)}, expected was a StreamError with code ${code}.`);
    assert.equal(error.code, code, `The store refused with ${error.code}, expected was ${code}: ${error.message}`);
    return error;
  }
  return assert.fail(`The store accepted what it had to refuse with ${code}; it answered ${JSON.stringify(value)}`);
}

async function deadline<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new assert.AssertionError({ message: `No answer within ${ms} ms: ${what}.` })), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
