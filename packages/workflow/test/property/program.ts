import { type Chance, createChance } from './random.ts';

/** A call of the body. `awaited: false`: the body goes on without waiting for it. */
export type Op =
  | { readonly kind: 'write'; readonly ns: string; readonly value: string; readonly awaited: boolean }
  | { readonly kind: 'flush'; readonly ns: string; readonly awaited: boolean }
  | { readonly kind: 'close'; readonly ns: string; readonly awaited: boolean }
  | StepOp
  | { readonly kind: 'parallel'; readonly branches: readonly (readonly Op[])[] };

/** A step. Each attempt writes other tokens, in other numbers. */
export interface StepOp {
  readonly kind: 'step';
  readonly key: string;
  /** Streams it may write to. */
  readonly streams: readonly [string, ...string[]];
  readonly maxTokens: number;
  /** Probability that an attempt throws, somewhere between its tokens. */
  readonly throws: number;
  readonly attempts: number;
  /** A stream that it closes. */
  readonly closes: string | null;
  /** The body catches its failure. */
  readonly isCaught: boolean;
}

/** What a body does, and what happens to it meanwhile. */
export interface Program {
  readonly ops: readonly Op[];
  readonly isCancelled: boolean;
  /** The body writes something else after each takeover. */
  readonly isNondeterministic: boolean;
  /** Workers that die without a word. */
  readonly crashes: number;
  /** Workers that are overtaken while they pause, and go on afterwards. */
  readonly zombies: number;
  /** Store calls between two such events, on average. */
  readonly spacing: number;
}

/** The streams that programs write. */
export const NAMESPACES: readonly [string, ...string[]] = ['a', 'b', 'c'];

/** The program of a seed. */
export function makeProgram(seed: number): Program {
  const chance = createChance(seed);
  const names = { count: 0 };
  const ops = list(1 + chance.below(5), () => topLevel(chance, names));
  return {
    ops,
    isCancelled: chance.happens(0.12),
    isNondeterministic: chance.happens(0.05),
    crashes: chance.oneOf([0, 1, 1, 2, 4]),
    zombies: chance.oneOf([0, 0, 1, 2]),
    spacing: chance.oneOf([6, 15, 40]),
  };
}

interface Names {
  count: number;
}

function topLevel(chance: Chance, names: Names): Op {
  const dice = chance.next();
  if (dice < 0.3) return write(chance, names);
  if (dice < 0.4) return barrier(chance);
  if (dice < 0.7) return step(chance, names);
  return { kind: 'parallel', branches: list(2 + chance.below(2), () => branch(chance, names)) };
}

function branch(chance: Chance, names: Names): Op[] {
  const ops: Op[] = [...maybe(chance, 0.5, () => write(chance, names)), step(chance, names), write(chance, names)];
  ops.push(...maybe(chance, 0.4, () => write(chance, names)), ...maybe(chance, 0.25, () => barrier(chance)));
  if (chance.happens(0.3)) ops.push(step(chance, names), write(chance, names));
  return ops;
}

function write(chance: Chance, names: Names): Op {
  return {
    kind: 'write',
    ns: chance.oneOf(['a', 'a', 'b']),
    value: `w${names.count++}`,
    awaited: chance.happens(0.75),
  };
}

function barrier(chance: Chance): Op {
  return {
    kind: chance.oneOf(['flush', 'flush', 'close']),
    ns: chance.oneOf(['a', 'b']),
    awaited: chance.happens(0.7),
  };
}

function step(chance: Chance, names: Names): StepOp {
  return {
    kind: 'step',
    key: `k${names.count++}`,
    streams: chance.oneOf<readonly [string, ...string[]]>([['a'], ['a'], ['a', 'b'], ['b', 'c'], ['a', 'b', 'c']]),
    maxTokens: chance.below(5),
    throws: chance.oneOf([0, 0, 0.3, 0.6]),
    attempts: 1 + chance.below(3),
    closes: chance.happens(0.08) ? chance.oneOf(NAMESPACES) : null,
    isCaught: chance.happens(0.8),
  };
}

function list<T>(length: number, make: () => T): T[] {
  return Array.from({ length }, make);
}

function maybe<T>(chance: Chance, p: number, make: () => T): T[] {
  return chance.happens(p) ? [make()] : [];
}
