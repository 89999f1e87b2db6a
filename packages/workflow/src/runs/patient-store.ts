import { type RetryPolicy, retryStoreCall, type StreamStore } from '@perennial/core';

/** A store whose reads are repeated while it fails for a reason that may pass. Writes go through queues that repeat them themselves. */
export function createPatientStore(store: StreamStore, retry: RetryPolicy | undefined): StreamStore {
  const patiently = <T>(doing: string, call: () => Promise<T>): Promise<T> => retryStoreCall(doing, call, retry);
  return {
    capabilities: store.capabilities,
    create: (id, options) => store.create(id, options),
    append: (id, request) => store.append(id, request),
    read: (id, options) => patiently(`reading stream ${id}`, () => store.read(id, options)),
    wait: (id, options) => store.wait(id, options),
    head: (id) => patiently(`reading the head of stream ${id}`, () => store.head(id)),
    producer: (id, producer) => patiently(`reading a producer of stream ${id}`, () => store.producer(id, producer)),
    delete: (id) => store.delete(id),
    list: (options) => patiently('listing streams', () => store.list(options)),
    mark: (id, mark) => store.mark(id, mark),
    close: () => store.close(),
  };
}
