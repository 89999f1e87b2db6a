/** One worker's view of a store: calls are late, lost before or after they are applied, repeated; the worker can die or be paused. */
import { StreamError, type StreamStore } from '@perennial/core';

import type { Chance } from './random.ts';

/** See the head of this file. */
export interface ChaosPort {
  readonly store: StreamStore;
  /** From now on nothing is applied and nothing is answered: the process is gone. */
  kill(): void;
  /** Calls wait until {@link resume}. */
  pause(): void;
  resume(): void;
}

/** Options of {@link createChaosPort}. */
export interface ChaosOptions {
  readonly inner: StreamStore;
  readonly chance: Chance;
  /** Is told of each call, before it is applied. */
  readonly onCall: () => void;
}

const LOST = 0.03;
const ANSWER_LOST = 0.03;
const REPEATED = 0.04;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const never = new Promise<never>(() => undefined);

/** Makes a worker's port. */
export function createChaosPort({ inner, chance, onCall }: ChaosOptions): ChaosPort {
  let isDead = false;
  let paused: PromiseWithResolvers<void> | null = null;

  async function gate(): Promise<void> {
    for (let turns = chance.below(3); turns > 0; turns--) await turn();
    while (paused) await paused.promise;
    if (isDead) await never;
  }

  async function mutate<T>(apply: () => Promise<T>): Promise<T> {
    await gate();
    onCall();
    if (isDead) await never;
    if (chance.happens(REPEATED)) void repeatLater(apply);
    if (chance.happens(LOST)) throw new StreamError('STORE_ERROR', 'The request was lost.');
    const answer = await apply();
    await gate();
    if (chance.happens(ANSWER_LOST)) throw new StreamError('STORE_ERROR', 'The answer was lost.');
    return answer;
  }

  /** A copy of a request comes late, whatever became of its sender. */
  async function repeatLater(apply: () => Promise<unknown>): Promise<void> {
    for (let turns = chance.below(40); turns > 0; turns--) await turn();
    await apply().catch(() => undefined);
  }

  async function look<T>(apply: () => Promise<T>): Promise<T> {
    await gate();
    if (chance.happens(LOST)) throw new StreamError('STORE_ERROR', 'The request was lost.');
    const answer = await apply();
    await gate();
    return answer;
  }

  const store: StreamStore = {
    // A shared store: a takeover looks at leases, not at who runs in this process.
    capabilities: { ...inner.capabilities, shared: true },
    create: (id, options) => mutate(() => inner.create(id, options)),
    append: (id, request) => mutate(() => inner.append(id, request)),
    mark: (id, mark) => mutate(() => inner.mark(id, mark)),
    delete: (id) => mutate(() => inner.delete(id)),
    read: (id, options) => look(() => inner.read(id, options)),
    head: (id) => look(() => inner.head(id)),
    producer: (id, producer) => look(() => inner.producer(id, producer)),
    list: (options) => look(() => inner.list(options)),
    async wait(id, options) {
      await gate();
      // Patience is what the tests of leases are for: here it is over at once.
      const head = await inner.wait(id, options.timeoutMs === undefined ? options : { ...options, timeoutMs: 1 });
      await gate();
      return head;
    },
    close: () => Promise.resolve(),
  };

  return {
    store,
    kill() {
      isDead = true;
    },
    pause() {
      paused ??= Promise.withResolvers<void>();
    },
    resume() {
      paused?.resolve();
      paused = null;
    },
  };
}
