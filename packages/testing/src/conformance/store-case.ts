import type { StreamStore } from '@perennial/core';

import type { ManualClock } from '../clock/manual-clock.ts';
import type { StoreFeature } from './store-target.ts';

/** What a case works with. */
export interface StoreCaseContext {
  readonly store: StreamStore;
  readonly clock: ManualClock;
  /** See {@link OpenedStore.reopen}. */
  readonly reopen: () => Promise<StreamStore>;
  /** Bound for the median wake-up, in ms. */
  readonly wakeUpMs: number;
  /** Fails when `promise` takes longer than the target allows; `what` names it in the failure. */
  readonly within: <T>(promise: Promise<T>, what: string) => Promise<T>;
  /** Fails unless `promise` rejects, in time, with a stream error of this code. Returns the error. */
  readonly refuses: (promise: Promise<unknown>, code: string) => Promise<StoreRefusal>;
}

/** A rejection as cases look at it. */
export type StoreRefusal = Error & { readonly code: string; readonly argument?: unknown };

/** One behaviour, before it is bound to a store. */
export interface StoreCase {
  readonly group: string;
  readonly name: string;
  readonly needs: readonly StoreFeature[];
  readonly check: (context: StoreCaseContext) => Promise<void>;
}

/** Declares a case of the group. */
export type DefineStoreCase = (
  name: string,
  check: (context: StoreCaseContext) => Promise<void>,
  ...needs: readonly StoreFeature[]
) => StoreCase;

/** Starts a group of cases; `groupNeeds` are added to what each of them needs. */
export function storeCases(group: string, ...groupNeeds: readonly StoreFeature[]): DefineStoreCase {
  return (name, check, ...needs) => ({ group, name, needs: [...groupNeeds, ...needs], check });
}
