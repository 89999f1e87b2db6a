import { InvalidArgumentError } from '@perennial/core';

/** A method of a store that can be made to fail. */
export type StoreVerb =
  | 'create'
  | 'append'
  | 'read'
  | 'wait'
  | 'head'
  | 'producer'
  | 'delete'
  | 'list'
  | 'mark'
  | 'close';

/** Every {@link StoreVerb}. */
export const STORE_VERBS: readonly StoreVerb[] = [
  'create',
  'append',
  'read',
  'wait',
  'head',
  'producer',
  'delete',
  'list',
  'mark',
  'close',
];

/** What goes wrong with one call. `error` defaults to a `StreamError` with code `STORE_ERROR`. */
export type Fault =
  /** The call fails and changes nothing, as when a connection is refused. */
  | { readonly kind: 'before'; readonly error?: Error }
  /** The call is carried out and its answer, whatever it was, is lost, as when a connection breaks: the caller cannot know. */
  | { readonly kind: 'after'; readonly error?: Error }
  /** The call is carried out late: after `ms` milliseconds, and not before `until` has settled. */
  | { readonly kind: 'delay'; readonly ms?: number; readonly until?: PromiseLike<unknown> };

/** A fault at a given call. */
export interface PlannedFault {
  readonly verb: StoreVerb;
  /** Number of the first call affected, counted per verb from 1. @default 1 */
  readonly call?: number;
  /** How many calls in a row are affected; `Infinity` for all from `call` on. @default 1 */
  readonly count?: number;
  readonly fault: Fault;
}

/** Faults at calls that a seed selects. */
export interface RandomFaults {
  /** Any integer. Whether call n of a verb fails, and how, depends only on the seed, the verb and n, not on what runs at the same time. */
  readonly seed: number;
  /** Share of calls that go wrong, from 0 to 1. */
  readonly probability: number;
  /** @default ['before', 'after'] */
  readonly kinds?: readonly Fault['kind'][];
  /** @default ['create', 'append', 'read', 'head', 'mark'] */
  readonly verbs?: readonly StoreVerb[];
  /** Longest delay of kind `delay`, in ms. @default 5 */
  readonly maxDelayMs?: number;
}

const DEFAULT_KINDS: readonly Fault['kind'][] = ['before', 'after'];
const DEFAULT_VERBS: readonly StoreVerb[] = ['create', 'append', 'read', 'head', 'mark'];

/** The fault that the seed has in store for this call, if any. */
export function randomFault(faults: RandomFaults, verb: StoreVerb, call: number): Fault | undefined {
  const { seed, probability, kinds = DEFAULT_KINDS, verbs = DEFAULT_VERBS, maxDelayMs = 5 } = faults;
  if (!verbs.includes(verb)) return undefined;
  const next = createRandom(seed, STORE_VERBS.indexOf(verb), call);
  if (next() >= probability) return undefined;
  const kind = kinds[Math.floor(next() * kinds.length)];
  if (kind === undefined) return undefined;
  return kind === 'delay' ? { kind, ms: Math.floor(next() * (maxDelayMs + 1)) } : { kind };
}

/** The first planned fault for this call, if any. */
export function plannedFault(plan: readonly PlannedFault[], verb: StoreVerb, at: number): Fault | undefined {
  const covers = ({ call = 1, count = 1 }: PlannedFault): boolean => at >= call && at < call + count;
  return plan.find((planned) => planned.verb === verb && covers(planned))?.fault;
}

/** @throws `INVALID_ARGUMENT` naming the part of the plan that could never take effect. */
export function assertPlannedFault({ verb, call = 1, count = 1, fault }: PlannedFault): void {
  assertVerb(verb);
  if (!Number.isSafeInteger(call) || call < 1) {
    throw new InvalidArgumentError('call', `Calls are counted from 1; got ${String(call)}.`);
  }
  if (count !== Infinity && (!Number.isSafeInteger(count) || count < 1)) {
    throw new InvalidArgumentError('count', `\`count\` must be a positive integer or Infinity; got ${String(count)}.`);
  }
  assertKind(fault.kind);
}

/** @throws `INVALID_ARGUMENT` unless the faults can be drawn. */
export function assertRandomFaults({ seed, probability, kinds = [], verbs = [] }: RandomFaults): void {
  if (!Number.isSafeInteger(seed)) {
    throw new InvalidArgumentError('seed', `\`seed\` must be an integer; got ${String(seed)}.`);
  }
  if (!(probability >= 0 && probability <= 1)) {
    throw new InvalidArgumentError('probability', `\`probability\` must be from 0 to 1; got ${String(probability)}.`);
  }
  verbs.forEach(assertVerb);
  kinds.forEach(assertKind);
}

function assertVerb(verb: StoreVerb): void {
  if (STORE_VERBS.includes(verb)) return;
  throw new InvalidArgumentError('verb', `A store has no verb '${verb}'; it is one of ${STORE_VERBS.join(', ')}.`);
}

function assertKind(kind: Fault['kind']): void {
  if (kind === 'before' || kind === 'after' || kind === 'delay') return;
  throw new InvalidArgumentError('kind', `A fault is 'before', 'after' or 'delay'; got '${kind as string}'.`);
}

/** A generator of numbers in [0, 1) that depends on all its seeds (splitmix32: each seed is mixed in before the next). */
function createRandom(...seeds: readonly number[]): () => number {
  let state = 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  for (const seed of seeds) {
    state ^= seed | 0;
    state = next() | 0;
  }
  return () => next() / 2 ** 32;
}
