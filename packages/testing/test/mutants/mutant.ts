import { createMemoryStreamStore, type StreamStore } from '@perennial/core';

import type { ManualClock } from '../../src/index.ts';

/** A store that is wrong in one way, and the case of the kit that has to notice. */
export interface Mutant {
  readonly name: string;
  readonly group: string;
  readonly noticedBy: string;
  readonly open: (clock: ManualClock) => StreamStore;
}

const memory = (clock: ManualClock): StreamStore => createMemoryStreamStore({ now: clock.now });

/** The memory store with some of its methods replaced. */
export function mutant(
  name: string,
  [group, noticedBy]: readonly [group: string, noticedBy: string],
  change: (inner: StreamStore) => Partial<StreamStore>,
): Mutant {
  return { name, group, noticedBy, open: (clock) => broken(memory(clock), change) };
}

function broken(inner: StreamStore, change: (inner: StreamStore) => Partial<StreamStore>): StreamStore {
  return {
    capabilities: inner.capabilities,
    create: (...args) => inner.create(...args),
    append: (...args) => inner.append(...args),
    read: (...args) => inner.read(...args),
    wait: (...args) => inner.wait(...args),
    head: (...args) => inner.head(...args),
    producer: (...args) => inner.producer(...args),
    delete: (...args) => inner.delete(...args),
    list: (...args) => inner.list(...args),
    mark: (...args) => inner.mark(...args),
    close: () => inner.close(),
    ...change(inner),
  };
}

/** The value without one of its members. */
export function without<T extends object, K extends keyof T>(value: T, key: K): Omit<T, K> {
  const { [key]: _dropped, ...rest } = value;
  return rest;
}
