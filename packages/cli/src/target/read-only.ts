import { StreamError, type StreamStore } from '@perennial/core';

/**
 * The store without what would take a folder's lock. A reader that finds a dead producer's stream may end it; a command that only looks
 * must not, because it would own the folder from then on, and keep the application from writing.
 */
export function readOnly(store: StreamStore): StreamStore {
  const refuse = async (): Promise<never> => {
    throw new StreamError('UNSUPPORTED', 'The folder was opened for reading.');
  };
  return {
    capabilities: store.capabilities,
    create: refuse,
    append: refuse,
    delete: refuse,
    // Cancel requests need no lock.
    mark: (id, mark) => (mark.type === 'cancel' ? store.mark(id, mark) : refuse()),
    read: (id, options) => store.read(id, options),
    wait: (id, options) => store.wait(id, options),
    head: (id) => store.head(id),
    producer: (id, producerId) => store.producer(id, producerId),
    list: (options) => store.list(options),
    close: () => store.close(),
  };
}
