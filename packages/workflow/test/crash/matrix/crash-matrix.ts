import { createMemoryStreamStore } from '@perennial/core';

import type { Boundary } from './boundaries.ts';
import { type KillCase, runKillCases } from './kill-case.ts';
import { openGround } from './kill-ground.ts';
import { type Program, PROGRAMS } from './programs.ts';
import { pick, randomMishaps, randomOf, randomPoint, shuffled } from './random-mishaps.ts';
import { formatMishap, type Mishap, simulate } from './simulate.ts';
import { type CrashPoint, formatPoint, pointsOf } from './trapped-store.ts';

/** The stores of the matrix. On `memory` a worker's death is simulated: everything above the store is dropped. */
export const STORES = ['memory', 'file', 'redis'] as const;
export type StoreKind = (typeof STORES)[number];

/** What became of one case. */
export interface MatrixResult {
  readonly store: StoreKind;
  readonly program: string;
  /** What befell the workers, as the command line takes it. */
  readonly plan: string;
  /** Boundaries at which a worker was lost. */
  readonly boundaries: readonly Boundary[];
  readonly wrong: readonly string[];
}

/** Is told of each case as it ends. */
export type OnResult = (result: MatrixResult) => void;

type Baseline = ReadonlyMap<Program, ReadonlyMap<Boundary, number>>;

const MEMORY_LEASE_MS = 30;
const AT_ONCE = { simulated: 120, killed: 4 } as const;

/** Runs every program without a mishap: where its worker comes by. Throws when that already goes wrong. */
export async function baseline(): Promise<Baseline> {
  const entries: [Program, ReadonlyMap<Boundary, number>][] = [];
  for (const program of PROGRAMS.values()) {
    const { wrong, counts } = await runSimulated(program, [], 'uninterrupted');
    if (wrong.length > 0) throw new Error(`${program.name} goes wrong without a mishap: ${wrong.join('; ')}`);
    entries.push([program, counts[0] ?? new Map()]);
  }
  return new Map(entries);
}

/** A case that can be repeated: its program and its plan. */
export interface SimulatedPlan {
  readonly program: Program;
  readonly mishaps: readonly Mishap[];
}

/** Each point of each program, with each mishap. */
export function everyMishap(base: Baseline): SimulatedPlan[] {
  const kinds: readonly Omit<Mishap, 'point'>[] = [
    { action: 'die' },
    { action: 'sleep' },
    { action: 'sleep', until: 'end' },
    { action: 'leave' },
    { action: 'cancel' },
  ];
  return [...base].flatMap(([program, counts]) =>
    pointsOf(counts, ['before', 'after']).flatMap((point) =>
      kinds.map((kind) => ({ program, mishaps: [{ point, ...kind }] })),
    ),
  );
}

/** Mishaps in a row, from seeds `from` on. */
export function randomPlans(
  base: Baseline,
  { from, count }: { readonly from: number; readonly count: number },
): SimulatedPlan[] {
  const programs = [...base];
  return Array.from({ length: count }, (_, i) => {
    const [program, counts] = pick(randomOf(from + i), programs);
    return { program, mishaps: randomMishaps(from + i, counts) };
  });
}

/** The command that repeats a case. */
export const repeatCommand = ({ store, program, plan }: MatrixResult): string =>
  `npm run crash-matrix -- --only ${JSON.stringify(`${store}/${program}/${plan}`)}`;

/** Runs cases in this process, on memory. */
export async function runMemory(plans: readonly SimulatedPlan[], onResult: OnResult): Promise<void> {
  await inLanes(plans, AT_ONCE.simulated, async ({ program, mishaps }, i) => {
    const { wrong, happened } = await runSimulated(program, mishaps, `r${i}`);
    const boundaries = happened.map(({ point }) => point.boundary);
    onResult({ store: 'memory', program: program.name, plan: mishaps.map(formatMishap).join(', '), boundaries, wrong });
  });
}

function runSimulated(program: Program, mishaps: readonly Mishap[], runId: string): ReturnType<typeof simulate> {
  return simulate({ store: createMemoryStreamStore(), program, runId, leaseMs: MEMORY_LEASE_MS, mishaps });
}

const MOMENTS = ['before', 'during', 'after'] as const;

/** Each point of each program; after each, as many further kills of those who take over as chance will have. */
export function everyKill(base: Baseline, seed: number): KillCase[] {
  const random = randomOf(seed);
  const cases = [...base].flatMap(([program, counts]) =>
    pointsOf(counts, MOMENTS).map((point) => ({ program, points: [point, ...further(random, counts)] })),
  );
  return shuffled(random, cases);
}

/** A few of them, so that each boundary and each program comes up. */
export function someKills(
  base: Baseline,
  { seed, count }: { readonly seed: number; readonly count: number },
): KillCase[] {
  const all = everyKill(base, seed);
  const seen = new Set<string>();
  const first = all.filter(({ program, points: [point] }) => {
    const isNew = !seen.has(program.name) || !seen.has(point?.boundary ?? '');
    seen.add(program.name).add(point?.boundary ?? '');
    return isNew;
  });
  return [...new Set([...first, ...all])].slice(0, Math.max(count, first.length));
}

function further(random: () => number, counts: ReadonlyMap<Boundary, number>): CrashPoint[] {
  const length = Math.floor(random() * 2.5);
  return Array.from({ length }, () => randomPoint(random, counts, { moments: MOMENTS, isSuccessor: true }));
}

/** Runs cases with processes that are killed, on disk or in Redis, several at once; each group has one process that goes on with them. */
export async function runKills(store: 'file' | 'redis', cases: readonly KillCase[], onResult: OnResult): Promise<void> {
  const { ground, close } = await openGround(store);
  try {
    const groups = Array.from({ length: Math.ceil(cases.length / AT_ONCE.killed) }, (_, i) =>
      cases.slice(i * AT_ONCE.killed, (i + 1) * AT_ONCE.killed),
    );
    await inLanes(groups, 2, async (group) => {
      for (const { given, wrong, hit } of await runKillCases(ground, group)) {
        const plan = given.points.map(formatPoint).join(', ');
        const boundaries = hit.map(({ boundary }) => boundary);
        onResult({ store, program: given.program.name, plan, boundaries, wrong });
      }
    });
  } finally {
    await close();
  }
}

/** Works through a list, so many at a time. */
async function inLanes<T>(
  list: readonly T[],
  lanes: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const entries = list.entries();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const [index, item] of entries) await work(item, index);
    }),
  );
}
