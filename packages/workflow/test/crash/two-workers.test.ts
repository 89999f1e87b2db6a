/**
 * Two live workers on one run: the first is stopped past its lease, the second takes over, the first wakes up and knows nothing of it.
 * What it goes on to write has to be refused. On Redis these are processes; on disk, two workers in the one process that may write.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { baseline, repeatCommand, type SimulatedPlan } from './matrix/crash-matrix.ts';
import { follow } from './matrix/followers.ts';
import { inspectRun } from './matrix/inspect-run.ts';
import { openGround } from './matrix/kill-ground.ts';
import { type Program, programOf } from './matrix/programs.ts';
import { randomOf, shuffled } from './matrix/random-mishaps.ts';
import { formatMishap, simulate } from './matrix/simulate.ts';
import { spawnWorker, type WorkerProcess } from './matrix/spawn-worker.ts';
import { openStore } from './matrix/store-spec.ts';
import { type CrashPoint, formatPoint, pointsOf } from './matrix/trapped-store.ts';

const seed = Date.now() % 1_000_000;
const SAMPLE = 3;
type Ground = Awaited<ReturnType<typeof openGround>>;
let redis: Ground;
let file: Ground;
beforeAll(async () => {
  [redis, file] = await Promise.all([openGround('redis'), openGround('file')]);
}, 60_000);
afterAll(() => Promise.all([redis.close(), file.close()]));

const PATIENCE_MS = 120_000;

/** A promise that says what it was waited for in vain. */
function within<T>(promise: Promise<T>, what: () => string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(what())), PATIENCE_MS);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Stops a process at a point, lets another one take over, and wakes the first: at once, or when the other one is done. */
async function overtake(program: Program, point: CrashPoint, wakesLate: boolean): Promise<string[]> {
  const { ground } = redis;
  const job = { store: await ground.newStore(), program: program.name, runId: 'r' };
  const store = openStore(job.store);
  const followers = follow(store, { program, runId: job.runId });
  let successor: WorkerProcess | undefined;
  try {
    const sleeper = spawnWorker({ jobs: [{ ...job, point, signal: 'SIGSTOP' }], leaseMs: ground.leaseMs }, ground);
    const told = (what: string): string => `${what}; told: ${JSON.stringify([sleeper.lines, successor?.lines])}`;
    if (!(await sleeper.told('point', job.runId))) return [`the worker never came to ${formatPoint(point)}`];
    // Woken before it is asleep, it would sleep for ever.
    await within(sleeper.stopped(), () => told('the first worker does not stop'));
    successor = spawnWorker({ jobs: [job], leaseMs: ground.leaseMs }, ground);
    await within(successor.told(wakesLate ? 'result' : 'run_resumed', job.runId), () => told('no takeover'));
    sleeper.signal('SIGCONT');
    await within(successor.gone, () => told('the second worker does not end'));
    await within(sleeper.gone, () => told('the first worker does not end'));
    const { wrong, remains } = await inspectRun(store, { program, runId: job.runId });
    const lost = sleeper.lines.some(({ type }) => type === 'run_lost') ? [] : ['the first worker did not notice'];
    const results = [sleeper, successor].map(({ lines }) => {
      const line = lines.find(({ type }) => type === 'result');
      return line?.type === 'result' ? JSON.stringify([line.ok, line.value, line.code]) : 'none';
    });
    const differ = results[0] === results[1] ? [] : [`the workers tell ${results.join(' and ')}`];
    const seen = await within(followers.compare(remains.logs.keys()), () => told('the readers do not end'));
    return [...wrong, ...lost, ...differ, ...seen];
  } finally {
    await followers.close();
    await store.close();
  }
}

/** Points at which a worker holds the run and has something left to write. */
const pointsOfHolder: readonly CrashPoint[] = [
  { boundary: 'write of a step', nth: 2, when: 'before' },
  { boundary: 'write of a step', nth: 1, when: 'after' },
  { boundary: 'note: result', nth: 1, when: 'before' },
  { boundary: 'creation of a stream', nth: 1, when: 'before' },
  { boundary: 'note: outcome', nth: 1, when: 'before' },
  { boundary: 'end of a stream with its run', nth: 1, when: 'before' },
];

describe.concurrent('a worker that sleeps past its lease', () => {
  it.for(pointsOfHolder.map((point, i) => [formatPoint(point), point, i] as const))(
    'as a process, on Redis, at %s, is refused when it wakes',
    { timeout: 300_000 },
    async ([, point, i], { expect }) => {
      const program = programOf(['step-tokens', 'parallel-steps', 'commit-step'][i % 3] ?? '');
      expect(await overtake(program, point, i % 2 === 1)).toEqual([]);
    },
  );
});

it('on disk, in one process, is refused when it wakes', { timeout: 300_000 }, async () => {
  const random = randomOf(seed);
  const plans = [...(await baseline())].flatMap(([program, counts]): SimulatedPlan[] =>
    shuffled(random, pointsOf(counts, ['before', 'after']))
      .slice(0, SAMPLE)
      .map((point, i) => ({ program, mishaps: [{ point, action: 'sleep', until: i % 2 === 0 ? 'takeover' : 'end' }] })),
  );
  const wrong: string[] = [];
  const spec = await file.ground.newStore();
  const store = openStore(spec);
  await Promise.all(
    plans.map(async ({ program, mishaps }, i) => {
      const report = await simulate({ store, program, runId: `r${i}`, leaseMs: 400, mishaps });
      const plan = mishaps.map(formatMishap).join(', ');
      const repeat = repeatCommand({ store: 'memory', program: program.name, plan, boundaries: [], wrong: [] });
      wrong.push(...report.wrong.map((finding) => `${repeat} (here on disk): ${finding}`));
    }),
  );
  await store.close();
  expect(wrong).toEqual([]);
});
