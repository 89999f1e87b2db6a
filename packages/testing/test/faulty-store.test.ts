import { type AppendRequest, createMemoryStreamStore, type StreamStore } from '@perennial/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  createFaultyStore,
  describeStore,
  type Fault,
  type FaultyStore,
  type FaultyStoreOptions,
  STORE_VERBS,
  type StoreVerb,
} from '../src/index.ts';

const one = (data: string): AppendRequest => ({ segments: [{ records: [{ data }] }] });
const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'ok',
    (error: unknown) => (error as { code?: unknown }).code,
  );

async function open(
  options: FaultyStoreOptions,
): Promise<{ readonly inner: StreamStore; readonly store: FaultyStore }> {
  const inner = createMemoryStreamStore();
  await inner.create('s');
  return { inner, store: createFaultyStore(inner, options) };
}

const tail = async (store: StreamStore): Promise<number | undefined> => (await store.head('s'))?.nextPosition;

describe('createFaultyStore', () => {
  it('fails before: nothing is applied', async () => {
    const { inner, store } = await open({ plan: [{ verb: 'append', call: 2, fault: { kind: 'before' } }] });
    expect(await codeOf(store.append('s', one('1')))).toBe('ok');
    expect(await codeOf(store.append('s', one('2')))).toBe('STORE_ERROR');
    expect(await tail(inner)).toBe(1);
    expect(await codeOf(store.append('s', one('3')))).toBe('ok');
    expect(store.injected).toEqual([{ verb: 'append', call: 2, kind: 'before' }]);
  });

  it('fails after: the call is applied and its answer lost', async () => {
    const { inner, store } = await open({ plan: [{ verb: 'append', fault: { kind: 'after' } }] });
    expect(await codeOf(store.append('s', one('1')))).toBe('STORE_ERROR');
    expect(await tail(inner)).toBe(1);
  });

  it('loses the answer of a refused call, too', async () => {
    const { store } = await open({ plan: [{ verb: 'append', fault: { kind: 'after' } }] });
    expect(await codeOf(store.append('absent', one('1')))).toBe('STORE_ERROR');
  });

  it('delays until told', async () => {
    const gate = Promise.withResolvers<void>();
    const { inner, store } = await open({ plan: [{ verb: 'append', fault: { kind: 'delay', until: gate.promise } }] });
    const late = store.append('s', one('1'));
    await store.append('s', one('2'));
    expect(await tail(inner)).toBe(1);
    gate.resolve();
    expect((await late).segments).toEqual([{ status: 'ok', position: 1, count: 1, skipped: 0 }]);
  });

  it('delays by milliseconds of the given clock', async () => {
    const slept: number[] = [];
    const sleep = async (ms: number): Promise<void> => {
      slept.push(ms);
    };
    const { store } = await open({ plan: [{ verb: 'read', fault: { kind: 'delay', ms: 40 } }], sleep });
    await store.read('s', { from: 0 });
    expect(slept).toEqual([40]);
  });

  it('throws the given error', async () => {
    const error = new Error('disk on fire');
    const { store } = await open({ plan: [{ verb: 'head', fault: { kind: 'before', error } }] });
    await expect(store.head('s')).rejects.toBe(error);
  });

  it('counts calls per verb, and faults in a row', async () => {
    const { store } = await open({ plan: [{ verb: 'head', call: 2, count: 2, fault: { kind: 'before' } }] });
    const codes: unknown[] = [];
    for (let n = 0; n < 4; n++) {
      await store.read('s', { from: 0 });
      codes.push(await codeOf(store.head('s')));
    }
    expect(codes).toEqual(['ok', 'STORE_ERROR', 'STORE_ERROR', 'ok']);
    expect([store.calls('head'), store.calls('read'), store.calls('mark')]).toEqual([4, 4, 0]);
  });

  it('fails the next calls on demand, and none once healed', async () => {
    const { store } = await open({ plan: [{ verb: 'append', count: Infinity, fault: { kind: 'before' } }] });
    store.failNext('head', { kind: 'before' });
    store.failNext('head', { kind: 'after' });
    expect([await codeOf(store.head('s')), await codeOf(store.head('s')), await codeOf(store.head('s'))]).toEqual([
      'STORE_ERROR',
      'STORE_ERROR',
      'ok',
    ]);
    store.failNext('head', { kind: 'before' });
    store.heal();
    expect(await codeOf(store.head('s'))).toBe('ok');
    expect(await codeOf(store.append('s', one('1')))).toBe('ok');
  });

  it('can fail every verb', async () => {
    const calls: Readonly<Record<StoreVerb, (store: StreamStore) => Promise<unknown>>> = {
      create: (store) => store.create('s'),
      append: (store) => store.append('s', one('1')),
      read: (store) => store.read('s', { from: 0 }),
      wait: (store) => store.wait('s', { position: 0 }),
      head: (store) => store.head('s'),
      producer: (store) => store.producer('s', 'p'),
      list: (store) => store.list(),
      mark: (store) => store.mark('s', { type: 'cancel' }),
      delete: (store) => store.delete('s'),
      close: (store) => store.close(),
    };
    const { store } = await open({ plan: STORE_VERBS.map((verb) => ({ verb, fault: { kind: 'before' } })) });
    for (const verb of STORE_VERBS) expect([verb, await codeOf(calls[verb](store))]).toEqual([verb, 'STORE_ERROR']);
  });
});

describe('random faults', () => {
  async function faultsOf(options: FaultyStoreOptions, concurrent: boolean): Promise<readonly string[]> {
    const { store } = await open(options);
    const calls = Array.from(
      { length: 60 },
      () => () => Promise.allSettled([store.head('s'), store.append('s', one('1'))]),
    );
    if (concurrent) await Promise.all(calls.map((call) => call()));
    else for (const call of calls) await call();
    return store.injected.map(({ verb, call, kind }) => `${verb}#${call} ${kind}`);
  }

  it('are the same for the same seed, whatever runs at the same time', async () => {
    const run = async (seed: number): Promise<void> => {
      const random = { seed, probability: 0.3 };
      expect(await faultsOf({ random }, true)).toEqual(await faultsOf({ random }, false));
    };
    await fc.assert(fc.asyncProperty(fc.maxSafeInteger(), run), { numRuns: 20 });
  });

  it('differ between seeds', async () => {
    const random = (seed: number): FaultyStoreOptions => ({ random: { seed, probability: 0.5 } });
    expect(await faultsOf(random(1), false)).not.toEqual(await faultsOf(random(2), false));
  });

  it('occur about as often as told', async () => {
    const injected = await Promise.all(
      Array.from({ length: 50 }, (_, seed) => faultsOf({ random: { seed, probability: 0.25 } }, false)),
    );
    const share = injected.flat().length / (50 * 120);
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.3);
  });

  it('never and always are possible', async () => {
    expect(await faultsOf({ random: { seed: 7, probability: 0 } }, false)).toEqual([]);
    expect(
      (await faultsOf({ random: { seed: 7, probability: 1, verbs: ['append'], kinds: ['after'] } }, false)).length,
    ).toBe(60);
  });

  it('go behind planned ones', async () => {
    const { store } = await open({
      plan: [{ verb: 'head', fault: { kind: 'delay' } }],
      random: { seed: 1, probability: 1, kinds: ['before'] },
    });
    expect(await codeOf(store.head('s'))).toBe('ok');
    expect(await codeOf(store.head('s'))).toBe('STORE_ERROR');
  });
});

describe('arguments', () => {
  const inner = createMemoryStreamStore();
  const plan = (planned: object): FaultyStoreOptions => ({
    plan: [{ verb: 'append', fault: { kind: 'before' }, ...planned }],
  });
  const random = (faults: object): FaultyStoreOptions => ({ random: { seed: 1, probability: 0.5, ...faults } });

  it.each([
    ['verb', plan({ verb: 'apend' })],
    ['call', plan({ call: 0 })],
    ['call', plan({ call: 1.5 })],
    ['count', plan({ count: 0 })],
    ['kind', plan({ fault: { kind: 'never' } as unknown as Fault })],
    ['seed', random({ seed: Number.NaN })],
    ['probability', random({ probability: 1.1 })],
    ['probability', random({ probability: Number.NaN })],
    ['verb', random({ verbs: ['nothing'] })],
    ['kind', random({ kinds: ['sometimes'] })],
  ])('refuses %s that could never take effect (%j)', (argument, options) => {
    expect(() => createFaultyStore(inner, options)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', argument }),
    );
  });
});

describeStore(
  {
    name: 'faulty store without faults',
    open: async ({ clock }) => ({ store: createFaultyStore(createMemoryStreamStore({ now: clock.now })) }),
    without: ['reopen'],
  },
  { describe, it },
);
