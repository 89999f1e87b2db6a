import type { Boundary } from './boundaries.ts';
import type { Mishap } from './simulate.ts';
import { type CrashPoint, pointsOf } from './trapped-store.ts';

/** A generator of numbers in [0, 1) from a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of a list. */
export function pick<T>(random: () => number, list: readonly T[]): T {
  if (list.length === 0) throw new Error('There is nothing to pick from.');
  return list[Math.floor(random() * list.length)] as T;
}

/** The list in a random order. */
export function shuffled<T>(random: () => number, list: readonly T[]): T[] {
  return list
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Boundaries that only a worker comes to that takes over, and how often. */
const TAKEOVER: ReadonlyMap<Boundary, number> = new Map<Boundary, number>([
  ['takeover: token raised', 1],
  ['takeover: journal read', 1],
  ['takeover: stream fenced', 2],
  ['retraction', 1],
]);

/** A point of a worker's life; `isSuccessor`: of one that takes over, as likely as not at the takeover itself. */
export function randomPoint(
  random: () => number,
  counts: ReadonlyMap<Boundary, number>,
  { moments, isSuccessor }: { readonly moments: readonly CrashPoint['when'][]; readonly isSuccessor: boolean },
): CrashPoint {
  const boundaries = isSuccessor && random() < 0.5 ? TAKEOVER : counts;
  return pick(random, pointsOf(boundaries, moments));
}

/** One to four mishaps in a row, in simulated workers. */
export function randomMishaps(seed: number, counts: ReadonlyMap<Boundary, number>): Mishap[] {
  const random = randomOf(seed);
  const length = 1 + Math.floor(random() * 4);
  return Array.from({ length }, (_, i): Mishap => {
    const point = randomPoint(random, counts, { moments: ['before', 'after'], isSuccessor: i > 0 });
    const chance = random();
    if (chance < 0.55) return { point, action: 'die' };
    if (chance < 0.8) return { point, action: 'sleep', until: random() < 0.5 ? 'takeover' : 'end' };
    return { point, action: chance < 0.9 ? 'leave' : 'cancel' };
  });
}
