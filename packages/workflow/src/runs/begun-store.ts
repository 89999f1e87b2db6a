import type { StreamStore } from '@perennial/core';

/** The store for the holder of a handle: what is asked before the run's journal is there waits for it, instead of finding no run. */
export function storeOfBegun(store: StreamStore, begun: Promise<void>): StreamStore {
  const once =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await begun;
      return call(...args);
    };
  return {
    capabilities: store.capabilities,
    create: once((id, options) => store.create(id, options)),
    append: once((id, request) => store.append(id, request)),
    read: once((id, options) => store.read(id, options)),
    wait: once((id, options) => store.wait(id, options)),
    head: once((id) => store.head(id)),
    producer: once((id, producer) => store.producer(id, producer)),
    delete: once((id) => store.delete(id)),
    list: once((options) => store.list(options)),
    mark: once((id, mark) => store.mark(id, mark)),
    close: () => store.close(),
  };
}
