import { StreamError, type StreamStore } from '@perennial/core';

import {
  assertPlannedFault,
  assertRandomFaults,
  type Fault,
  plannedFault,
  type PlannedFault,
  randomFault,
  type RandomFaults,
  STORE_VERBS,
  type StoreVerb,
} from './fault.ts';

/** Options of {@link createFaultyStore}. */
export interface FaultyStoreOptions {
  /** Faults at given calls. They go before random ones. @default [] */
  readonly plan?: readonly PlannedFault[];
  /** Faults at calls that a seed selects. @default none */
  readonly random?: RandomFaults;
  /** Waits for this many milliseconds. @default setTimeout */
  readonly sleep?: (ms: number) => Promise<void>;
}

/** A fault that took effect. */
export interface InjectedFault {
  readonly verb: StoreVerb;
  /** Number of the call among those of its verb, from 1. */
  readonly call: number;
  readonly kind: Fault['kind'];
}

/** A store whose calls go wrong as told. */
export interface FaultyStore extends StreamStore {
  /** The faults so far, in the order in which their calls were made. */
  readonly injected: readonly InjectedFault[];
  /** How often the verb was called. */
  calls(verb: StoreVerb): number;
  /** Makes the next call of the verb go wrong, whatever the plan says; repeated, the ones after it. */
  failNext(verb: StoreVerb, fault: Fault): void;
  /** From now on every call goes through. */
  heal(): void;
}

/**
 * Wraps a store so that chosen calls fail before they are applied, fail after (applied, answer lost) or come late. Everything else goes
 * through unchanged, so the wrapper of a correct store passes the conformance kit when no fault is set.
 *
 * @throws `INVALID_ARGUMENT` for a plan that could never take effect.
 * @example
 * const store = createFaultyStore(createMemoryStreamStore(), { plan: [{ verb: 'append', call: 2, fault: { kind: 'after' } }] });
 */
export function createFaultyStore(store: StreamStore, options: FaultyStoreOptions = {}): FaultyStore {
  const injector = new Injector(options);
  return {
    capabilities: store.capabilities,
    create: (...args) => injector.call('create', () => store.create(...args)),
    append: (...args) => injector.call('append', () => store.append(...args)),
    read: (...args) => injector.call('read', () => store.read(...args)),
    wait: (...args) => injector.call('wait', () => store.wait(...args)),
    head: (...args) => injector.call('head', () => store.head(...args)),
    producer: (...args) => injector.call('producer', () => store.producer(...args)),
    delete: (...args) => injector.call('delete', () => store.delete(...args)),
    list: (...args) => injector.call('list', () => store.list(...args)),
    mark: (...args) => injector.call('mark', () => store.mark(...args)),
    close: () => injector.call('close', () => store.close()),
    injected: injector.injected,
    calls: (verb) => injector.calls(verb),
    failNext: (verb, fault) => injector.failNext(verb, fault),
    heal: () => injector.heal(),
  };
}

class Injector {
  readonly injected: InjectedFault[] = [];
  readonly #calls = new Map<StoreVerb, number>(STORE_VERBS.map((verb) => [verb, 0]));
  readonly #next = new Map<StoreVerb, Fault[]>();
  readonly #sleep: (ms: number) => Promise<void>;
  #plan: readonly PlannedFault[];
  #random: RandomFaults | undefined;

  constructor({ plan = [], random, sleep = sleepFor }: FaultyStoreOptions) {
    plan.forEach(assertPlannedFault);
    if (random) assertRandomFaults(random);
    this.#plan = plan;
    this.#random = random;
    this.#sleep = sleep;
  }

  calls(verb: StoreVerb): number {
    return this.#calls.get(verb) ?? 0;
  }

  failNext(verb: StoreVerb, fault: Fault): void {
    assertPlannedFault({ verb, fault });
    this.#next.set(verb, [...(this.#next.get(verb) ?? []), fault]);
  }

  heal(): void {
    this.#plan = [];
    this.#random = undefined;
    this.#next.clear();
  }

  async call<T>(verb: StoreVerb, run: () => Promise<T>): Promise<T> {
    const call = this.calls(verb) + 1;
    this.#calls.set(verb, call);
    const fault = this.#fault(verb, call);
    if (!fault) return run();
    this.injected.push({ verb, call, kind: fault.kind });
    switch (fault.kind) {
      case 'before':
        throw fault.error ?? injectedError(`${verb} #${call} was not applied`);
      case 'after':
        await Promise.allSettled([run()]);
        throw fault.error ?? injectedError(`the answer of ${verb} #${call} was lost`);
      case 'delay':
        if (fault.ms !== undefined) await this.#sleep(fault.ms);
        if (fault.until !== undefined) await Promise.allSettled([fault.until]);
        return run();
    }
  }

  #fault(verb: StoreVerb, call: number): Fault | undefined {
    const next = this.#next.get(verb)?.shift();
    return next ?? plannedFault(this.#plan, verb, call) ?? (this.#random && randomFault(this.#random, verb, call));
  }
}

function injectedError(what: string): StreamError<'STORE_ERROR'> {
  return new StreamError('STORE_ERROR', `Injected fault: ${what}.`);
}

function sleepFor(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
