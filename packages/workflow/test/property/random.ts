/** A seeded source of chance: a program and everything that happens to it follow from one number. */
export interface Chance {
  /** Uniform in [0, 1). */
  next(): number;
  /** True with probability `p`. */
  happens(p: number): boolean;
  /** A whole number from 0 to below `n`. */
  below(n: number): number;
  oneOf<T>(list: readonly [T, ...T[]]): T;
}

/** Xorshift32: short, and good enough to choose operations. */
export function createChance(seed: number): Chance {
  let x = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x85ebca6b) >>> 0 || 1;
  const next = (): number => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    x >>>= 0;
    return x / 2 ** 32;
  };
  for (let i = 0; i < 8; i++) next();
  const below = (n: number): number => Math.floor(next() * n);
  return { next, below, happens: (p) => next() < p, oneOf: (list) => list[below(list.length)] ?? list[0] };
}
