import { type AsyncResult, err, type Result, runJournalId } from '@perennial/core';

import type { WorkflowError } from '../errors.ts';
import { recordValue } from '../journal/recorded.ts';
import { type CreatedRun, createRun, driveRun } from './drive-run.ts';
import { forkRun, type ForkOptions } from './fork-run.ts';
import { type OpenRun, openRunsOf } from './open-runs.ts';
import { cancelRun, createRunHandle, type RunHandle } from './run-handle.ts';
import type { Runtime } from './runtime.ts';

/** What a recovery found. */
export interface Recovery {
  /** Runs that had no end: this process advances them, or stands by where another one does. */
  readonly runIds: readonly string[];
}

/** Options of {@link DurableWorkflow.recover}. */
export interface RecoverOptions {
  /** Goes on looking for runs whose worker is lost, until the workflow is closed. @default true */
  readonly watch?: boolean;
}

/** A workflow whose runs outlive the process that began them. */
export interface DurableWorkflow<I, T, E> {
  readonly name: string;
  /** Starts a run; resolves once its start is durable. Starting an id twice is one run: the first input stands. */
  start(options?: { readonly id?: string; readonly input?: I }): Promise<RunHandle<T, E>>;
  /** A handle on a run, wherever it was started. */
  handle(runId: string): RunHandle<T, E>;
  /** Goes on with the runs that a crash, a deployment or another process left open. Call it at boot. */
  recover(options?: RecoverOptions): Promise<Recovery>;
  /** Starts a run that has what another run of this workflow had before it called a step, and goes on from there. */
  fork(runId: string, options: ForkOptions): Promise<RunHandle<T, E>>;
  /** Asks a run to stop, from any process. */
  cancel(runId: string, reason?: string): Promise<void>;
}

/** How the workflow object drives runs. */
export interface RunDriver {
  /** Drives a run unless it is driven already. */
  drive(runId: string, created: CreatedRun, onEnd: () => Promise<void>): Promise<Result<unknown, unknown>>;
  isDriven(runId: string): boolean;
}

/** Part of the lease between two looks for runs whose worker is lost. */
const WATCH_SHARE = 0.5;

/** Makes a {@link DurableWorkflow}. */
export function createDurableWorkflow<I, T, E>(runtime: Runtime, driver: RunDriver): DurableWorkflow<I, T, E> {
  const { name, store, signal } = runtime;
  const openRuns = openRunsOf(store, name, runtime.now);
  const standby: CreatedRun = { held: null, nonce: '' };
  const starting = new Map<string, Promise<RunHandle<T, E>>>();
  let isWatching = false;

  function drive(runId: string, created: CreatedRun): RunHandle<T, E> {
    const result = driver.drive(runId, created, () => openRuns.remove(runId).catch(() => undefined));
    return createRunHandle<T, E>(store, runId, () => result as AsyncResult<T, E | WorkflowError>);
  }

  async function sweep(): Promise<string[]> {
    const found: string[] = [];
    for await (const page of openRuns.pages()) {
      const open = await Promise.all(page.map((run) => standBy(run)));
      found.push(...page.filter((_, i) => open[i]).map(({ runId }) => runId));
    }
    return found;
  }

  /** True for a run without an end that nobody here drove yet. */
  async function standBy({ runId, since }: OpenRun): Promise<boolean> {
    if (driver.isDriven(runId)) return false;
    const head = await store.head(runJournalId(runId));
    if (head && !head.end) {
      drive(runId, standby);
      return true;
    }
    if (head || openRuns.isOrphan(since)) await openRuns.remove(runId);
    return false;
  }

  function watch(): void {
    if (isWatching) return;
    isWatching = true;
    const timer = setInterval(() => void sweep().catch(() => undefined), runtime.leaseMs * WATCH_SHARE);
    timer.unref();
    signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  }

  async function begin(id: string, create: () => Promise<CreatedRun>): Promise<RunHandle<T, E>> {
    if (driver.isDriven(id)) return drive(id, standby);
    // Nothing is executed before both are durable: what is begun is in the index.
    const [created] = await Promise.all([create(), openRuns.add(id)]);
    return drive(id, created);
  }

  /** Starts an id once, however many calls come at the same time. */
  function once(id: string, create: () => Promise<CreatedRun>): Promise<RunHandle<T, E>> {
    const known = starting.get(id);
    if (known) return known;
    const started = begin(id, create).finally(() => starting.delete(id));
    starting.set(id, started);
    return started;
  }

  return {
    name,
    async start({ id = runtime.randomId(), input } = {}) {
      const kept = recordValue(input, 'The input of the run');
      return once(id, () => createRun(runtime, { runId: id, input: kept, isDurable: true }));
    },
    handle(runId) {
      const wait = (): Promise<Result<unknown, unknown>> =>
        driveRun(runtime, { runId, body: null, isDurable: true }, standby).catch((error: unknown) => err(error));
      return createRunHandle<T, E>(store, runId, () => wait() as AsyncResult<T, E | WorkflowError>);
    },
    async recover({ watch: goesOn = true } = {}) {
      // Before the first look: a store that is away at boot must not leave the open runs to nobody for good.
      if (goesOn) watch();
      return { runIds: await sweep() };
    },
    async fork(runId, options) {
      const id = options.id ?? runtime.randomId();
      return once(id, () => forkRun(runtime, runId, { ...options, id }));
    },
    cancel: (runId, reason) => cancelRun(store, runId, reason),
  };
}
