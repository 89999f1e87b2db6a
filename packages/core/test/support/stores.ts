import { StreamError, type StreamStore } from '@perennial/core';

type Verb = 'create' | 'append' | 'read' | 'wait' | 'mark' | 'producer';
type Call = (...args: never[]) => Promise<unknown>;

function intercept(store: StreamStore, verb: Verb, around: (call: Call) => Call): StreamStore {
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      const bound = value.bind(target) as Call;
      return key === verb ? around(bound) : bound;
    },
  });
}

/** Fails chosen calls of one verb before or after the store applied them. `call` counts from 1. */
export function failing(
  store: StreamStore,
  verb: Verb,
  plan: (call: number) => 'before' | 'after' | null,
): StreamStore {
  let calls = 0;
  return intercept(store, verb, (inner) => async (...args) => {
    const fault = plan(++calls);
    if (fault === 'before') throw new StreamError('STORE_ERROR', 'injected before');
    const answer = await inner(...args);
    if (fault === 'after') throw new StreamError('STORE_ERROR', 'injected after');
    return answer;
  });
}

/** Holds calls of one verb back until `open()`, and tells when the nth one arrived. */
export function gate(
  store: StreamStore,
  verb: Verb,
): { store: StreamStore; open(): void; reached(call: number): Promise<void>; readonly calls: number } {
  let calls = 0;
  let opened: () => void = () => {};
  const door = new Promise<void>((resolve) => (opened = resolve));
  const waiting: { call: number; resolve: () => void }[] = [];
  const gated = intercept(store, verb, (inner) => async (...args) => {
    calls++;
    for (const waiter of waiting) if (waiter.call <= calls) waiter.resolve();
    await door;
    return inner(...args);
  });
  return {
    store: gated,
    open: () => opened(),
    reached: (call) => (calls >= call ? Promise.resolve() : new Promise((resolve) => waiting.push({ call, resolve }))),
    get calls() {
      return calls;
    },
  };
}
