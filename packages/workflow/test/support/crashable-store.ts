import { createMemoryStreamStore, StreamError, type StreamStore } from '@perennial/core';

/** One worker's view of a store that several share, and which the worker can lose. */
export interface CrashableStore {
  readonly store: StreamStore;
  /** From now on every call of this worker is refused, as when its process has closed the store. */
  die(): void;
  /** From now on no call of this worker is answered, nor carried out, as when its process is gone. */
  freeze(): void;
}

/** Wraps a store for one worker. */
export function crashable(store: StreamStore = createMemoryStreamStore()): CrashableStore {
  let state: 'alive' | 'dead' | 'frozen' = 'alive';
  const wrapped = new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (state === 'frozen') return new Promise(() => undefined);
        if (state === 'dead') return Promise.reject(new StreamError('STORE_CLOSED', 'This worker was killed.'));
        return Reflect.apply(value, target, args);
      };
    },
  });
  return {
    store: wrapped,
    die: () => (state = 'dead'),
    freeze: () => (state = 'frozen'),
  };
}
