import { createMemoryStreamStore, type StreamStore } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import {
  createManualClock,
  describeStore,
  STORE_FEATURES,
  storeConformance,
  type StoreConformanceTarget,
} from '../src/index.ts';
import { MUTANTS } from './mutants/index.ts';

const target = (
  open: StoreConformanceTarget['open'],
  rest: Partial<StoreConformanceTarget> = {},
): StoreConformanceTarget => ({
  name: 'store',
  open,
  ...rest,
});
const memory: StoreConformanceTarget['open'] = async ({ clock }) => ({
  store: createMemoryStreamStore({ now: clock.now }),
});

describe('the kit notices a store that', () => {
  // Short: some mutants never answer, which the kit has to turn into a failure.
  const timeoutMs = 400;

  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s', async (_name, { group, noticedBy, open }) => {
    const cases = storeConformance(
      target(async ({ clock }) => ({ store: open(clock) }), { without: ['reopen'], timeoutMs }),
    );
    const [found, ...more] = cases.filter((each) => each.group === group && each.name.startsWith(noticedBy));
    expect(more).toEqual([]);
    expect(found).toBeDefined();
    await expect(found?.run()).rejects.toBeInstanceOf(Error);
  });

  it('forgets producers when it is opened again', async () => {
    const open = async (): Promise<{ store: StreamStore; reopen: () => Promise<StreamStore> }> => {
      const store = createMemoryStreamStore();
      return { store, reopen: () => copyWithoutProducers(store) };
    };
    const names = await failures(target(open, { without: ['clock'], timeoutMs }), 'reopen');
    expect(names).toContain('recognises what a producer sent before');
    expect(names).not.toContain('goes on at the next position');
  });

  it('has no reopen and does not say so', async () => {
    const [first] = storeConformance(target(memory)).filter(({ group }) => group === 'reopen');
    await expect(first?.run()).rejects.toThrow("say `without: ['reopen']`");
  });
});

describe('storeConformance', () => {
  const all = storeConformance(target(memory));

  it('names every case once', () => {
    const names = all.map(({ group, name }) => `${group}: ${name}`);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(300);
  });

  it('leaves out what a store says it lacks, and only that', () => {
    const count = (without: StoreConformanceTarget['without']): number =>
      storeConformance(target(memory, { without: without ?? [] })).length;
    for (const feature of STORE_FEATURES) {
      expect(count([feature])).toBeLessThan(all.length);
      expect(count([feature])).toBeGreaterThan(all.length / 2);
    }
    expect(count(STORE_FEATURES)).toBeGreaterThan(100);
  });

  it('refuses a feature that does not exist', () => {
    const without = ['everything'] as unknown as StoreConformanceTarget['without'];
    expect(() => storeConformance(target(memory, { without: without ?? [] }))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'without' }),
    );
  });

  it('closes what a case opened, also when the case fails', async () => {
    let opened = 0;
    let closed = 0;
    const open: StoreConformanceTarget['open'] = async ({ clock }) => {
      opened++;
      const store = createMemoryStreamStore({ now: clock.now });
      const close = async (): Promise<void> => {
        closed++;
      };
      return {
        store: { ...store, create: () => Promise.reject(new Error('broken')) } as unknown as StreamStore,
        close,
      };
    };
    for (const { run } of storeConformance(target(open)).slice(0, 5)) await expect(run()).rejects.toThrow('broken');
    expect([opened, closed]).toEqual([5, 5]);
  });

  it('fails a case whose store hangs', async () => {
    const open: StoreConformanceTarget['open'] = async () => ({
      store: { ...createMemoryStreamStore(), create: () => new Promise(() => {}) } as unknown as StreamStore,
      close: async () => {},
    });
    const [first] = storeConformance(target(open, { timeoutMs: 5 }));
    await expect(first?.run()).rejects.toThrow('No answer within 50 ms: the case.');
  });
});

describe('describeStore', () => {
  it('registers every case, by group', () => {
    const path: string[] = [];
    const registered: string[] = [];
    describeStore(target(memory, { name: 'my store' }), {
      describe: (name, body) => {
        path.push(name);
        body();
        path.pop();
      },
      it: (name) => registered.push([...path, name].join(' > ')),
    });
    expect(registered).toEqual(
      storeConformance(target(memory)).map(({ group, name }) => `my store: store conformance > ${group} > ${name}`),
    );
  });
});

describe('createManualClock', () => {
  it('moves only when told to', () => {
    const { now, advance } = createManualClock({ start: 5 });
    expect(now()).toBe(5);
    advance(10);
    expect(now()).toBe(15);
  });

  it.each([-1, 0.5, Number.NaN])('refuses to advance by %s', (ms) => {
    expect(() => createManualClock().advance(ms)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'ms' }),
    );
  });
});

/** Names of the cases of a group that fail. */
async function failures(store: StoreConformanceTarget, group: string): Promise<readonly string[]> {
  const cases = storeConformance(store).filter((each) => each.group === group);
  const results = await Promise.allSettled(cases.map(({ run }) => run()));
  return cases.filter((_, index) => results[index]?.status === 'rejected').map(({ name }) => name);
}

/** What a restart leaves of a store that keeps records only. */
async function copyWithoutProducers(store: StreamStore): Promise<StreamStore> {
  const copy = createMemoryStreamStore();
  for (const { id, contentType } of (await store.list()).streams) {
    const { records } = await store.read(id, { from: 0, limit: 10_000 });
    await copy.create(id, { contentType, records });
  }
  return copy;
}
