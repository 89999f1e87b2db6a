import { isDeepStrictEqual } from 'node:util';

import { runJournalId, type StreamStore } from '@perennial/core';

import { type Followers, follow } from './followers.ts';
import { inspectRun } from './inspect-run.ts';
import type { Program } from './programs.ts';
import { spawnWorker, type WorkerJob, type WorkerLine, type WorkerProcess } from './spawn-worker.ts';
import { openStore, type StoreSpec } from './store-spec.ts';
import type { CrashPoint } from './trapped-store.ts';

/** A run whose workers are killed, one after the other, each at its point. */
export interface KillCase {
  readonly program: Program;
  readonly points: readonly CrashPoint[];
}

/** What became of a case. */
export interface KillReport {
  readonly given: KillCase;
  readonly wrong: readonly string[];
  /** Points at which a worker was killed. */
  readonly hit: readonly CrashPoint[];
}

/** Where and how cases run. */
export interface KillGround {
  readonly leaseMs: number;
  /** Folder of the workers' compiled code. */
  readonly cache: string;
  /** A store for one case, empty, and of no other case. */
  newStore(): Promise<StoreSpec>;
}

interface Standing {
  readonly given: KillCase;
  readonly job: WorkerJob;
  readonly store: StreamStore;
  readonly followers: Followers;
  readonly hit: CrashPoint[];
  readonly wrong: string[];
  /** The start was acknowledged, so that recovery alone has to find the run. */
  wasStarted: boolean;
}

/** Runs cases: each has its own victims, and one new process then goes on with all of their runs. */
export async function runKillCases(ground: KillGround, cases: readonly KillCase[]): Promise<KillReport[]> {
  const standing = await Promise.all(cases.map((given, i) => prepare(ground, given, `r${i}`)));
  try {
    await Promise.all(standing.map((one) => killAll(ground, one)));
    const open = await Promise.all(standing.map(isOpen));
    const rescuer = spawnWorker({ jobs: standing.map(({ job }) => job), leaseMs: ground.leaseMs }, ground);
    await rescuer.gone;
    await Promise.all(standing.map((one, i) => inspect(one, { rescuer, wasOpen: open[i] === true })));
    return standing.map(({ given, wrong, hit }) => ({ given, wrong, hit }));
  } finally {
    await Promise.all(
      standing.map(async ({ followers, store }) => {
        await followers.close();
        await store.close();
      }),
    );
  }
}

async function prepare(ground: KillGround, given: KillCase, runId: string): Promise<Standing> {
  const spec = await ground.newStore();
  const store = openStore(spec);
  const followers = follow(store, { program: given.program, runId });
  const job = { store: spec, program: given.program.name, runId };
  return { given, job, store, followers, hit: [], wrong: [], wasStarted: false };
}

async function killAll({ leaseMs, cache }: KillGround, one: Standing): Promise<void> {
  for (const point of one.given.points) {
    const victim = spawnWorker({ jobs: [{ ...one.job, point }], leaseMs }, { cache });
    const wasKilled = await victim.gone;
    one.wasStarted ||= victim.lines.some(({ type }) => type === 'started');
    if (wasKilled) one.hit.push(point);
    else one.wrong.push(...wrongLines(one, victim.lines));
  }
}

/** True when recovery has to find the run without being told its id. */
async function isOpen({ store, job, wasStarted }: Standing): Promise<boolean> {
  const head = await store.head(runJournalId(job.runId));
  return wasStarted && head !== null && head.end === null;
}

async function inspect(
  one: Standing,
  { rescuer, wasOpen }: { readonly rescuer: WorkerProcess; readonly wasOpen: boolean },
): Promise<void> {
  const { given, job, store, wrong, followers } = one;
  const recovered = rescuer.lines.find((line) => line.type === 'recovered' && line.runId === job.runId);
  if (wasOpen && !(recovered?.type === 'recovered' && recovered.runIds.includes(job.runId)))
    wrong.push('recovery did not find the run');
  wrong.push(...wrongLines(one, rescuer.lines));
  const inspected = await inspectRun(store, { program: given.program, runId: job.runId });
  wrong.push(...inspected.wrong, ...(await followers.compare(inspected.remains.logs.keys())));
}

function wrongLines({ given: { program }, job }: Standing, lines: readonly WorkerLine[]): string[] {
  const result = lines.find((line) => line.type === 'result' && line.runId === job.runId);
  if (result?.type !== 'result') return ['the last worker did not tell a result'];
  const isRight =
    program.end.outcome === 'completed' ? result.ok && isDeepStrictEqual(result.value, program.value) : !result.ok;
  return isRight ? [] : [`the run gave ${JSON.stringify(result)}`];
}
